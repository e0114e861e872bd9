// A network that was trained in this browser, on the digits that come with the page: its mistakes
// and its map, which of published networks Python has measured.

import { runAll } from "./backward.js";
import { softmax } from "./network.js";

/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./digits.js").Digits} Digits */
/** @typedef {import("./network.js").Maps} Maps */
/** @typedef {Record<string, number>} Counts digits of each part, in their order */

const Z = 1.96; // of a 95 % interval
const CLASSES = 10;
const SIDE = 28;
const TURNS = 200; // of the power iteration: the directions stand still long before
const HELD = 0.2; // of the generated digits, as in training

/** Wilson's interval. @param {number} right @param {number} count @returns {[number, number]} */
function findInterval(right, count) {
  const share = right / count;
  const middle = share + (Z * Z) / (2 * count);
  const reach = Z * Math.sqrt((share * (1 - share)) / count + (Z * Z) / (4 * count * count));
  const below = 1 + (Z * Z) / count;
  return [Math.max(0, (middle - reach) / below), Math.min(1, (middle + reach) / below)];
}

/** What /v1/mistakes tells, with the answers one by one. @param {Network} network @param {Digits} digits @param {number} first @param {number} count @param {string} source */
function measurePart(network, { pixels, labels }, first, count, source) {
  const confusion = Array.from({ length: CLASSES }, () => Array(CLASSES).fill(0));
  const confidences = [];
  let answers = "";
  for (let index = first; index < first + count; index += 1) {
    const maps = runAll(network.steps, asMaps(pixels[index]));
    const shares = softmax(maps[maps.length - 1].values.subarray(0, CLASSES));
    const answer = shares.indexOf(Math.max(...shares));
    confusion[labels[index]][answer] += 1;
    answers += answer;
    confidences.push(Math.round(1e9 * shares[answer]));
  }
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((total, number) => total + number, 0);
  const right = sum(confusion.map((row, digit) => row[digit]));
  const none = { wrong: null, unsure: null, refused: null };
  const per_class = confusion.map((row, digit) => {
    const [size, answered] = [sum(row), sum(confusion.map((other) => other[digit]))];
    const precision = answered ? row[digit] / answered : null;
    return { digit, count: size, misses: size - row[digit], answered, ...none, recall: size ? row[digit] / size : null, precision };
  });
  const misses = count - right;
  const interval = findInterval(right, count);
  const words = `${network.name} on ${source}\n  misses       ${misses} of ${count}`;
  const figures = { model: network.name, source, count, misses, accuracy: right / count, interval, decisions: null, per_class, confusion, words };
  return { figures, answers, confidences };
}

/** @param {Uint8Array} pixels @returns {Maps} */
const asMaps = (pixels) => ({ shape: [1, SIDE, SIDE], values: Float32Array.from(pixels) });

/** What each part of the digits is to a run. @param {Run} run @param {string} data @param {Counts} counts @returns {Api.PartUse[]} */
function describeParts(run, data, counts) {
  const words = `not trained on: ${run.name} learned from ${run.wish.data}`;
  const parts = /** @type {[Api.PartUse["part"], number][]} */ (Object.entries(counts));
  return parts.map(([part, count]) => {
    if (part === "test") return { part, count, seen: "no", words: "never trained on" };
    if (run.wish.data !== data) return { part, count, seen: "no", words };
    if (part === "validation") return { part, count, seen: "no", words: "held back from training; the epoch was chosen by it" };
    if (run.digits >= count) return { part, count, seen: "all", words: "seen in training" };
    return { part, count, seen: "some", words: `${run.digits.toLocaleString("en")} of them were trained on` };
  });
}

/**
 * The mistakes of a run, in the form of mistakes.json.
 * @param {Run} run @param {Network} network @param {Digits} digits @param {string} data @param {Counts} known parts and their sizes
 */
export function measureRun(run, network, digits, data, known) {
  // The generated digits are one part, unless this run has learned from most of them.
  const held = Math.round(HELD * digits.labels.length);
  const isOwn = data === "generated" && run.wish.data === data;
  const counts = isOwn ? { train: digits.labels.length - held, validation: held } : known;
  /** @type {Record<string, ReturnType<typeof measurePart>>} */
  const measured = {};
  let first = 0;
  for (const [part, count] of Object.entries(counts)) {
    measured[part] = measurePart(network, digits, first, count, `${data} ${part}`);
    first += count;
  }
  const parts = { network: run.name, data, parts: describeParts(run, data, counts), opened: run.openings?.[data] ?? 0 };
  return { parts, measured };
}

/** The two directions in which vectors differ most, by the power iteration; unit length. @param {Float64Array[]} vectors about their mean */
function findAxes(vectors) {
  const size = vectors[0].length;
  /** @type {Float64Array[]} */
  const axes = [];
  while (axes.length < 2) {
    let axis = Float64Array.from({ length: size }, (_, index) => Math.sin(index * (axes.length + 1) + 1));
    for (let turn = 0; turn < TURNS; turn += 1) {
      const next = new Float64Array(size);
      for (const vector of vectors) {
        const along = dot(vector, axis);
        for (let index = 0; index < size; index += 1) next[index] += along * vector[index];
      }
      for (const other of axes) {
        const along = dot(next, other);
        for (let index = 0; index < size; index += 1) next[index] -= along * other[index];
      }
      const length = Math.sqrt(dot(next, next)) || 1;
      axis = next.map((value) => value / length);
    }
    const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    axes.push(axis.map((value) => value * Math.sign(largest || 1)));
  }
  return axes;
}

/** @param {Float64Array} one @param {Float64Array} other */
function dot(one, other) {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += one[index] * other[index];
  return sum;
}

/** What /v1/map tells: digits in the space of the last hidden layer. @param {Network} network @param {Digits} digits @param {number} first @param {number} count @param {string} source */
export function drawMap(network, { pixels, labels }, first, count, source) {
  const layer = network.layers.length - 1;
  const places = Array.from({ length: count }, (_, index) => first + index);
  const all = places.map((place) => runAll(network.steps, asMaps(pixels[place])));
  // `runAll` begins with the pixels: a step's values stand one further.
  const hidden = layer ? network.layers[layer - 1].output + 1 : 0;
  const values = all.map((maps) => Float64Array.from(maps[hidden].values));
  const mean = values[0].map((_, index) => values.reduce((sum, vector) => sum + vector[index], 0) / count);
  const vectors = values.map((vector) => vector.map((value, index) => value - mean[index]));
  const axes = findAxes(vectors);
  const points = vectors.map((vector) => axes.map((axis) => dot(vector, axis)));
  const spread = (/** @type {number[] | Float64Array} */ point) => Array.from(point).reduce((sum, value) => sum + value * value, 0);
  const total = vectors.reduce((sum, vector) => sum + spread(vector), 0);
  return {
    network: network.name,
    source,
    layer,
    share: points.reduce((sum, point) => sum + spread(point), 0) / Math.max(total, 1e-12),
    mean: Array.from(mean),
    components: axes.map((axis) => Array.from(axis)),
    points,
    labels: places.map((place) => labels[place]),
    answers: all.map((maps) => {
      const outputs = Array.from(maps[maps.length - 1].values.subarray(0, CLASSES));
      return outputs.indexOf(Math.max(...outputs));
    }),
    index: places.map((place) => place - first),
  };
}
