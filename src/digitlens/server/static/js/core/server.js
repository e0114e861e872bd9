// The backend of "digitlens serve": requests by HTTP, as docs/api.md describes them.

import { Problem } from "./problem.js";

/** @typedef {import("./api.js").Ask} Ask */

/** @type {(problem: Problem | null) => void} */
let reportReachable = () => {};

/** Call `callback` with a problem when the lab cannot be reached, and with null once it can again. @param {(problem: Problem | null) => void} callback */
export const onReachable = (callback) => (reportReachable = callback);

const FILE = /^\/v1\/networks\/[^/]+\/file$/; // what is no JSON

/** @param {string} path @param {Record<string, any>} query */
function makeAddress(path, query) {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const item of [value].flat()) {
      if (item !== null && item !== undefined && item !== "") parts.append(key, String(item));
    }
  }
  const rest = parts.toString();
  return rest ? `${path}?${rest}` : path;
}

/** @param {Ask} request @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function answer({ method, path, query = {}, body, file }, signal) {
  let response;
  try {
    response = await fetch(makeAddress(path, query), {
      method,
      signal,
      body: file ?? (body && JSON.stringify(body)),
      headers: file
        ? { "content-type": "application/octet-stream" }
        : body && { "content-type": "application/json" },
    });
  } catch {
    signal?.throwIfAborted();
    const problem = new Problem({
      type: "urn:digitlens:offline",
      detail: "the lab does not answer",
      try: "“digitlens serve” may have ended: start it again, then reload this page.",
    });
    reportReachable(problem);
    throw problem;
  }
  reportReachable(null);
  if (response.ok) return FILE.test(path) ? response.blob() : response.json();
  throw new Problem(await response.json().catch(() => ({ status: response.status })));
}

/** What happens to a run, in the words of docs/api.md. @type {import("./api.js").Told["event"][]} */
const EVENTS = ["start", "step", "epoch", "weights", "end", "stopped", "failed"];

/** Follow a run by server-sent events. @param {string} run @param {(event: import("./api.js").Told) => void} callback */
export function follow(run, callback) {
  const source = new EventSource(`/v1/train/${encodeURIComponent(run)}/events`);
  for (const kind of EVENTS) {
    source.addEventListener(kind, ({ data }) => callback(JSON.parse(data)));
  }
  return () => source.close();
}
