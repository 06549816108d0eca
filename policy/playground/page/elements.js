// Elements are made here and nowhere else: text goes in as text, never as markup.

/** An element with attributes, listeners (`on…`) and children; a text is a text node. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

const byId = (id) => document.getElementById(id);

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** Copies a text, or says that it cannot. */
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} is copied.`);
    return true;
  } catch {
    return false;
  }
}

function announce(text, kind = '') {
  const status = byId('status');
  // What has not changed is not read out again.
  if (status.textContent !== text) status.textContent = text;
  status.className = kind;
}
