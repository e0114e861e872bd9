// A drawing -> MNIST's frame: what digitlens.imaging.frame_drawing does, step by step.

import { countDigits } from "./components.js";
import * as scale from "./scale.js";

/** @typedef {import("./scale.js").Gray} Gray */
/** @typedef {{height: number, width: number, bytes: Uint8Array}} Picture 0 = black, 255 = white */
/** @typedef {{name: string, about: string, picture: Picture}} Step */

/**
 * @typedef {object} Framing
 * @property {Uint8Array} digit 28 x 28; 0 = paper, 255 = ink
 * @property {() => Step[]} listSteps
 * @property {[number, number, number, number]} box left, top, right, bottom of the ink
 * @property {number} count how many digits the drawing looks like
 */

const WHITE = 255;
const SIDE = 28;
const BOX_SIDE = 20;
const CENTER = 14;
const BOX_EDGE = 64; // ink where the box begins
const MIN_CONTRAST = 12;
const FINE_SIDE = 120; // the digit's longer side where stroke widths are changed
const [MIN_STROKE, THIN_TARGET] = [1.5, 2.8];
const [MAX_STROKE, THICK_TARGET] = [4.5, 4.0];

/** Black ink on white paper, all of it one digit; null of bare paper. @param {Picture} picture @returns {Framing | null} */
export function frameDrawing(picture) {
  const { height, width, bytes } = picture;
  let least = WHITE;
  for (let place = 0; place < bytes.length; place += 1) if (bytes[place] < least) least = bytes[place];
  const contrast = WHITE - least;
  if (contrast < MIN_CONTRAST) return null;
  const factor = Math.fround(WHITE / contrast);
  const values = new Float32Array(bytes.length);
  for (let place = 0; place < bytes.length; place += 1) values[place] = (WHITE - bytes[place]) * factor;
  const ink = { height, width, values };
  const box = scale.findBox(ink, BOX_EDGE);
  if (!box) return null;
  const { x0, y0, x1, y1 } = box;
  const fitted = fitToFrame(ink);
  const digit = centerByMass(fitted.box);
  const listSteps = () => {
    const paper = { height, width, bytes: new Uint8Array(bytes.length).fill(WHITE) };
    const framed = { height: SIDE, width: SIDE, bytes: digit };
    const seen = toBytes(ink);
    return [
      { name: "opened", about: `${width} x ${height} pixels, grey`, picture },
      { name: "paper", about: "white, as it was drawn on", picture: paper },
      { name: "ink", about: `full ink is ${contrast} from the paper`, picture: seen },
      { name: "marks", about: `all of the drawing, ${x1 - x0} x ${y1 - y0} pixels`, picture: seen },
      { name: "box", about: fitted.about, picture: fitted.box },
      { name: "digit", about: "its centre of mass in the middle of 28 x 28", picture: framed },
    ];
  };
  return { digit, listSteps, box: [x0, y0, x1, y1], count: countDigits(ink) };
}

/** @param {Gray} gray @returns {Picture} */
function toBytes({ height, width, values }) {
  const bytes = new Uint8ClampedArray(values); // which rounds as Python does
  return { height, width, bytes: new Uint8Array(bytes.buffer) };
}

/** Scaled until the longer side is 20, and strokes of a pen. @param {Gray} ink */
function fitToFrame(ink) {
  const digit = scale.crop(ink, BOX_EDGE);
  const side = Math.max(digit.height, digit.width);
  const width = (strokeWidth(digit) * BOX_SIDE) / side;
  let about = `strokes ${width.toFixed(1)} pixels wide`;
  let box;
  if (side === BOX_SIDE && width >= MIN_STROKE) box = toBytes(digit);
  else {
    let { fine, unit } = enlarge(digit);
    if (width < MIN_STROKE) {
      const radius = ((THIN_TARGET - width) * unit) / 2;
      fine = scale.dilate(scale.pad(fine, Math.floor(radius) + 2), radius);
      about += `, made ${THIN_TARGET.toFixed(1)}`;
    } else if (width > MAX_STROKE) {
      fine = scale.erode(fine, ((width - THICK_TARGET) * unit) / 2);
      about += `, made ${THICK_TARGET.toFixed(1)}`;
    }
    box = shrink(fine);
  }
  return { box, about: `${box.width} x ${box.height} pixels, ${about}` };
}

/** Twice the area by the outline's length, the total variation. @param {Gray} ink */
export function strokeWidth(ink) {
  const { height, width, values: shares } = scale.pad(ink, 1);
  for (let place = 0; place < shares.length; place += 1) shares[place] /= 255;
  let [outline, area] = [0, 0];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const place = row * width + column;
      area += shares[place];
      if (row === height - 1 || column === width - 1) continue;
      const down = shares[place + width] - shares[place];
      const across = shares[place + 1] - shares[place];
      outline += Math.sqrt(down * down + across * across);
    }
  }
  return (2 * area) / Math.max(outline, 1e-6);
}

/** A smooth digit of 120 pixels or more, and how many make a pixel of the box. @param {Gray} digit */
function enlarge(digit) {
  const side = Math.max(digit.height, digit.width);
  const padded = scale.pad(digit, 2);
  if (side >= FINE_SIDE) return { fine: padded, unit: side / BOX_SIDE };
  const times = Math.ceil(FINE_SIDE / side);
  let fine = scale.enlargeCubic(padded, times);
  if (times > 1) fine = scale.blur(fine, 0.35 * times);
  const values = fine.values.map((value) => Math.min(255, Math.max(0, value)));
  return { fine: { ...fine, values }, unit: (side * times) / BOX_SIDE };
}

/** By area, as MNIST's own anti-aliasing did; the strokes reach full ink. @param {Gray} fine @returns {Picture} */
function shrink(fine) {
  const most = fine.values.reduce((largest, value) => Math.max(largest, value), 0);
  const digit = scale.crop(fine, Math.fround(0.4 * most));
  const share = BOX_SIDE / Math.max(digit.height, digit.width);
  const [height, width] = [digit.height, digit.width].map((length) =>
    Math.max(1, scale.roundEven(length * share)),
  );
  const small = scale.shrinkArea(digit, height, width);
  const full =
    height * width > 30 ? scale.percentile(small.values, 0.98) : Math.max(...small.values);
  const factor = Math.fround(255 / Math.max(full, 1));
  return toBytes({ ...small, values: small.values.map((value) => value * factor) });
}

/** @param {Picture} box @returns {Uint8Array} */
function centerByMass({ height, width, bytes }) {
  let [mass, down, across] = [0, 0, 0];
  bytes.forEach((value, place) => {
    mass += value;
    down += value * Math.floor(place / width);
    across += value * (place % width);
  });
  const start = (/** @type {number} */ moment, /** @type {number} */ length) =>
    Math.min(SIDE - length, Math.max(0, Math.floor(CENTER - moment / Math.max(mass, 1) + 0.5)));
  const [top, left] = [start(down, height), start(across, width)];
  const frame = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < height; row += 1) {
    frame.set(bytes.subarray(row * width, (row + 1) * width), (top + row) * SIDE + left);
  }
  return frame;
}
