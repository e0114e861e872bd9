// Answers requests as the worker of an exported lab does: node ask.js FOLDER < requests.json

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeRoutes } from "../../../src/digitlens/server/static/js/local/routes.js";

const answer = makeRoutes(async (name) => {
  const { buffer, byteOffset, length } = readFileSync(join(process.argv[2], name));
  return buffer.slice(byteOffset, byteOffset + length);
});

const results = [];
for (const request of JSON.parse(readFileSync(0, "utf8"))) {
  results.push(await answer(request).catch((problem) => ({ problem: problem.details ?? String(problem) })));
}
process.stdout.write(JSON.stringify(results));
