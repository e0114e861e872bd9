// A page of elements that hold what scripts put into them: enough to run a view in node.

class Element {
  constructor() {
    Object.assign(this, { children: [], listeners: {}, dataset: {}, style: {}, value: "", hidden: false });
    this.classList = { add() {}, remove() {}, toggle() {} };
  }

  setAttribute(name, value) {
    this[name] = value;
  }

  addEventListener(kind, callback) {
    this.listeners[kind] = callback;
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  querySelectorAll() {
    return [];
  }
}

/** @type {Map<string, Element>} */
const elements = new Map();

/** The element with an id: one is made where none was. */
export function getElementById(id) {
  if (!elements.has(id)) elements.set(id, new Element());
  return elements.get(id);
}

// No exported lab: requests go by HTTP.
globalThis.document = {
  querySelector: () => null,
  documentElement: { dataset: {} },
  createElement: () => new Element(),
  getElementById,
};

/** Answers are given by hand: what is returned holds each request, and how it is answered. */
export function holdAnswers() {
  const asked = [];
  globalThis.fetch = (address, { signal }) =>
    new Promise((resolve, reject) => {
      const answer = (body) => resolve({ ok: true, json: async () => body });
      asked.push({ address, answer, fail: () => reject(new TypeError("no host")) });
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  return asked;
}

/** Until all that can go on has gone on. */
export const settle = () => new Promise((done) => setImmediate(done));
