// What answers the page: one interface, two backends.
//
// Both answer the addresses of docs/api.md with the same JSON, or throw a Problem: `digitlens
// serve` by HTTP (server.js), and a page that `digitlens serve --export` wrote by itself
// (../local/backend.js), for the addresses that it can answer without a server.

import * as server from "./server.js";

/**
 * One request: `body` is JSON, `file` a picture as it is. Values of `query` may be lists; those
 * that are null are left out.
 * @typedef {object} Ask
 * @property {"GET" | "POST" | "DELETE"} method
 * @property {string} path
 * @property {Record<string, any>} [query]
 * @property {any} [body]
 * @property {Blob} [file]
 */

/** What a run tells of itself. @typedef {NonNullable<Api.TrainState["last_step"]> | Api.TrainState["events"][number]} Told */

/**
 * @typedef {object} Backend
 * @property {(request: Ask, signal?: AbortSignal) => Promise<any>} answer
 * @property {(run: string, callback: (event: Told) => void) => () => void} follow a run that trains; what is returned ends it
 */

const meta = /** @type {HTMLMetaElement | null} */ (
  document.querySelector('meta[name="digitlens-backend"]')
);

/** Whether this page stands alone: what needs the server is then said, and not offered. */
export const isStatic = meta?.content === "static";
document.documentElement.dataset.backend = isStatic ? "static" : "server";

/** @type {Promise<Backend>} */
const backend = isStatic ? import("../local/backend.js") : Promise.resolve(server);

/** An answer that comes after its request was ended is none. @param {Ask} request @param {AbortSignal} [signal] */
async function ask(request, signal) {
  const result = await (await backend).answer(request, signal);
  signal?.throwIfAborted();
  return result;
}

/** @template {string} P @param {P} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] @returns {Promise<Api.Get<P>>} */
export const get = (path, query, signal) => ask({ method: "GET", path, query }, signal);

/** @template {string} P @param {P} path @returns {Promise<Api.Remove<P>>} */
export const remove = (path) => ask({ method: "DELETE", path });

/** Send JSON. @template {string} P @param {P} path @param {Api.Body<P>} body @param {Record<string, any>} [query] @param {AbortSignal} [signal] @returns {Promise<Api.Post<P>>} */
export const post = (path, body, query, signal) => ask({ method: "POST", path, body, query }, signal);

/** Follow the events of a run, those from before first. @param {string} run @param {(event: Told) => void} callback @returns {() => void} ends it */
export function follow(run, callback) {
  let isOver = false;
  let end = () => {};
  backend.then((found) => {
    if (!isOver) end = found.follow(run, callback);
  });
  return () => {
    isOver = true;
    end();
  };
}

/** Send a picture file as it is. @template {string} P @param {P} path @param {Blob} file @param {Record<string, any>} [query] @returns {Promise<Api.Post<P>>} */
export const send = (path, file, query) => ask({ method: "POST", path, file, query });

/** Signals for requests of which the newest alone counts: a new signal ends the request of the one before. */
export function makeSignals() {
  let last = new AbortController();
  return () => {
    last.abort();
    last = new AbortController();
    return last.signal;
  };
}

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
