// The list of answers, each with its explanation.

const DECISIONS = {
  allow: { sign: '✓', word: 'allow' },
  deny: { sign: '✕', word: 'deny' },
  conditional: { sign: '?', word: 'depends' },
  list: { sign: '≡', word: 'list' },
  error: { sign: '!', word: 'no answer' },
};

const kindOf = (answer) => (answer.error ? 'error' : answer.decision ?? 'list');

/** How many there are of each kind that there is. */
function tallyOf(answers) {
  const count = (kind) => answers.filter((answer) => kindOf(answer) === kind).length;
  return Object.keys(DECISIONS).map((kind) => [kind, count(kind)]).filter(([, number]) => number);
}

/** What stands beside the questions' lines. */
function signsOf(answers) {
  return new Map((answers ?? []).map((answer) => {
    const kind = kindOf(answer);
    return [answer.line, { kind, text: DECISIONS[kind].sign }];
  }));
}

class Answers {
  #opened = new Map();

  /** `act` has what the buttons do: `go(line)`, `draw(line)`, `add(relationship)`. */
  constructor(panel, act) {
    this.panel = panel;
    this.act = act;
  }

  show(answers, problems) {
    if (!answers) {
      const where = Object.entries({ policy: 'the policy', relationships: 'the relationships', time: 'the time', context: 'the context' })
        .filter(([name]) => problems[name]?.some(({ kind }) => kind === 'error'))
        .map(([, words]) => words);
      this.panel.replaceChildren(empty('Nothing is answered from half of the facts',
        `There are answers again once ${where.join(' and ') || 'the texts'} can be read.`));
      return;
    }
    if (!answers.length) {
      this.panel.replaceChildren(empty('No questions yet',
        'Write one on the left: an actor, a permission and an object. A ? in one of the three places asks for all that fit there.'));
      return;
    }
    const tally = tallyOf(answers)
      .map(([kind, count]) => element('span', { class: `tally ${kind}` }, `${count} ${DECISIONS[kind].word}`));
    this.panel.replaceChildren(
      element('p', { class: 'summary' }, element('strong', {}, plural(answers.length, 'question')), ...tally),
      ...answers.map((answer, at) => this.#card(answer, at)));
  }

  #card(answer, at) {
    const kind = kindOf(answer);
    const { sign, word } = DECISIONS[kind];
    const key = answer.text;
    const card = element('details', {
      class: `card ${kind}`,
      open: this.#opened.get(key) ?? (at === 0 || kind === 'list'),
      ontoggle: (event) => this.#opened.set(key, event.target.open),
    });
    const [given] = /\s(?:with|at)\s.*$/.exec(answer.text) ?? [];
    const facts = [
      answer.steps === undefined ? null : plural(answer.steps, 'step'),
      answer.until ? `stands until ${answer.until}` : null,
    ].filter(Boolean).join(' · ');
    card.append(element('summary', {},
      element('span', { class: 'decision' }, element('b', { 'aria-hidden': 'true' }, sign), ` ${word}`),
      element('span', { class: 'asked' }, ...sentence(answer), given && answer.kind ? element('code', { class: 'quiet' }, given) : null),
      element('span', { class: 'quiet facts' }, facts)));
    card.append(element('div', { class: 'inside' }, ...this.#inside(answer), this.#buttons(answer)));
    return card;
  }

  #inside(answer) {
    if (answer.error) return [element('p', { class: 'said' }, answer.error)];
    switch (answer.kind) {
      case 'check': return [
        answer.missing.length
          ? element('p', { class: 'said' }, 'It depends on ', ...spaced(answer.missing.map(code)), ', which neither the relationships nor the context give.')
          : null,
        tree(answer.explanation),
        ...answer.needed.map(({ text, is_whole }) => element('p', { class: 'needed' },
          element('code', {}, text),
          is_whole
            ? element('button', { type: 'button', onclick: () => this.act.add(text) }, 'Add this relationship')
            : element('span', { class: 'quiet' }, 'needs its terms written out'))),
      ];
      case 'permissions': return [element('ul', { class: 'names' }, ...answer.names.map(({ name, decision, missing, error }) =>
        element('li', { class: decision ?? 'error' },
          element('span', { class: 'decision' }, element('b', { 'aria-hidden': 'true' }, DECISIONS[decision ?? 'error'].sign), ` ${DECISIONS[decision ?? 'error'].word}`),
          code(name),
          missing?.length ? element('span', { class: 'quiet' }, `lacks ${missing.join(', ')}`) : null,
          error ? element('span', { class: 'quiet' }, error) : null)))];
      default: return [found(answer)];
    }
  }

  #buttons(answer) {
    return element('p', { class: 'buttons' },
      element('button', { type: 'button', onclick: () => this.act.go(answer.line) }, `Line ${answer.line}`),
      answer.kind === 'check'
        ? element('button', { type: 'button', onclick: () => this.act.draw(answer.line) }, 'Show in the graph')
        : null);
  }
}

const code = (text) => element('code', {}, text);
const spaced = (nodes) => nodes.flatMap((node, at) => (at ? [', ', node] : [node]));

/** Question and answer in words. */
function sentence(answer) {
  switch (answer.kind) {
    case 'check': {
      const verb = { allow: 'has', deny: 'does not have', conditional: 'may have' }[answer.decision];
      return [code(answer.subject), ` ${verb} `, code(answer.permission), ' on ', code(answer.object)];
    }
    case 'objects': return [code(answer.subject), ' has ', code(answer.permission), ' on ', counted(answer, answer.resource)];
    case 'subjects': return [counted(answer, answer.allowed.length === 1 ? 'has' : 'have'), ' ', code(answer.permission), ' on ', code(answer.object)];
    case 'permissions': return ['what ', code(answer.subject), ' has on ', code(answer.object)];
    default: return [code(answer.text)];
  }
}

function counted({ allowed, is_cut, everyone }, what) {
  if (everyone?.decision === 'allow') return 'everyone has';
  return element('b', {}, `${allowed.length}${is_cut ? ' or more' : ''} ${what}`);
}

/** A list that a lookup found. */
function found({ allowed, conditional, excluded = [], everyone, is_cut }) {
  const items = [
    ...(everyone && everyone.decision !== 'deny' ? [element('li', { class: everyone.decision }, 'everyone', everyone.missing.length ? ` who gives ${everyone.missing.join(', ')}` : '')] : []),
    ...allowed.map((name) => element('li', { class: 'allow' }, code(name))),
    ...conditional.map(({ name, missing }) => element('li', { class: 'conditional' }, code(name), element('span', { class: 'quiet' }, ` lacks ${missing.join(', ')}`))),
    ...excluded.map((name) => element('li', { class: 'deny' }, 'not ', code(name))),
    ...(is_cut ? [element('li', { class: 'quiet' }, 'and more: hold policy lookup lists all')] : []),
  ];
  return items.length
    ? element('ul', { class: 'found' }, ...items)
    : element('p', { class: 'said' }, 'Nobody and nothing.');
}

/** Indented lines as nested lists. */
function tree(lines) {
  const root = element('ul', { class: 'tree' });
  const stack = [root];
  for (const { level, text } of lines) {
    while (stack.length > level + 1) stack.pop();
    while (stack.length < level + 1) {
      const deeper = element('ul', {});
      (stack.at(-1).lastElementChild ?? stack.at(-1)).append(deeper);
      stack.push(deeper);
    }
    stack.at(-1).append(element('li', {}, line(text)));
  }
  return root;
}

/** A line of an explanation: a heading, a relationship, or what came of a try. */
function line(text) {
  if (/^(?:it would take|what excludes it|tried|there is more|…)/.test(text)) return element('span', { class: 'heading' }, text);
  const [, name, came] = /^(\S+?)(?:: (yes|no|not among.*|leads nowhere|no, as shown))?$/.exec(text) ?? [];
  if (!name) return element('span', { class: 'fact' }, text);
  const kind = came ? (came === 'yes' ? 'yes' : 'no') : name.includes('@') ? 'stands' : 'has';
  return element('span', { class: `fact ${kind}` }, name, came ? element('span', { class: 'came' }, ` ${came}`) : null);
}

function empty(title, text) {
  return element('div', { class: 'empty' }, element('p', {}, element('strong', {}, title)), element('p', {}, text));
}
