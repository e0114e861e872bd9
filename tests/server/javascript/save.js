// A network as the page saves it: node save.js LAB NETWORK FILE, or node save.js FILE < layers.json

import { readFileSync, writeFileSync } from "node:fs";
import { readNetwork, runSteps } from "../../../src/digitlens/server/static/js/local/network.js";
import { writeOnnx } from "../../../src/digitlens/server/static/js/local/onnx.js";
import { asModel } from "../../../src/digitlens/server/static/js/local/runs.js";
import { buildNetwork, finishSteps, makeRandom } from "../../../src/digitlens/server/static/js/local/trainer.js";

const told = JSON.parse(readFileSync(0, "utf8"));

/** A run that was trained, but for the training. */
function makeRun({ layers, activation }) {
  const best = finishSteps(buildNetwork(layers, makeRandom(1), { activation, dropout: 0.5 }));
  const history = [{ epoch: 1, validation_accuracy: 0.8, validation_count: 10 }];
  const wish = { data: "uci", seed: 3 };
  return { name: "custom-1", wish, created: "2026-01-01T00:00:00Z", digits: 129, epochs: 1, history, best, bestEpoch: 1 };
}

const [lab, name, target = lab] = process.argv.slice(2);
const network = told
  ? asModel(makeRun(told))
  : readNetwork(name, new Uint8Array(readFileSync(`${lab}/networks/${name}.safetensors`)).buffer);
writeFileSync(target, await writeOnnx(network, network.card));
const pixels = (told?.pixels ?? []).map((rows) => Uint8Array.from(rows.flat()));
process.stdout.write(JSON.stringify(pixels.map((digit) => Array.from(runSteps(network, digit).at(-1).values))));
