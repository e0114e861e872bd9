// The lab's service: docs/api.md describes each address.

/** An error of the service: problem details, RFC 9457. */
export class Problem extends Error {
  /** @param {{status?: number, detail?: string, seen?: string, likely?: string, try?: string, type?: string}} details */
  constructor(details) {
    super(details.detail ?? "the lab could not answer");
    this.details = details;
  }

  get kind() {
    return (this.details.type ?? "").replace("urn:digitlens:", "");
  }
}

/** @type {(problem: Problem | null) => void} */
let reportReachable = () => {};

/** Call `callback` with a problem when the lab cannot be reached, and with null once it can again. */
export const onReachable = (callback) => (reportReachable = callback);

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const problem = new Problem({
      type: "urn:digitlens:offline",
      detail: "the lab does not answer",
      try: "“digitlens serve” may have ended: start it again, then reload this page.",
    });
    reportReachable(problem);
    throw problem;
  }
  reportReachable(null);
  if (response.ok) return response.json();
  throw new Problem(await response.json().catch(() => ({ status: response.status })));
}

function address(path, query = {}) {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const item of [value].flat()) {
      if (item !== null && item !== undefined && item !== "") parts.append(key, String(item));
    }
  }
  const rest = parts.toString();
  return rest ? `${path}?${rest}` : path;
}

/** @param {string} path @param {object} [query] */
export const get = (path, query) => answer(address(path, query));

/** @param {string} path */
export const remove = (path) => answer(path, { method: "DELETE" });

/** Send JSON. @param {string} path @param {object} body @param {object} [query] */
export const post = (path, body, query) =>
  answer(address(path, query), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Send a picture file as it is. @param {string} path @param {Blob} file @param {object} [query] */
export const send = (path, file, query) =>
  answer(address(path, query), {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });

/**
 * Return a function that runs `callback` once at a time: calls that come while it runs become one
 * call after it, so that the newest request is always answered and none queue up.
 * @param {() => Promise<void>} callback
 */
export function coalesce(callback) {
  let running = false;
  let again = false;
  return async function run() {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await callback();
      }
    } finally {
      running = false;
    }
  };
}
