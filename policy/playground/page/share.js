// The texts in the address, so that a link carries all of it and no server does. What stands behind
// `#` is never sent to one.

/** Longest text that a link may unfold to, and longest link. Some programs cut links much earlier. */
const SHARED_MAX = 1024 * 1024;
const LINK_MAX = 64 * 1024;

async function pump(bytes, through, most = Infinity) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error('too long');
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Texts as a fragment. */
async function toFragment(texts) {
  const bytes = await pump(new TextEncoder().encode(JSON.stringify(texts)), new CompressionStream('deflate-raw'));
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `1${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** A fragment as texts; an error where it is none of ours. */
async function fromFragment(fragment) {
  if (!fragment.startsWith('1')) throw new Error('unknown form');
  const bytes = fromBase64(fragment.slice(1).replaceAll('-', '+').replaceAll('_', '/'));
  const text = await pump(bytes, new DecompressionStream('deflate-raw'), SHARED_MAX);
  const texts = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  const known = {};
  for (const name of SHARED) known[name] = typeof texts[name] === 'string' ? texts[name] : '';
  return known;
}
