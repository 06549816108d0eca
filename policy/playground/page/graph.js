// Drawings. They come as SVG and are shown as images: whatever stands in one, an image runs no
// script, fetches nothing and cannot reach the page.

/** How small a drawing may become to fit. */
const LEAST_SCALE = 0.65;

class Graph {
  #url;
  #drawn = {};
  #isWhole = true;

  constructor(panel, what, controls = []) {
    this.what = what;
    this.image = element('img', { alt: '' });
    this.frame = element('div', { class: 'frame', tabindex: '0', role: 'group', 'aria-label': `Drawing: ${what}` }, this.image);
    this.size = element('button', { type: 'button', 'aria-pressed': 'true', onclick: () => this.#fit(!this.#isWhole) }, 'Fit');
    this.note = element('div', {});
    this.bar = element('div', { class: 'bar' }, ...controls, element('span', { class: 'buttons' }, this.size,
      element('button', { type: 'button', class: 'enlarge', 'aria-pressed': 'false', onclick: enlarge }, 'Enlarge'),
      element('button', { type: 'button', onclick: () => this.#save() }, 'Save SVG'),
      element('button', { type: 'button', onclick: () => this.#mermaid() }, 'Copy Mermaid')));
    panel.replaceChildren(this.bar, this.frame, this.note);
    this.#fit(true);
  }

  /** Shows a drawing, or why there is none. */
  show(drawn, why) {
    this.note.replaceChildren();
    if (!drawn?.svg) {
      this.#drawn = {};
      this.frame.hidden = true;
      this.note.replaceChildren(empty('Nothing to draw', drawn?.error ?? why));
      return;
    }
    this.frame.hidden = false;
    if (drawn.svg === this.#drawn.svg) return;
    // Fitting shrinks no further than can be read; what is wider scrolls.
    const width = Number(/<svg[^>]* width="(\d+)"/.exec(drawn.svg)?.[1] ?? 0);
    this.image.style.minWidth = `${Math.round(width * LEAST_SCALE)}px`;
    this.#drawn = drawn;
    const url = URL.createObjectURL(new Blob([drawn.svg], { type: 'image/svg+xml' }));
    const before = this.#url;
    this.#url = url;
    this.image.onload = () => { if (before) URL.revokeObjectURL(before); };
    this.image.src = url;
    this.image.alt = `${this.what}. Copy Mermaid gives it as text.`;
  }

  #fit(isWhole) {
    this.#isWhole = isWhole;
    this.size.setAttribute('aria-pressed', String(isWhole));
    this.frame.classList.toggle('whole', isWhole);
  }

  #save() {
    if (!this.#drawn.svg) return;
    element('a', { href: this.#url, download: `${this.what.toLowerCase().replace(/\W+/g, '-')}.svg` }).click();
  }

  async #mermaid() {
    if (!this.#drawn.mermaid || await copy(this.#drawn.mermaid, 'The drawing as Mermaid')) return;
    const shown = element('textarea', { class: 'copied', readonly: true, rows: '8', 'aria-label': 'The drawing as Mermaid' });
    shown.value = this.#drawn.mermaid;
    this.note.replaceChildren(shown);
    shown.select();
  }
}

/** Gives the results the whole width, or takes it back. */
function enlarge() {
  const isLarge = document.body.classList.toggle('enlarged');
  for (const button of document.querySelectorAll('.enlarge')) button.setAttribute('aria-pressed', String(isLarge));
}
