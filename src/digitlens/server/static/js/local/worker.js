// A thread of its own for the networks, or for training: the page stays quick while they work.

import { Problem } from "../core/problem.js";
import { findRoute, makeRoutes } from "./routes.js";

/** @param {string} name */
async function load(name) {
  const response = await fetch(new URL(`../../${name}`, import.meta.url));
  if (response.ok) return response.arrayBuffer();
  throw new Problem({ status: response.status, detail: `${name} is not beside this page` });
}

const answer = makeRoutes(load);
/** @type {Promise<Record<string, any>> | null} loaded once somebody wants to train */
let training = null;

/** @param {import("../core/api.js").Ask} request */
async function respond(request) {
  if (!/^\/v1\/(train|runs)/.test(request.path)) return answer(request);
  training ??= import("./training.js").then(({ makeTraining }) =>
    makeTraining(load, (run, event) => postMessage({ run, event })),
  );
  return findRoute(await training, request) ?? answer(request);
}

addEventListener("message", async ({ data: { number, request } }) => {
  try {
    postMessage({ number, result: await respond(request) });
  } catch (error) {
    const details = error instanceof Problem ? error.details : { detail: String(error) };
    postMessage({ number, details });
  }
});
