// A published network: its steps, run one after the other, and its answer.

import { readTensors } from "./tensors.js";

/** @typedef {import("./tensors.js").Tensor} Tensor */
/** @typedef {{shape: number[], values: Float32Array}} Maps (channels, rows, columns), or (values,) */

/**
 * @typedef {object} Step
 * @property {"conv" | "dense" | "pool" | "flatten" | "relu" | "tanh" | "sigmoid"} op
 * @property {Tensor} weight
 * @property {Tensor} bias
 * @property {[number, number]} stride
 * @property {[number, number]} padding
 * @property {number} groups
 * @property {number} window
 */

/** `sums`, `output`: of which steps. @typedef {Api.LayerSettings & {input: number, sums: number, output: number}} Layer */

/**
 * @typedef {object} Network
 * @property {string} name
 * @property {Step[]} steps
 * @property {Layer[]} layers
 * @property {Api.NetworkDetails["card"]} card
 * @property {number} threshold above which "no digit" rejects
 * @property {number} unsureAbove
 * @property {number} unsureBelow
 */

const CLASSES = 10;
const SIDE = 28;

/** @param {string} name @param {ArrayBuffer} file @returns {Network} */
export function readNetwork(name, file) {
  const { metadata, tensors } = readTensors(file);
  const read = (/** @type {string} */ key) => JSON.parse(metadata[key]);
  const steps = read("steps").map((/** @type {any} */ step) => ({
    ...step,
    weight: tensors.get(step.weight),
    bias: tensors.get(step.bias),
  }));
  return {
    name,
    steps,
    layers: read("layers"),
    card: read("card"),
    threshold: read("threshold"),
    unsureAbove: read("unsure_above"),
    unsureBelow: read("unsure_below"),
  };
}

/** What each step gives for one digit. @param {Network} network @param {Uint8Array} pixels @returns {Maps[]} */
export function runSteps({ steps }, pixels) {
  /** @type {Maps} */
  let maps = { shape: [1, SIDE, SIDE], values: Float32Array.from(pixels) };
  return steps.map((step) => (maps = runStep(step, maps)));
}

/** @param {Step} step @param {Maps} maps @returns {Maps} */
export function runStep(step, maps) {
  if (step.op === "conv") return convolve(step, maps);
  if (step.op === "dense") return { shape: [step.weight.shape[0]], values: multiply(step, maps.values) };
  if (step.op === "pool") return pool(step.window, maps);
  if (step.op === "flatten") return { shape: [maps.values.length], values: maps.values };
  return { shape: maps.shape, values: maps.values.map(ACTIVATIONS[step.op]) };
}

/** What follows a layer. @type {Record<string, (value: number) => number>} */
const ACTIVATIONS = {
  relu: (value) => Math.max(value, 0),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

/** @typedef {Pick<Step, "weight" | "bias" | "stride" | "padding" | "groups">} Convolution */

/** The sizes of a convolution. @param {Convolution} step @param {number[]} shape of what it takes in */
export function measure({ weight, stride, padding }, [channels, height, width]) {
  const [count, taken, high, wide] = weight.shape;
  const rows = Math.floor((height + 2 * padding[0] - high) / stride[0]) + 1;
  const columns = Math.floor((width + 2 * padding[1] - wide) / stride[1]) + 1;
  return { channels, height, width, count, high, wide, rows, columns, places: rows * columns, size: taken * high * wide };
}

/**
 * Walk over the columns that windows become: each run of them that lies within the input, with
 * the place of its first number there, the step from one to the next, and its place among columns.
 * @param {Convolution} step @param {ReturnType<typeof measure>} sizes @param {number} group
 * @param {(from: number, stride: number, to: number, count: number) => void} visit
 */
export function walkColumns({ stride, padding, groups }, sizes, group, visit) {
  const { channels, height, width, high, wide, rows, columns, places, size } = sizes;
  for (let index = 0; index < size; index += 1) {
    const channel = (group * channels) / groups + Math.floor(index / (high * wide));
    const down = (Math.floor(index / wide) % high) - padding[0];
    const right = (index % wide) - padding[1];
    const first = Math.max(0, Math.ceil(-right / stride[1]));
    const count = Math.min(columns, Math.floor((width - 1 - right) / stride[1]) + 1) - first;
    if (count <= 0) continue;
    for (let row = 0; row < rows; row += 1) {
      const y = row * stride[0] + down;
      if (y < 0 || y >= height) continue;
      const from = (channel * height + y) * width + right + first * stride[1];
      visit(from, stride[1], index * places + row * columns + first, count);
    }
  }
}

/** Each window of a group's input as a column; over the edge there is paper. @param {Convolution} step @param {ReturnType<typeof measure>} sizes @param {Float32Array} values @param {number} group @param {Float32Array} windows filled in */
export function cutColumns(step, sizes, values, group, windows) {
  windows.fill(0);
  walkColumns(step, sizes, group, (from, stride, to, count) => {
    for (let index = 0; index < count; index += 1) windows[to + index] = values[from + index * stride];
  });
}

/** A map is the kernel's numbers times the columns. @param {Convolution} step @param {Maps} maps @returns {Maps} */
export function convolve(step, { shape, values }) {
  const { weight, bias, groups } = step;
  const sizes = measure(step, shape);
  const { count, rows, columns, places, size } = sizes;
  const result = new Float32Array(count * places);
  const windows = new Float32Array(size * places);
  const kernels = count / groups;
  for (let group = 0; group < groups; group += 1) {
    cutColumns(step, sizes, values, group, windows);
    for (let kernel = group * kernels; kernel < (group + 1) * kernels; kernel += 1) {
      const map = result.subarray(kernel * places, (kernel + 1) * places).fill(bias.values[kernel]);
      addColumns(map, windows, weight.values.subarray(kernel * size, (kernel + 1) * size));
    }
  }
  return { shape: [count, rows, columns], values: result };
}

/** Four columns at a time: the sums are read and written a quarter as often. @param {Float32Array} map @param {Float32Array} windows @param {Float32Array} kernel */
export function addColumns(map, windows, kernel) {
  const { length } = map;
  let index = 0;
  for (; index + 4 <= kernel.length; index += 4) {
    const [a, b, c, d] = kernel.subarray(index, index + 4);
    const first = index * length;
    const [second, third, fourth] = [first + length, first + 2 * length, first + 3 * length];
    for (let place = 0; place < length; place += 1) {
      map[place] +=
        a * windows[first + place] +
        b * windows[second + place] +
        c * windows[third + place] +
        d * windows[fourth + place];
    }
  }
  for (; index < kernel.length; index += 1) {
    const first = index * length;
    for (let place = 0; place < length; place += 1) map[place] += kernel[index] * windows[first + place];
  }
}

/** Where numbers are that count: most pixels are paper, and many values 0. @param {Float32Array} values */
export function findInk(values) {
  const places = new Uint32Array(values.length);
  let count = 0;
  for (let place = 0; place < values.length; place += 1) if (values[place]) places[count++] = place;
  return places.subarray(0, count);
}

/** @param {Pick<Step, "weight" | "bias">} step @param {Float32Array} values */
function multiply({ weight, bias }, values) {
  const [count, taken] = weight.shape;
  const result = new Float32Array(count);
  const places = findInk(values);
  const { length } = places;
  for (let row = 0; row < count; row += 1) {
    const first = row * taken;
    let [sum, other, index] = [bias.values[row], 0, 0]; // two sums: a processor adds both at once
    for (; index + 1 < length; index += 2) {
      const [one, two] = [places[index], places[index + 1]];
      sum += weight.values[first + one] * values[one];
      other += weight.values[first + two] * values[two];
    }
    if (index < length) sum += weight.values[first + places[index]] * values[places[index]];
    result[row] = sum + other;
  }
  return result;
}

/** The largest of each window. @param {number} window @param {Maps} maps @returns {Maps} */
function pool(window, { shape: [channels, height, width], values }) {
  const [rows, columns] = [Math.floor(height / window), Math.floor(width / window)];
  const result = new Float32Array(channels * rows * columns).fill(-Infinity);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = 0; y < rows * window; y += 1) {
      for (let x = 0; x < columns * window; x += 1) {
        const place = (channel * rows + Math.floor(y / window)) * columns + Math.floor(x / window);
        result[place] = Math.max(result[place], values[(channel * height + y) * width + x]);
      }
    }
  }
  return { shape: [channels, rows, columns], values: result };
}

/** The ten logits: an eleventh output, for "no digit", is left out. @param {Network} network @param {Uint8Array} pixels */
export const logits = (network, pixels) =>
  Array.from(lastValues(runSteps(network, pixels)).subarray(0, CLASSES));

/** @param {Maps[]} maps */
const lastValues = (maps) => /** @type {Maps} */ (maps.at(-1)).values;

/** @param {ArrayLike<number>} values */
export function softmax(values) {
  const most = Math.max(...Array.from(values));
  const shares = Array.from(values, (value) => Math.exp(value - most));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** One network's answer, as /v1/predict tells it. @param {Network} network @param {Uint8Array} pixels @param {Maps[]} [maps] of the pixels, if known */
export function predict(network, pixels, maps = runSteps(network, pixels)) {
  const outputs = lastValues(maps);
  const probabilities = softmax(outputs.subarray(0, CLASSES));
  const likeliest = probabilities.indexOf(Math.max(...probabilities));
  const confidence = probabilities[likeliest];
  const noDigit = outputs.length > CLASSES ? softmax(outputs)[CLASSES] : null;
  const isRefused = noDigit !== null && noDigit > network.threshold;
  const isDoubtful =
    noDigit !== null && (noDigit > network.unsureAbove || confidence < network.unsureBelow);
  return {
    network: network.name,
    digit: isRefused ? null : likeliest,
    likeliest,
    confidence,
    probabilities,
    no_digit: noDigit,
    unsure: isDoubtful && !isRefused,
  };
}
