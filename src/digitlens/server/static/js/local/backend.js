// The backend of a page that stands alone: workers that answer what needs no server.

import { Problem } from "../core/problem.js";

/** @typedef {import("../core/api.js").Ask} Ask */

/** What takes long has a worker of its own, so that no stroke waits for it. */
const SLOW = ["/v1/explain", "/v1/explain/nearest", "/v1/map", "/v1/mistakes", "/v1/mistakes/cell", "/v1/mistakes/parts"];
const TRAINING = /^\/v1\/(train|runs)/;
const MANY = 8; // pictures of one request

/** @type {Map<string, (request: Ask) => Promise<any>>} */
const workers = new Map();

/** @param {string} name */
function startWorker(name) {
  /** @type {Map<number, {resolve: (result: any) => void, reject: (problem: Problem) => void}>} */
  const waiting = new Map();
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module", name });
  worker.addEventListener("message", ({ data: { number, result, details, run, event } }) => {
    if (event) return hear(run, event);
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
  const name = TRAINING.test(request.path) ? "train" : isSlow ? "slow" : "quick";
  const ask = workers.get(name) ?? startWorker(name);
  workers.set(name, ask);
  return ask(request);
}

/** @type {Set<(run: string, event: import("../core/api.js").Told) => void>} */
const followers = new Set();

/** @param {string} run @param {import("../core/api.js").Told} event */
function hear(run, event) {
  for (const follower of followers) follower(run, event);
}

/**
 * Follow a run's events, those from before first.
 * @param {string} run
 * @param {(event: import("../core/api.js").Told) => void} callback
 * @returns {() => void} ends it
 */
export function follow(run, callback) {
  /** @type {import("../core/api.js").Told[] | null} events that come while the earlier ones are asked for */
  let later = [];
  const follower = (/** @type {string} */ of, /** @type {import("../core/api.js").Told} */ event) => {
    if (of !== run) return;
    if (later) later.push(event);
    else callback(event);
  };
  followers.add(follower);
  answer({ method: "GET", path: "/v1/train" }).then(({ run: of, events, last_step: step }) => {
    const before = of === run ? [...events.slice(0, 1), ...(step ? [step] : []), ...events.slice(1)] : [];
    later = null; // all that came until now is among them
    for (const event of before) callback(event);
  });
  return () => followers.delete(follower);
}
