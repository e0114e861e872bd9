// Kernels that everybody should have seen at work, and an edited kernel as text for the address.

/** In whole numbers, for ink 0..1; what they sum to is divided where a mean is meant. */
export const PRESETS = {
  "Sobel, horizontal edges": { kernel: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]] },
  "Sobel, vertical edges": { kernel: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] },
  "Prewitt, horizontal edges": { kernel: [[-1, -1, -1], [0, 0, 0], [1, 1, 1]] },
  "Prewitt, vertical edges": { kernel: [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]] },
  Laplace: { kernel: [[0, 1, 0], [1, -4, 1], [0, 1, 0]] },
  Emboss: { kernel: [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]] },
  Blur: { kernel: [[1, 2, 1], [2, 4, 2], [1, 2, 1]], divisor: 16 },
  Sharpen: { kernel: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]] },
};

/**
 * @typedef {object} Edit
 * @property {number} channel which channel the kernel is laid over
 * @property {boolean} alone whether all other channels count nothing; else they are the learned ones
 * @property {number} stride
 * @property {number} padding
 * @property {number} bias
 * @property {number} divisor
 * @property {number[][]} kernel
 */

const MAX_SIDE = 28;

/** "channel.alone.stride.padding_bias_divisor_row;row": an edited kernel as text. @param {Edit} edit */
export const kernelToText = ({ channel, alone, stride, padding, bias, divisor, kernel }) =>
  [
    [channel, Number(alone), stride, padding].join("."),
    bias,
    divisor,
    kernel.map((row) => row.map((value) => Number(value.toPrecision(4))).join(",")).join(";"),
  ].join("_");

/** @param {string} text @returns {Edit | null} null of a text that is damaged */
export function kernelFromText(text) {
  const [places = "", bias, divisor, rows = ""] = text.split("_");
  const [channel, alone, stride, padding] = places.split(".").map(Number);
  const kernel = rows.split(";").map((row) => row.split(",").map(Number));
  const numbers = [channel, alone, stride, padding, Number(bias), Number(divisor), ...kernel.flat()];
  const isSound =
    numbers.every(Number.isFinite) &&
    kernel.length <= MAX_SIDE &&
    kernel.every((row) => row.length === kernel.length) &&
    stride >= 1 &&
    padding >= 0 &&
    channel >= 0 &&
    Number(divisor) !== 0;
  if (!isSound) return null;
  return { channel, alone: Boolean(alone), stride, padding, bias: Number(bias), divisor: Number(divisor), kernel };
}
