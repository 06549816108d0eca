// A text area with line numbers, colours, and marks where something is wrong.
//
// Behind the text area lie two layers of the same text: one with the colours, one with the marks.
// The text area itself stays what it is, so keyboard, selection, undo and screen readers do too.

/** Longest line and text that are coloured; beyond it the colours would cost more than they tell. */
const COLOURED_MAX = 200_000;

class Editor {
  #problems = [];
  #signs = new Map();
  #frame;

  constructor(holder, changed) {
    const { editor: name, language, label, hint } = holder.dataset;
    this.name = name;
    this.language = language;
    this.gutter = element('pre', { class: 'gutter', 'aria-hidden': 'true' });
    this.colours = element('pre', { class: 'layer colours', 'aria-hidden': 'true' });
    this.marks = element('pre', { class: 'layer marks', 'aria-hidden': 'true' });
    this.area = element('textarea', {
      id: name, wrap: 'off', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off',
      'aria-describedby': `${name}-problems`,
      oninput: () => { this.#paintSoon(); changed(this); },
      onscroll: () => this.#follow(),
      onkeydown: (event) => this.#key(event),
    });
    this.list = element('ul', { class: 'problems', id: `${name}-problems` });
    const head = element('div', { class: 'head' },
      element('label', { for: name }, label),
      element('span', { class: 'quiet hint' }, hint),
      ...holder.children);
    const body = element('div', { class: 'body' }, this.gutter,
      element('div', { class: 'pane' }, this.colours, this.marks, this.area));
    holder.append(head, body, this.list);
    this.#paint();
  }

  get text() { return this.area.value; }

  /** Replaces the text, as if it was typed where `undoable`. */
  set(text, undoable = false) {
    if (text === this.area.value) return;
    if (undoable) {
      this.area.focus();
      this.area.select();
      // The only way that keeps the browser's undo.
      if (!document.execCommand('insertText', false, text)) this.area.value = text;
    } else {
      this.area.value = text;
    }
    this.#paint();
  }

  append(line) {
    const text = this.area.value;
    this.area.value = `${text}${text && !text.endsWith('\n') ? '\n' : ''}${line}\n`;
    this.#paint();
    this.area.dispatchEvent(new Event('input'));
    this.area.scrollTop = this.area.scrollHeight;
  }

  /** Shows what is wrong, at its places and as a list. */
  show(problems) {
    if (JSON.stringify(problems) === JSON.stringify(this.#problems)) return;
    this.#problems = problems;
    const wrong = problems.some(({ kind }) => kind === 'error');
    this.area.setAttribute('aria-invalid', String(wrong));
    listProblems(this.list, problems, (line, column) => this.go(line, column));
    this.#mark();
    this.#number();
    if (document.activeElement === this.area) this.#reveal();
  }

  /** Signs beside lines, such as the answers to questions. */
  sign(signs) {
    this.#signs = signs;
    this.#number();
  }

  /** Puts the caret at a place. */
  go(line, column = 1) {
    const lines = this.area.value.split('\n');
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const within = [...(lines[line - 1] ?? '')].slice(0, column - 1).join('').length;
    this.area.focus();
    this.area.setSelectionRange(before + within, before + within);
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (line - 3) * height);
    this.#follow();
  }

  #lines() { return this.area.value.split('\n'); }

  /** Once before the next frame, however many changes come until then. */
  #paintSoon() {
    this.#frame ??= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    const text = this.area.value;
    if (text.length > COLOURED_MAX) {
      this.colours.textContent = text;
    } else {
      this.colours.replaceChildren(...this.#lines().flatMap((line) => [...coloured(line, this.language), '\n']));
    }
    this.#mark();
    this.#number();
    this.#follow();
  }

  #mark() {
    const byLine = new Map();
    for (const problem of this.#problems) {
      if (!byLine.has(problem.line)) byLine.set(problem.line, problem);
    }
    // Lines without a mark are one text, however many: most have none.
    const parts = [];
    let plain = '';
    for (const [at, line] of this.#lines().entries()) {
      const problem = byLine.get(at + 1);
      if (problem) {
        const characters = [...line];
        // A place behind the end is marked at the end.
        const from = Math.min(problem.column - 1, Math.max(0, characters.length - 1));
        let to = from + 1;
        while (to < characters.length && !/[\s,\]}]/.test(characters[to])) to += 1;
        const marked = characters.slice(from, to).join('') || ' ';
        parts.push(plain + characters.slice(0, from).join(''), element('span', { class: problem.kind }, marked));
        plain = '';
      }
      plain += '\n';
    }
    parts.push(plain);
    this.marks.replaceChildren(...parts);
  }

  #number() {
    const worst = new Map();
    for (const { line, kind } of this.#problems) {
      if (worst.get(line) !== 'error') worst.set(line, kind);
    }
    const count = Math.max(1, this.#lines().length);
    const rows = [];
    let plain = '';
    for (let line = 1; line <= count; line += 1) {
      const sign = this.#signs.get(line);
      const kind = worst.get(line) ?? sign?.kind;
      if (kind) {
        const shown = { error: '✕', warning: '!' }[worst.get(line)] ?? sign.text;
        rows.push(plain, element('span', { class: kind }, shown));
        plain = '\n';
      } else {
        plain += `${line}\n`;
      }
    }
    rows.push(plain);
    this.gutter.replaceChildren(...rows);
  }

  #follow() {
    const { scrollTop, scrollLeft } = this.area;
    this.gutter.scrollTop = scrollTop;
    for (const layer of [this.colours, this.marks]) {
      layer.scrollTop = scrollTop;
      layer.scrollLeft = scrollLeft;
    }
  }

  /** Keeps the caret's line in sight when the list of problems takes room. */
  #reveal() {
    const { area } = this;
    const height = parseFloat(getComputedStyle(area).lineHeight);
    const line = area.value.slice(0, area.selectionStart).split('\n').length;
    const least = (line + 1) * height - area.clientHeight;
    if (area.scrollTop < least && least - area.scrollTop < 8 * height) area.scrollTop = least;
  }

  /** A new line begins below the one before it. */
  #key(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || this.language !== 'policy') return;
    const before = this.area.value.slice(0, this.area.selectionStart);
    const [indent] = /[ ]*$/.exec(/(?:^|\n)([ ]*)[^\n]*$/.exec(before)[1]);
    if (!indent) return;
    event.preventDefault();
    document.execCommand('insertText', false, `\n${indent}`);
  }
}

/** A list of problems as buttons that lead to their places. */
function listProblems(list, problems, go) {
  const shown = problems.slice(0, 5);
  list.replaceChildren(...shown.map(({ line, column, message, kind }) => element('li', { class: kind },
    go
      ? element('button', { type: 'button', onclick: () => go(line, column) }, `line ${line}, column ${column}`)
      : null,
    element('span', {}, message))));
  if (problems.length > shown.length) {
    list.append(element('li', { class: 'quiet' }, `and ${problems.length - shown.length} more`));
  }
}
