// What became of the theorems.

const VERDICTS = { holds: ['✓', 'holds', 'allow'], fails: ['✕', 'fails', 'deny'], undecided: ['?', 'undecided', 'conditional'] };

function signsOfTheorems(theorems) {
  return new Map((theorems ?? []).map(({ line, verdict }) => [line, { kind: VERDICTS[verdict][2], text: VERDICTS[verdict][0] }]));
}

function showTheorems(place, theorems, go) {
  if (!theorems) {
    place.replaceChildren(empty('Nothing is decided yet', 'Theorems are decided once they, the policy and the relationships can be read.'));
    return;
  }
  if (!theorems.length) {
    place.replaceChildren(empty('No theorems', 'Write what must be true, such as ImpliedRelations { record:x#amend => record:x#read }: it is decided for every set of relationships there can be.'));
    return;
  }
  place.replaceChildren(...theorems.map(({ line, column, text, verdict, why, relationships, steps }) => {
    const [sign, word, kind] = VERDICTS[verdict];
    const card = element('details', { class: `card ${kind}`, open: verdict !== 'holds' },
      element('summary', {},
        element('span', { class: 'decision' }, element('b', { 'aria-hidden': 'true' }, sign), ` ${word}`),
        element('span', { class: 'asked' }, code(text)),
        element('span', { class: 'quiet facts' }, plural(steps, 'step'))));
    card.append(element('div', { class: 'inside' },
      why ? element('p', { class: 'said' }, why) : element('p', { class: 'said' }, 'In every world that the policy admits.'),
      relationships.length ? element('p', { class: 'quiet' }, 'With these relationships:') : null,
      relationships.length ? element('pre', { class: 'sample' }, relationships.join('\n')) : null,
      element('p', { class: 'buttons' },
        element('button', { type: 'button', onclick: () => go(line, column) }, `Line ${line}`),
        relationships.length ? element('button', { type: 'button', onclick: () => copy(relationships.join('\n'), 'The counterexample') }, 'Copy the counterexample') : null)));
    return card;
  }));
}
