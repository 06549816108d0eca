// The worker, and what to do when it takes too long or traps.

/** How long a request may take before its worker is thrown away, in milliseconds. */
const STOP_AFTER_MS = 6000;
/** After how long the page says that it is working. */
const SLOW_AFTER_MS = 250;

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Trusted Types let exactly this one address become a script. */
const scripts = globalThis.trustedTypes?.createPolicy('worker', { createScriptURL: (url) => url });

class Engine {
  #wasm;
  #url;
  #worker;
  #running;
  #waiting = new Map();
  #id = 0;

  /** `said` is told what a person should know: `working`, `idle`, `stopped`, `trapped`. */
  constructor(said) {
    this.said = said;
    const script = document.getElementById('worker').textContent;
    this.#url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  }

  async start() {
    const bytes = fromBase64(document.getElementById('wasm').textContent.trim());
    this.#wasm = await WebAssembly.compile(await gunzip(bytes));
    this.#raise();
  }

  #raise() {
    this.#worker?.terminate();
    this.#worker = new Worker(scripts ? scripts.createScriptURL(this.#url) : this.#url);
    this.#worker.postMessage({ wasm: this.#wasm });
    this.#worker.onmessage = ({ data }) => this.#came(data);
  }

  /** Asks; of requests of a kind that wait only the last one is kept. `done` is called with its reply. */
  ask(request, done) {
    this.#waiting.set(request.do, { request, done });
    this.#next();
  }

  #next() {
    const [next] = this.#waiting;
    if (this.#running || !next) return;
    this.#waiting.delete(next[0]);
    this.#id += 1;
    this.#running = {
      ...next[1],
      id: this.#id,
      slow: setTimeout(() => this.said('working'), SLOW_AFTER_MS),
      late: setTimeout(() => this.stop(), STOP_AFTER_MS),
    };
    this.#worker.postMessage({ id: this.#id, request: this.#running.request });
  }

  #end() {
    clearTimeout(this.#running?.slow);
    clearTimeout(this.#running?.late);
    this.#running = undefined;
  }

  #came({ id, reply, ms, trap }) {
    if (id !== this.#running?.id) return;
    const { done } = this.#running;
    this.#end();
    if (trap !== undefined) {
      this.said('trapped', trap);
      done(undefined);
    } else {
      this.said('idle', ms);
      done(reply);
    }
    this.#next();
  }

  /** Gives up what is running. */
  stop() {
    if (!this.#running) return;
    const { done } = this.#running;
    this.#end();
    this.#raise();
    this.said('stopped');
    done(undefined);
    this.#next();
  }
}
