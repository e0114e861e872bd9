// One step of training on weights that are told: node train.js < order.json

import { readFileSync } from "node:fs";
import {
  buildNetwork,
  finishSteps,
  fitRecipe,
  findRate,
  listTensors,
  makeMoments,
  makeRandom,
  trainStep,
} from "../../../src/digitlens/server/static/js/local/trainer.js";

const { layers, activation, weights, pixels, labels, recipe, rate, steps: count, fits } = JSON.parse(readFileSync(0, "utf8"));
const steps = buildNetwork(layers, makeRandom(1), { activation });
listTensors(steps).forEach(({ values }, index) => values.set(weights[index].flat(9)));
const moments = makeMoments(steps);
const digits = { pixels: pixels.map((rows) => Uint8Array.from(rows.flat())), labels };
const all = labels.map((_, index) => index);
const losses = Array.from({ length: count }, () => trainStep(steps, moments, digits, all, recipe, rate, Math.random));
const numbers = (list) => listTensors(list).map(({ values }) => Array.from(values));
process.stdout.write(
  JSON.stringify({
    losses,
    weights: numbers(steps),
    first: numbers(finishSteps(steps))[0],
    fits: fits.map(([wish, size]) => fitRecipe(wish, size)),
    rates: Array.from({ length: 8 }, (_, step) => findRate(0.4, step, 8)),
  }),
);
