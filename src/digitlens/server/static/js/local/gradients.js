// Integrated gradients: how much each pixel added to the answer's log-odds.
//
// As digitlens.explain.gradients has it: the picture is faded in from blank paper, and a pixel's
// part is its ink times the mean slope on the way (Sundararajan, Taly, Yan 2017).

import { goBack, runAll } from "./backward.js";
import { softmax } from "./network.js";

/** @typedef {import("./network.js").Network} Network */

const [MIN_STEPS, MAX_STEPS] = [64, 512];
const MAX_GAP = 0.005; // share of all that is added and taken away by which the parts' sum may miss
const CLASSES = 10;
const SIDE = 28;

/** @param {Network} network @param {Float32Array} values of the pixels, 0..255 */
const run = (network, values) => runAll(network.steps, { shape: [1, SIDE, SIDE], values });

/** log(p / (1 - p)) of a class. @param {ArrayLike<number>} outputs @param {number} label */
function logOdds(outputs, label) {
  const others = Array.from(outputs).slice(0, CLASSES).filter((_, index) => index !== label);
  const most = Math.max(...others);
  return outputs[label] - most - Math.log(others.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** The slope of the log-odds by each output: 1 for the label, less the other digits' shares. @param {Float32Array} outputs @param {number} label */
function slopeOf(outputs, label) {
  const others = outputs.slice(0, CLASSES);
  others[label] = -Infinity;
  const slope = new Float32Array(outputs.length);
  softmax(others).forEach((share, index) => (slope[index] = -share));
  slope[label] = 1;
  return slope;
}

/**
 * What each pixel adds to the log-odds of a label; the sum is the digit's log-odds less paper's.
 * @param {Network} network @param {Uint8Array} pixels @param {number} label
 */
export function integrateGradients(network, pixels, label) {
  const [paper, ink] = [new Float32Array(pixels.length), Float32Array.from(pixels)].map((values) =>
    logOdds(/** @type {import("./network.js").Maps} */ (run(network, values).at(-1)).values, label),
  );
  for (let steps = MIN_STEPS; ; steps *= 2) {
    const parts = sumSlopes(network, pixels, label, steps);
    const [sum, size] = parts.reduce(([total, all], part) => [total + part, all + Math.abs(part)], [0, 0]);
    if (Math.abs(sum - (ink - paper)) <= MAX_GAP * size || steps >= MAX_STEPS) return parts;
  }
}

/** @param {Network} network @param {Uint8Array} pixels @param {number} label @param {number} steps */
function sumSlopes(network, pixels, label, steps) {
  const sums = new Float32Array(pixels.length);
  for (let step = 0; step < steps; step += 1) {
    const share = (step + 0.5) / steps; // the middle of a step errs less than its ends
    const taken = run(network, Float32Array.from(pixels, (value) => value * share));
    const outputs = /** @type {import("./network.js").Maps} */ (taken.at(-1)).values;
    const slope = goBack(network.steps, taken, slopeOf(outputs, label));
    for (let place = 0; place < sums.length; place += 1) sums[place] += slope[place];
  }
  return sums.map((sum, place) => (sum * pixels[place]) / steps);
}
