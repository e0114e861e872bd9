// Waiting for a piece of mail: one question that the server answers when there is one.

import { post } from "../core/api.js";
import { person } from "../parts/person.js";

const WAIT = 25; // seconds that the server keeps the question open
const RETRY_MS = 5_000; // where it does not answer

/** @type {AbortController | null} */
let waiting = null;

/** Nobody looks any more, or the next piece is asked for otherwise: none is lent. */
export function stopWaiting() {
  waiting?.abort();
  waiting = null;
}

/** @param {(result: Api.Claimed) => unknown} tell called with a piece, and the wait is over; or with how the queue stands */
export async function awaitPiece(tell) {
  if (waiting) return;
  const { signal } = (waiting = new AbortController());
  while (!signal.aborted) {
    try {
      const wish = { person: person.name, token: "", wait: WAIT };
      const result = await post("/v1/mail/claim", wish, {}, signal);
      if (result.task) stopWaiting();
      tell(result);
    } catch {
      if (!signal.aborted) await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}
