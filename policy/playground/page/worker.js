// The engine's own thread. A request that traps costs its instance, never the page.
'use strict';

let wasm;
let instance;

function call(request) {
  instance ??= new WebAssembly.Instance(wasm);
  const { memory, allocate, free, ask } = instance.exports;
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const address = allocate(bytes.length);
  new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
  const answered = BigInt.asUintN(64, ask(address, bytes.length));
  const [at, length] = [Number(answered >> 32n), Number(answered & 0xffffffffn)];
  const reply = JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, at, length)));
  free(address, bytes.length);
  free(at, length);
  // Memory of wasm only grows: after a large request the next one begins anew.
  if (memory.buffer.byteLength > 256 * 1024 * 1024) instance = undefined;
  return reply;
}

onmessage = ({ data }) => {
  if (data.wasm) {
    wasm = data.wasm;
    return;
  }
  const started = performance.now();
  try {
    const reply = call(data.request);
    postMessage({ id: data.id, reply, ms: performance.now() - started });
  } catch (error) {
    instance = undefined;
    postMessage({ id: data.id, trap: String(error) });
  }
};
