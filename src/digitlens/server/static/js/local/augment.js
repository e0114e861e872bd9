// Digits changed at random in training, as digitlens.training.distort does it: by the same words.

import { Problem } from "../core/problem.js";

const SIDE = 28;
const CENTRE = (SIDE - 1) / 2;
const KNOTS = 7; // the elastic field is drawn on so many points a side and interpolated between them
const [SHARP, SOFT] = [-0.5, -0.75]; // Keys' cubic curve for pixels; for the field as torch has it

/** Degrees, shares and pixels, as in digitlens.models.recipe. */
const NONE = { translate: 0, rotate: 0, scale: 0, shear: 0, elastic: 0 };
/** @typedef {typeof NONE} Amounts */
/** @type {Record<string, Amounts>} */
const AUGMENTATIONS = {
  none: NONE,
  light: { translate: 2, rotate: 8, scale: 0.08, shear: 0.1, elastic: 0 },
  strong: { translate: 2, rotate: 12, scale: 0.12, shear: 0.15, elastic: 0.4 },
};

/** How much digits are changed; null where they are not. @param {string | null} [name] */
export function findAmounts(name) {
  const amounts = AUGMENTATIONS[name || "none"];
  if (!amounts) throw new Problem({ status: 400, detail: `“${name}” is no augmentation`, seen: `known: ${Object.keys(AUGMENTATIONS).join(", ")}` });
  return amounts === NONE ? null : amounts;
}

/** Weights of the numbers at -1, 0, 1 and 2. @param {number} place in 0..1 @param {number} slope of the cubic curve at 1 */
function weigh(place, slope) {
  const near = (/** @type {number} */ gap) => ((slope + 2) * gap - (slope + 3)) * gap * gap + 1;
  const far = (/** @type {number} */ gap) => ((slope * gap - 5 * slope) * gap + 8 * slope) * gap - 4 * slope;
  return [far(place + 1), near(place), near(1 - place), far(2 - place)];
}

/** The field at each of 28 places a side: which knots, and how much of each. */
const FIELD = Array.from({ length: SIDE }, (_, index) => {
  const place = (index * (KNOTS - 1)) / (SIDE - 1);
  const corner = Math.floor(place);
  return weigh(place - corner, SOFT).map((weight, step) => ({ weight, knot: Math.min(KNOTS - 1, Math.max(0, corner + step - 1)) }));
});

/**
 * Where each pixel comes from: column and row, one pair after the other.
 * @param {Amounts} amounts @param {number[]} draws six numbers of -1..1: rotation, width, height, shear, across, down
 * @param {ArrayLike<number>} knots normal numbers, 2 x 7 x 7
 */
export function findSources({ rotate, scale, shear, translate, elastic }, draws, knots) {
  const [turn, width, height, slant, across, down] = draws;
  const angle = (turn * rotate * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const [wide, high, sheared] = [1 + width * scale, 1 + height * scale, slant * shear];
  const matrix = [cosine * wide, (cosine * sheared - sine) * high, sine * wide, (sine * sheared + cosine) * high];
  const sources = new Float32Array(2 * SIDE * SIDE);
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      const [x, y] = [column - CENTRE, row - CENTRE];
      const place = 2 * (row * SIDE + column);
      sources[place] = matrix[0] * x + matrix[1] * y + across * translate + CENTRE;
      sources[place + 1] = matrix[2] * x + matrix[3] * y + down * translate + CENTRE;
      if (!elastic) continue;
      for (const rows of FIELD[row]) {
        for (const columns of FIELD[column]) {
          const weight = rows.weight * columns.weight * elastic;
          const knot = rows.knot * KNOTS + columns.knot;
          sources[place] += weight * knots[knot];
          sources[place + 1] += weight * knots[KNOTS * KNOTS + knot];
        }
      }
    }
  }
  return sources;
}

/** A digit whose pixels come from elsewhere, between pixels by the cubic curve; outside is paper. @param {Uint8Array} pixels @param {Float32Array} sources */
export function deform(pixels, sources) {
  const result = new Uint8Array(SIDE * SIDE);
  for (let place = 0; place < result.length; place += 1) {
    const [x, y] = [sources[2 * place], sources[2 * place + 1]];
    const [left, top] = [Math.floor(x) - 1, Math.floor(y) - 1];
    const [columns, rows] = [weigh(x - left - 1, SHARP), weigh(y - top - 1, SHARP)];
    let sum = 0;
    for (let down = Math.max(0, -top); down < Math.min(4, SIDE - top); down += 1) {
      const first = (top + down) * SIDE + left;
      let part = 0;
      for (let right = Math.max(0, -left); right < Math.min(4, SIDE - left); right += 1) part += columns[right] * pixels[first + right];
      sum += rows[down] * part;
    }
    result[place] = Math.min(255, Math.max(0, sum + 0.5));
  }
  return result;
}

/** Draw what happens to one digit. @param {Uint8Array} pixels @param {Amounts} amounts @param {() => number} random */
export function augmentDigit(pixels, amounts, random) {
  const draws = Array.from({ length: 6 }, () => 2 * random() - 1);
  // Normal numbers, by Box and Muller.
  const draw = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const knots = amounts.elastic ? Float32Array.from({ length: 2 * KNOTS * KNOTS }, draw) : [];
  return deform(pixels, findSources(amounts, draws, knots));
}

/** Digits of which those of a batch are changed at random. @param {import("./digits.js").Digits} digits @param {number[]} batch @param {Amounts} amounts @param {() => number} random */
export function augmentBatch({ pixels, labels }, batch, amounts, random) {
  /** @type {Uint8Array[]} */
  const changed = [];
  for (const place of batch) changed[place] = augmentDigit(pixels[place], amounts, random);
  return { pixels: changed, labels };
}
