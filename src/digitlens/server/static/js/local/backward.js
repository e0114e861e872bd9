// How much each number that a network took in, and each weight, has to do with what it gave.

import { addColumns, cutColumns, findInk, measure, runStep, walkColumns } from "./network.js";

/** @typedef {import("./network.js").Step} Step */
/** @typedef {import("./network.js").Maps} Maps */
/** @typedef {{weight: Float32Array, bias: Float32Array}} Slopes of a step's numbers; added to */

/** What each step takes in, and at the end what the last one gives. @param {Step[]} steps @param {Maps} maps @returns {Maps[]} */
export function runAll(steps, maps) {
  const taken = [maps];
  for (const step of steps) taken.push(runStep(step, /** @type {Maps} */ (taken.at(-1))));
  return taken;
}

/**
 * Go back from the last step to the first one.
 * @param {Step[]} steps
 * @param {Maps[]} taken as `runAll` gives it
 * @param {Float32Array} slope of the wanted number by each value of the last step
 * @param {(Slopes | null)[]} [slopes] one for each step, to which its weights' slopes are added
 * @param {boolean} [wantsInput] whether the slope by the first step's input is needed
 */
export function goBack(steps, taken, slope, slopes = [], wantsInput = true) {
  let result = slope;
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const isNeeded = index > 0 || wantsInput;
    result = stepBack(steps[index], taken[index], taken[index + 1], result, slopes[index] ?? null, isNeeded);
  }
  return result;
}

/** An activation's own slope, by what it gave. @type {Record<string, (value: number) => number>} */
const BENDS = {
  relu: (value) => (value > 0 ? 1 : 0),
  tanh: (value) => 1 - value * value,
  sigmoid: (value) => value * (1 - value),
};

/** @param {Step} step @param {Maps} inputs @param {Maps} outputs @param {Float32Array} slope @param {Slopes | null} slopes @param {boolean} isNeeded */
function stepBack(step, inputs, outputs, slope, slopes, isNeeded) {
  if (step.op === "flatten") return slope;
  const bend = BENDS[step.op];
  if (bend) return slope.map((value, place) => value * bend(outputs.values[place]));
  if (step.op === "pool") return poolBack(step.window, inputs, outputs, slope);
  if (step.op === "conv") return convolveBack(step, inputs, slope, slopes, isNeeded);
  return denseBack(step, inputs.values, slope, slopes, isNeeded);
}

/** Only the largest of a window counted: of equal ones the first. @param {number} window @param {Maps} inputs @param {Maps} outputs @param {Float32Array} slope */
function poolBack(window, { shape: [channels, height, width], values }, outputs, slope) {
  const [, rows, columns] = outputs.shape;
  const result = new Float32Array(values.length);
  for (let place = 0; place < channels * rows * columns; place += 1) {
    if (!slope[place]) continue;
    const channel = Math.floor(place / (rows * columns));
    const top = Math.floor((place % (rows * columns)) / columns) * window;
    const corner = (channel * height + top) * width + (place % columns) * window;
    let largest = corner;
    for (let index = 1; index < window * window; index += 1) {
      const next = corner + Math.floor(index / window) * width + (index % window);
      if (values[next] > values[largest]) largest = next;
    }
    result[largest] += slope[place];
  }
  return result;
}

/** @param {Step} step @param {Float32Array} values @param {Float32Array} slope @param {Slopes | null} slopes @param {boolean} isNeeded */
function denseBack({ weight }, values, slope, slopes, isNeeded) {
  const count = values.length;
  const places = slopes ? findInk(values) : new Uint32Array();
  const result = new Float32Array(isNeeded ? count : 0);
  for (let row = 0; row < slope.length; row += 1) {
    const amount = slope[row];
    if (!amount) continue;
    const first = row * count;
    if (isNeeded) for (let index = 0; index < count; index += 1) result[index] += amount * weight.values[first + index];
    if (!slopes) continue;
    slopes.bias[row] += amount;
    const into = slopes.weight;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index];
      into[first + place] += amount * values[place];
    }
  }
  return result;
}

/** @param {Step} step @param {Maps} inputs @param {Float32Array} slope @param {Slopes | null} slopes @param {boolean} isNeeded */
function convolveBack(step, { shape, values }, slope, slopes, isNeeded) {
  const sizes = measure(step, shape);
  const { count, places, size } = sizes;
  const kernels = count / step.groups;
  const windows = new Float32Array(size * places);
  const result = new Float32Array(isNeeded ? values.length : 0);
  for (let group = 0; group < step.groups; group += 1) {
    const first = group * kernels;
    if (slopes) {
      cutColumns(step, sizes, values, group, windows);
      for (let kernel = first; kernel < first + kernels; kernel += 1) {
        addSlopes(slopes, kernel, slope.subarray(kernel * places, (kernel + 1) * places), windows);
      }
    }
    if (!isNeeded) continue;
    const maps = slope.subarray(first * places, (first + kernels) * places);
    const across = new Float32Array(kernels);
    for (let index = 0; index < size; index += 1) {
      for (let kernel = 0; kernel < kernels; kernel += 1) across[kernel] = step.weight.values[(first + kernel) * size + index];
      addColumns(windows.subarray(index * places, (index + 1) * places).fill(0), maps, across);
    }
    walkColumns(step, sizes, group, (from, stride, to, length) => {
      for (let index = 0; index < length; index += 1) result[from + index * stride] += windows[to + index];
    });
  }
  return result;
}

/** A kernel's number counts at every place of the map. @param {Slopes} slopes @param {number} kernel @param {Float32Array} map the map's slopes @param {Float32Array} windows */
function addSlopes({ weight, bias }, kernel, map, windows) {
  const { length } = map;
  const size = windows.length / length;
  let sum = 0;
  for (let place = 0; place < length; place += 1) sum += map[place];
  bias[kernel] += sum;
  for (let index = 0; index < size; index += 1) {
    let total = 0;
    for (let place = 0, from = index * length; place < length; place += 1, from += 1) total += map[place] * windows[from];
    weight[kernel * size + index] += total;
  }
}
