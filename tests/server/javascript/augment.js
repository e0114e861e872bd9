// Digits deformed by draws that are told: node augment.js < cases.json

import { readFileSync } from "node:fs";
import { deform, findAmounts, findSources } from "../../../src/digitlens/server/static/js/local/augment.js";

const { augment, cases } = JSON.parse(readFileSync(0, "utf8"));
const amounts = findAmounts(augment);
const answers = cases.map(([pixels, draws, knots]) => {
  const sources = findSources(amounts, draws, knots);
  return { sources: Array.from(sources), pixels: Array.from(deform(Uint8Array.from(pixels), sources)) };
});
process.stdout.write(JSON.stringify(answers));
