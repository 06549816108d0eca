// The page: what is typed goes to the engine, what comes back is shown.

/** What a link carries. */
const SHARED = ['policy', 'relationships', 'questions', 'theorems', 'time', 'context', 'tab'];
/** How long typing may pause before the engine is asked, and before the address changes. */
const ASK_AFTER_MS = 120;
const SHARE_AFTER_MS = 600;

const samples = JSON.parse(byId('samples').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)');
const inputs = { time: byId('time'), context: byId('context') };
const editors = {};
for (const holder of document.querySelectorAll('[data-editor]')) {
  const editor = new Editor(holder, (changed) => {
    if (changed.name === 'model' || changed.name === 'tuples') translateSoon();
    else soon();
  });
  editors[editor.name] = editor;
}

const engine = new Engine((what, detail) => {
  byId('stop').hidden = what !== 'working';
  document.body.classList.toggle('working', what === 'working');
  byId('took').textContent = what === 'idle' ? `Answered in ${detail < 1 ? 'under 1' : Math.round(detail)} ms.` : '';
  const says = {
    working: ['Working …'],
    stopped: ['Stopped: that was too hard a question. What is shown is from before; simplify what was added last.', 'wrong'],
    trapped: ['The engine failed on these texts and was started anew. What is shown is from before. Please report it.', 'wrong'],
  };
  if (says[what]) announce(...says[what]);
});

let chosen = '';

// Tabs: one is in the order of the Tab key, arrows go between them.
const tabs = [...document.querySelectorAll('[role=tab]')];
const nameOf = (tab) => tab.id.slice('tab-'.length);
let current = 'answers';

function open(name) {
  current = tabs.some((tab) => nameOf(tab) === name) ? name : 'answers';
  for (const tab of tabs) {
    const isOpen = nameOf(tab) === current;
    tab.setAttribute('aria-selected', String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    byId(tab.getAttribute('aria-controls')).hidden = !isOpen;
  }
}

for (const [at, tab] of tabs.entries()) {
  tab.addEventListener('click', () => { open(nameOf(tab)); soon(0); });
  tab.addEventListener('keydown', ({ key }) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[key];
    if (to === undefined) return;
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

// Results.
const answers = new Answers(byId('panel-answers'), {
  go: (line) => editors.questions.go(line),
  draw: (line) => { chosen = String(line); open('relationships'); soon(0); byId('tab-relationships').focus(); },
  add: (relationship) => { editors.relationships.append(relationship); announce(`Added ${relationship}.`); },
});
const schema = new Graph(byId('panel-schema'), 'Schema graph');
const picked = element('select', { onchange: () => { chosen = picked.value; soon(0); } });
const centers = element('datalist', { id: 'centers' });
const around = element('input', { type: 'text', list: 'centers', size: '14', placeholder: 'everything', spellcheck: 'false', oninput: () => soon() });
const instances = new Graph(byId('panel-relationships'), 'Graph of the relationships', [
  element('label', { class: 'field' }, element('span', {}, 'Answer'), picked),
  element('label', { class: 'field' }, element('span', {}, 'Around'), around), centers,
]);

function request() {
  const isDark = byId('scheme').value === 'dark' || (byId('scheme').value === 'auto' && dark.matches);
  return {
    do: 'ask',
    policy: editors.policy.text,
    relationships: editors.relationships.text,
    questions: editors.questions.text,
    theorems: editors.theorems.text,
    time: inputs.time.value.trim() || new Date().toISOString(),
    context: inputs.context.value,
    // Signs beside the questions need the answers whatever tab is open.
    show: ['answers', ...(['schema', 'relationships', 'theorems'].includes(current) ? [current] : [])],
    scheme: isDark ? 'dark' : 'light',
    line: chosen ? Number(chosen) : null,
    around: around.value,
    steps: 2,
  };
}

function show(came, asked) {
  if (!came) return;
  if (came.refused) {
    announce(came.refused, 'wrong');
    return;
  }
  const { problems } = came;
  announce(...standing(came));
  for (const name of ['policy', 'relationships', 'questions']) editors[name].show(problems[name] ?? []);
  for (const [name, input] of Object.entries(inputs)) {
    listProblems(byId(`${name}-problems`), problems[name] ?? []);
    input.setAttribute('aria-invalid', String(Boolean(problems[name])));
  }
  editors.questions.sign(signsOf(came.answers));
  answers.show(came.answers, problems);
  // Where the results lie below the texts, the way there says how things stand.
  byId('jump').replaceChildren('Results', ...tallyOf(came.answers ?? []).map(([kind, count]) =>
    element('b', { class: kind }, `${DECISIONS[kind].sign}${count}`)));
  document.title = came.name ? `${came.name} – policy playground` : 'Policy playground';
  if (asked.show.includes('schema')) schema.show(came.schema, 'The drawing comes once the policy can be read.');
  if (asked.show.includes('relationships')) {
    offer(came);
    instances.show(came.relationships, 'The drawing comes once the policy can be read.');
  }
  if (asked.show.includes('theorems')) {
    editors.theorems.show(problems.theorems ?? []);
    editors.theorems.sign(signsOfTheorems(came.theorems));
    showTheorems(byId('theorem-results'), came.theorems, (line, column) => editors.theorems.go(line, column));
  }
}

/** How things stand, in a sentence: what is first to mend, or what was answered. */
function standing({ answers: all, problems }) {
  for (const [name, list] of Object.entries(problems)) {
    const error = list.find(({ kind }) => kind === 'error');
    if (error) return [`To mend in the ${name}: line ${error.line}, column ${error.column}.`, 'wrong'];
  }
  const counts = tallyOf(all ?? []).map(([kind, count]) => `${count} ${DECISIONS[kind].word}`);
  return [counts.length ? `${plural(all.length, 'answer')}: ${counts.join(', ')}.` : 'No questions yet.'];
}

/** What the drawing of relationships can be about. */
function offer({ answers: all, centers: names }) {
  const checks = (all ?? []).filter(({ kind }) => kind === 'check');
  if (!checks.some(({ line }) => String(line) === chosen)) chosen = '';
  picked.replaceChildren(
    element('option', { value: '' }, 'none'),
    ...checks.map(({ line, text }) => element('option', { value: line, selected: String(line) === chosen }, `${line}: ${text}`)));
  picked.value = chosen;
  centers.replaceChildren(...(names ?? []).map((name) => element('option', { value: name })));
}

// When to ask.
let asking;
let sharing;

function soon(ms = ASK_AFTER_MS) {
  clearTimeout(asking);
  asking = setTimeout(() => {
    const asked = request();
    engine.ask(asked, (came) => show(came, asked));
  }, ms);
  clearTimeout(sharing);
  sharing = setTimeout(share, SHARE_AFTER_MS);
}

// Links.
let shared = '';

function texts() {
  return {
    ...Object.fromEntries(['policy', 'relationships', 'questions', 'theorems'].map((name) => [name, editors[name].text])),
    time: inputs.time.value, context: inputs.context.value, tab: current,
  };
}

async function share() {
  clearTimeout(sharing);
  const fragment = await toFragment(texts());
  const fits = fragment.length <= LINK_MAX;
  shared = fits ? fragment : '';
  history.replaceState(null, '', `#${shared}`);
  return fits;
}

function take(from) {
  for (const name of ['policy', 'relationships', 'questions', 'theorems']) editors[name].set(from[name] ?? '');
  for (const [name, input] of Object.entries(inputs)) input.value = from[name] ?? '';
  chosen = '';
  around.value = '';
  open(from.tab || 'answers');
  soon(0);
}

async function arrive() {
  const fragment = location.hash.slice(1);
  if (fragment === shared && fragment) return;
  if (!fragment || fragment === 'results') {
    if (!editors.policy.text) pick(0);
    return;
  }
  try {
    take(await fromFragment(fragment));
  } catch {
    pick(0);
    announce('This link is damaged; the sample is shown instead.', 'wrong');
  }
}

// Samples and imports.
function pick(at) {
  const sample = samples[at];
  if (sample.model === undefined) {
    take(sample);
    return;
  }
  byId('notation').value = sample.notation;
  editors.model.set(sample.model);
  editors.tuples.set(sample.tuples);
  editors.questions.set(sample.questions);
  editors.theorems.set(sample.theorems);
  open('import');
  translate(() => byId('use').click());
}

let translated;
let translating;

function translateSoon() {
  clearTimeout(translating);
  translating = setTimeout(translate, ASK_AFTER_MS);
}

function translate(then) {
  const wanted = {
    do: 'import', notation: byId('notation').value, actor: byId('actor').value,
    model: editors.model.text, relationships: editors.tuples.text,
  };
  engine.ask(wanted, (came) => {
    if (!came?.problems) return;
    translated = came;
    editors.model.show(came.problems.model ?? []);
    editors.tuples.show(came.problems.tuples ?? []);
    byId('use').disabled = !came.policy || came.relationships === null;
    announce(...(Object.keys(came.problems).length ? standing(came) : [came.policy ? 'Translated.' : 'Nothing to translate yet.']));
    byId('imported').replaceChildren(...(came.policy
      ? [element('h2', {}, 'As a policy of ours'), element('pre', { class: 'sample', tabindex: '0' }, came.policy),
        ...(came.relationships?.trim() ? [element('h2', {}, 'Relationships'), element('pre', { class: 'sample', tabindex: '0' }, came.relationships)] : [])]
      : [empty('Nothing is translated yet', 'Paste a model of OpenFGA or a schema of SpiceDB. What a policy cannot express is refused by name, never approximated.')]));
    if (typeof then === 'function' && !byId('use').disabled) then();
  });
}

byId('notation').addEventListener('change', translateSoon);
byId('actor').addEventListener('input', translateSoon);
byId('use').addEventListener('click', () => {
  editors.policy.set(translated.policy);
  if (translated.relationships !== null && editors.tuples.text.trim()) editors.relationships.set(translated.relationships);
  inputs.context.value = '';
  chosen = '';
  around.value = '';
  open('answers');
  soon(0);
});
byId('tab-import').addEventListener('click', () => { if (!translated) translate(); });

document.querySelector('[data-act=format]').addEventListener('click', () => {
  engine.ask({ do: 'format', policy: editors.policy.text }, (came) => {
    if (!came?.policy) return;
    editors.policy.set(came.policy, true);
    soon(0);
  });
});

byId('sample').append(...samples.map(({ name }, at) => element('option', { value: at }, name)));
byId('sample').addEventListener('change', ({ target }) => pick(Number(target.value)));
byId('scheme').addEventListener('change', ({ target }) => {
  document.documentElement.dataset.scheme = target.value;
  soon(0);
});
dark.addEventListener('change', () => soon(0));
for (const input of Object.values(inputs)) input.addEventListener('input', () => soon());
inputs.time.placeholder = 'now';
byId('stop').addEventListener('click', () => engine.stop());
byId('share').addEventListener('click', async () => {
  if (!(await share())) {
    announce('These texts are too long for a link; send the files instead.', 'wrong');
  } else if (!(await copy(location.href, 'A link that holds all of this'))) {
    announce('The address of this page now holds all of this; copy it from there.');
  }
});
for (const id of ['skip', 'jump']) {
  byId(id).addEventListener('click', (event) => {
    event.preventDefault();
    byId('results').focus();
    byId('results').scrollIntoView();
  });
}
addEventListener('hashchange', arrive);

open('answers');
try {
  await engine.start();
  await arrive();
} catch (error) {
  announce(`The engine does not start in this browser: ${error}`, 'wrong');
}
