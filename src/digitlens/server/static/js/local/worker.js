// A thread of its own for the networks: the page stays quick while they answer.

import { Problem } from "../core/problem.js";
import { makeRoutes } from "./routes.js";

const answer = makeRoutes(async (name) => {
  const response = await fetch(new URL(`../../${name}`, import.meta.url));
  if (response.ok) return response.arrayBuffer();
  throw new Problem({ status: response.status, detail: `${name} is not beside this page` });
});

addEventListener("message", async ({ data: { number, request } }) => {
  try {
    postMessage({ number, result: await answer(request) });
  } catch (error) {
    const details = error instanceof Problem ? error.details : { detail: String(error) };
    postMessage({ number, details });
  }
});
