// Colours for texts: for each language what a line's parts are. Only for the eye: what a text means
// is the engine's matter.

const LANGUAGES = {
  policy: [
    ['comment', /(?:^|(?<=\s))#.*/y],
    ['key', /(?:^\s*(?:- )?|(?<=[{,]\s?))[\w.-]+(?=:(?:\s|$))/y],
    ['string', /"(?:[^"\\]|\\.)*"|'[^']*'/y],
    ['operator', /&?->|(?<=\s)[+&-](?=\s)|(?<=expr:.*)(?:==|!=|<=|>=|&&|\|\||[<>!?])/y],
    ['keyword', /\b(?:with|and|expiration)\b(?=.*[\],]|$)/y],
    ['word', /[\w.]+(?:-(?!>)[\w.]+)*/y],
  ],
  relationships: [
    ['comment', /(?:^\s*#|\/\/).*/y],
    ['string', /\{.*\}|"[^"]*"/y],
    ['keyword', /(?<=\s)(?:with|and|expiration)\b/y],
    ['name', /#[\w./-]+/y],
    ['key', /(?:^\s*|(?<=@))(?!did:)[\w./-]+(?=:)/y],
    ['word', /[^\s#@]+/y],
  ],
  questions: [
    ['comment', /^\s*(?:#|\/\/).*/y],
    ['string', /\{.*\}|"[^"]*"/y],
    ['keyword', /(?<=\s)(?:with|at)(?=\s)/y],
    ['operator', /\?(?=\s|$|#)/y],
    ['name', /(?<=^\s*\S+\s+)[\w./()-]+(?=\s)|#[\w./()-]+/y],
    ['word', /[^\s#?:]+:?/y],
  ],
  theorems: [
    ['comment', /\/\/.*/y],
    ['keyword', /\b(?:Authorizations|Delegations|ImpliedRelations)\b/y],
    ['operator', /=>|(?<=\s)[+&>](?=\s)|!/y],
    ['name', /#[\w./()-]+/y],
    ['word', /[^\s#!@]+/y],
  ],
  plain: [
    ['comment', /(?:^\s*(?:#|\/\/)).*/y],
    ['keyword', /\b(?:model|schema|type|relations|define|or|and|but not|from|with|condition|definition|relation|permission|caveat|use)\b/y],
    ['operator', /->|[+&=]/y],
    ['word', /[\w./]+(?:-(?!>)[\w./]+)*/y],
  ],
};

/** A line as spans. */
function coloured(line, language) {
  const parts = [];
  let plain = '';
  for (let at = 0; at < line.length; ) {
    let found;
    for (const [kind, pattern] of LANGUAGES[language]) {
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match?.[0]) {
        found = [kind, match[0]];
        break;
      }
    }
    const [kind, text] = found ?? ['word', line[at]];
    at += text.length;
    if (kind === 'word') {
      plain += text;
      continue;
    }
    if (plain) parts.push(plain);
    plain = '';
    parts.push(element('span', { class: kind }, text));
  }
  if (plain) parts.push(plain);
  return parts;
}
