// One layer looked into: a number of it, its kernels, an edited kernel.

import { Problem } from "../core/problem.js";
import { convolve, runStep, runSteps } from "./network.js";

/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./network.js").Maps} Maps */

export const SIDE = 28;
const CLOSE = 1e-5; // of what is added up: numbers in another order differ by less

/** @param {Maps} maps lists within lists */
export function nest({ shape, values }) {
  if (shape.length === 1) return Array.from(values);
  const [count, rows, columns] = shape;
  return Array.from({ length: count }, (_, map) => nestRows(values, map * rows, rows, columns));
}

/** @param {ArrayLike<number>} values @param {number} first row @param {number} rows @param {number} columns */
export const nestRows = (values, first, rows, columns) =>
  Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => values[(first + row) * columns + column]),
  );

/** Four figures, as Python's "%.4g" writes them. @param {number} value */
export function formatFour(value) {
  if (!value) return "0";
  const [digits, power] = value.toExponential(3).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 4) return String(Number(value.toFixed(3 - exponent)));
  const sign = exponent < 0 ? "-" : "+";
  return `${Number(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** @param {Network} network @param {number} number */
function findLayer(network, number) {
  const layer = network.layers[number - 1];
  if (layer) return layer;
  throw unknown(`there is no layer ${number} in ${network.name}`);
}

/** @param {string} detail */
export const unknown = (detail) => new Problem({ type: "urn:digitlens:unknown", status: 404, detail });

/** What a layer takes in. @param {Network} network @param {import("./network.js").Layer} layer @param {Maps[]} maps @param {Uint8Array} pixels @returns {Maps} */
export function takeInputs(network, layer, maps, pixels) {
  const before = network.layers[layer.number - 2];
  return before ? maps[before.output] : { shape: [1, SIDE, SIDE], values: Float32Array.from(pixels) };
}

/**
 * How one number of a layer comes about, as /v1/explain/cell tells it.
 * @param {Network} network @param {Uint8Array} pixels
 * @param {{layer: number, map: number, row?: number, column?: number}} place
 */
export function describeCell(network, pixels, { layer: number, map, row = 0, column = 0 }) {
  const layer = findLayer(network, number);
  const maps = runSteps(network, pixels);
  const inputs = takeInputs(network, layer, maps, pixels);
  const [sums, outputs] = [maps[layer.sums], maps[layer.output]];
  const [count, rows = 1, columns = 1] = outputs.shape;
  if (map >= count || row >= rows || column >= columns) {
    throw new Problem({ status: 400, detail: `${layer.name} has no such number` });
  }
  const index = (map * rows + row) * columns + column;
  const [before, value] = [sums.values[index], outputs.values[index]];
  const step = network.steps[layer.sums];
  const common = { layer: number, map, row, column, before, value, activation: layer.activation };
  const none = { kernel: null, products: null, sum: null, bias: null, rest: null };
  if (layer.kind === "pooling") {
    const cut = cutWindow(layer, inputs, map, 1, row, column);
    const size = `${layer.window} x ${layer.window}`;
    const words = `the largest number of the ${size} window, ${formatFour(value)}, is passed on; the others are dropped`;
    return { ...common, ...none, ...cut, words };
  }
  const { weight, bias } = step;
  const size = weight.values.length / count;
  const kernel = weight.values.subarray(map * size, (map + 1) * size);
  const taken = layer.kind === "dense" ? 0 : weight.shape[1];
  const first = taken && Math.floor((map * layer.groups) / count) * taken;
  const cut = taken
    ? cutWindow(layer, inputs, first, taken, row, column)
    : { top: null, left: null, window: Array.from(inputs.values) };
  const window = cut.window.flat(2);
  const products = window.map((item, place) => item * kernel[place]);
  const sum = products.reduce((total, item) => total + item, 0);
  const added = before - sum - bias.values[map];
  const all = products.reduce((total, item) => total + Math.abs(item), 0);
  const rest = Math.abs(added) < CLOSE * all + 1e-6 ? 0 : added;
  const shape = (/** @type {ArrayLike<number>} */ values) =>
    taken ? nest({ shape: [taken, layer.window, layer.window], values: Float32Array.from(values) }) : Array.from(values);
  let words = `${products.length} products sum to ${formatFour(sum)}; with the bias ${formatFour(bias.values[map])}`;
  words += `${rest ? ` and ${formatFour(rest)} from elsewhere` : ""} that is ${formatFour(before)}`;
  if (layer.activation) words += `; ${layer.activation} makes it ${formatFour(value)}`;
  return {
    ...common,
    ...cut,
    kernel: shape(kernel),
    products: shape(products),
    sum,
    bias: bias.values[map],
    rest,
    words,
  };
}

/** The part of some channels that one number sees; over the edge there is paper. @param {import("./network.js").Layer} layer @param {Maps} inputs @param {number} first @param {number} count @param {number} row @param {number} column */
export function cutWindow({ window: size, stride, padding }, { shape, values }, first, count, row, column) {
  const [, height, width] = shape;
  const [top, left] = [row * stride - padding, column * stride - padding];
  const window = Array.from({ length: count }, (_, channel) =>
    Array.from({ length: size }, (_unused, down) =>
      Array.from({ length: size }, (_none, right) => {
        const [y, x] = [top + down, left + right];
        if (y < 0 || y >= height || x < 0 || x >= width) return 0;
        return values[((first + channel) * height + y) * width + x];
      }),
    ),
  );
  return { top, left, window };
}

/** A layer's kernels, or one of them, as /v1/networks/NAME/layers/NUMBER tells them. @param {Network} network @param {number} number @param {number | undefined} index */
export function describeKernels(network, number, index) {
  const layer = findLayer(network, number);
  const { weight, bias } = network.steps[layer.sums];
  const about = { name: layer.name, about: layer.about.split(": ").at(-1) };
  if (!weight) return { layer: about, kernels: [], biases: [], first: 0, count: 0 };
  const [count, ...shape] = weight.shape;
  if (index !== undefined && !(index < count)) throw unknown(`${layer.name} has no kernel ${index}`);
  const size = weight.values.length / count;
  const [first, end] = index === undefined ? [0, count] : [index, index + 1];
  const kernels = Array.from({ length: end - first }, (_, place) =>
    nest({ shape, values: weight.values.subarray((first + place) * size, (first + place + 1) * size) }),
  );
  return { layer: about, kernels, biases: Array.from(bias.values.subarray(first, end)), first, count };
}

/** The map of an edited kernel, as /v1/explain/kernel tells it. @param {Network} network @param {Uint8Array} pixels @param {Api.KernelEdit} edit */
export function applyKernel(network, pixels, edit) {
  const layer = findLayer(network, edit.layer ?? 1);
  const inputs = takeInputs(network, layer, runSteps(network, pixels), pixels);
  const { kernel, bias = 0 } = edit;
  const [stride, padding] = [edit.stride ?? layer.stride, edit.padding ?? layer.padding];
  const [high, wide] = [kernel[0].length, kernel[0][0].length];
  const [, height, width] = inputs.shape;
  if (high > height + 2 * padding || wide > width + 2 * padding) {
    throw new Problem({
      status: 400,
      detail: "a kernel must fit into what it sees",
      seen: `${high} pixels in ${height} + 2 x ${padding}`,
      try: "a smaller kernel, or more padding",
    });
  }
  const sums = convolve(
    {
      weight: { shape: [1, kernel.length, high, wide], values: Float32Array.from(kernel.flat(2)) },
      bias: { shape: [1], values: Float32Array.of(bias) },
      stride: [stride, stride],
      padding: [padding, padding],
      groups: 1,
    },
    inputs,
  );
  const [, rows, columns] = sums.shape;
  const before = nestRows(sums.values, 0, rows, columns);
  const explainSide = (/** @type {number} */ side, /** @type {number} */ size, /** @type {number} */ result) => {
    const isExact = (side + 2 * padding - size) % stride === 0;
    return `(${side} + 2 x ${padding} - ${size}) / ${stride} + 1 = ${result}${isExact ? "" : ", rounded down"}`;
  };
  return {
    height: rows,
    width: columns,
    arithmetic: { height: explainSide(height, high, rows), width: explainSide(width, wide, columns) },
    before,
    map: nest(layer.activation ? runStep(network.steps[layer.output], sums) : sums)[0],
  };
}
