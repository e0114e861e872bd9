// Digits that come with the page, and what the networks make of them.

import { toAddress } from "./pictures.js";
import { roundEven } from "./scale.js";

/** @typedef {{pixels: Uint8Array[], labels: number[]}} Digits */

const SIDE = 28;
const SMALL = 8; // UCI's digits are 8 x 8, with values 0..16
const BOX = 20;

/** @param {Uint8Array} rows pixels and a label each @param {number} size of the pixels @param {(pixels: Uint8Array) => Uint8Array} [frame] @returns {Digits} */
export function readDigits(rows, size, frame = (pixels) => pixels) {
  const count = rows.length / (size + 1);
  const starts = Array.from({ length: count }, (_, index) => index * (size + 1));
  return {
    pixels: starts.map((start) => frame(rows.subarray(start, start + size))),
    labels: starts.map((start) => rows[start + size]),
  };
}

/** Keys' cubic curve, a = -1/2: a row of weights for each place of the box. */
const CUBIC = Array.from({ length: BOX }, (_, index) => {
  const place = ((index + 0.5) * SMALL) / BOX - 0.5;
  const weights = Array.from({ length: SMALL }, (_unused, source) => {
    const gap = Math.abs(place - source);
    if (gap < 1) return 1.5 * gap ** 3 - 2.5 * gap ** 2 + 1;
    return gap < 2 ? -0.5 * gap ** 3 + 2.5 * gap ** 2 - 4 * gap + 2 : 0;
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
});

/** Bring 8 x 8 pixels into MNIST's frame, as digitlens.data.uci.to_mnist does. @param {Uint8Array} small */
export function frameSmall(small) {
  const box = new Uint8Array(BOX * BOX);
  let [mass, down, across] = [0, 0, 0];
  const middle = CUBIC.map((weights) =>
    Array.from({ length: SMALL }, (_, column) =>
      weights.reduce((sum, weight, row) => sum + weight * small[row * SMALL + column] * (255 / 16), 0),
    ),
  );
  for (let row = 0; row < BOX; row += 1) {
    for (let column = 0; column < BOX; column += 1) {
      const value = CUBIC[column].reduce((sum, weight, place) => sum + weight * middle[row][place], 0);
      const byte = Math.min(255, Math.max(0, roundEven(value)));
      box[row * BOX + column] = byte;
      mass += byte;
      down += byte * (row + 0.5);
      across += byte * (column + 0.5);
    }
  }
  const start = (/** @type {number} */ moment) =>
    Math.min(SIDE - BOX, Math.max(0, roundEven(SIDE / 2 - moment / Math.max(mass, 1))));
  const [top, left] = [start(down), start(across)];
  const frame = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < BOX; row += 1) {
    frame.set(box.subarray(row * BOX, (row + 1) * BOX), (top + row) * SIDE + left);
  }
  return frame;
}

/**
 * The pictures of one cell of a confusion matrix, the surest first.
 * @param {Digits} digits @param {number} offset of the part among the digits
 * @param {{answers: string, confidences: number[]}} measured
 * @param {{truth: number, answer: number, first?: number, count?: number}} query
 */
export function listCell({ pixels, labels }, offset, { answers, confidences }, query) {
  const { truth, answer, first = 0, count = 50 } = query;
  const order = confidences
    .map((_, index) => index)
    .filter((index) => labels[offset + index] === truth && Number(answers[index]) === answer)
    .sort((a, b) => confidences[b] - confidences[a]);
  const pictures = order.slice(first, first + count).map((index) => ({
    index,
    confidence: confidences[index] / 1e9,
    picture: toAddress({ height: SIDE, width: SIDE, bytes: pixels[offset + index] }),
  }));
  return { truth, answer, count: order.length, pictures };
}

/** The digit from `start` on, of another class, whose pixels are nearest. @param {Digits} digits @param {number} start @param {Uint8Array} wanted @param {number} label */
export function findNearest({ pixels, labels }, start, wanted, label) {
  let [best, least] = [-1, Infinity];
  for (let index = start; index < pixels.length; index += 1) {
    if (labels[index] === label) continue;
    let sum = 0;
    for (let place = 0; place < wanted.length && sum < least; place += 1) {
      sum += (pixels[index][place] - wanted[place]) ** 2;
    }
    if (sum < least) [best, least] = [index, sum];
  }
  const picture = toAddress({ height: SIDE, width: SIDE, bytes: pixels[best] });
  const distance = Math.sqrt(least / wanted.length) / 255;
  return { source: "uci train", index: best - start, label: labels[best], distance, picture };
}
