// The backend of a page that stands alone: workers that answer what needs no server.

import { Problem } from "../core/problem.js";

/** @typedef {import("../core/api.js").Ask} Ask */

/** What takes long has a worker of its own, so that no stroke waits for it. */
const SLOW = ["/v1/explain", "/v1/explain/nearest", "/v1/mistakes", "/v1/mistakes/cell"];
const MANY = 8; // pictures of one request

/** @type {Map<string, (request: Ask) => Promise<any>>} */
const workers = new Map();

/** @param {string} name */
function startWorker(name) {
  /** @type {Map<number, {resolve: (result: any) => void, reject: (problem: Problem) => void}>} */
  const waiting = new Map();
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module", name });
  worker.addEventListener("message", ({ data: { number, result, details } }) => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (details) asked?.reject(new Problem(details));
    else asked?.resolve(result);
  });
  worker.addEventListener("error", () => {
    const problem = new Problem({
      detail: "this browser cannot run the networks",
      likely: "the page was opened as a file: browsers load modules from a host only",
      try: "“python -m http.server” in the page's folder, then the address that it tells",
    });
    for (const { reject } of waiting.values()) reject(problem);
    waiting.clear();
  });
  let count = 0;
  return (/** @type {Ask} */ request) =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(count, { resolve, reject });
      worker.postMessage({ number: count, request });
    });
}

/** @param {Ask} request @returns {Promise<any>} */
export function answer(request) {
  const isBrief = request.query?.layers_only;
  const isSlow = (SLOW.includes(request.path) && !isBrief) || request.body?.pictures?.length > MANY;
  const name = isSlow ? "slow" : "quick";
  const ask = workers.get(name) ?? startWorker(name);
  workers.set(name, ask);
  return ask(request);
}
