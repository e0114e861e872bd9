// Numbers -> colours of the palette.

import { color } from "../core/theme.js";
import { toWord } from "./paint.js";

/** @typedef {(value: number) => [number, number, number]} Ramp */

/** @param {number[]} from @param {number[]} to @param {number} share */
const mix = (from, to, share) =>
  /** @type {[number, number, number]} */ (
    from.map((value, part) => Math.round(value + (to[part] - value) * share))
  );

const SHADES = 255; // between the ends of a ramp: as many as a screen shows

/** A ramp by a table: colours are asked for thousands of times a second while a digit is drawn. @param {number[]} paper @param {number[]} ink */
function makeTable(paper, ink) {
  return Array.from({ length: SHADES + 1 }, (_, shade) => mix(paper, ink, shade / SHADES));
}

/** From paper to ink. @param {number} max the value of full ink @returns {Ramp} */
export function makeInkRamp(max = 255) {
  const table = makeTable(color("digit-paper"), color("digit-ink"));
  const scale = SHADES / (max || 1);
  return (value) => table[Math.min(SHADES, Math.max(0, Math.round(value * scale)))];
}

/** Orange above zero, blue below, as in the plots. @param {number} max the size of the strongest @returns {Ramp} */
export function makeSignedRamp(max) {
  const paper = color("digit-paper");
  const [plus, minus] = [makeTable(paper, color("plus")), makeTable(paper, color("minus"))];
  const scale = SHADES / (max || 1);
  return (value) => (value < 0 ? minus : plus)[Math.min(SHADES, Math.round(Math.abs(value) * scale))];
}

/** @type {Map<string, Uint32Array>} by kind and colours */
const shades = new Map();

/** The colours of bytes as /v1/explain gives them with `shades`. @param {boolean} isSigned they are -127..127, else 0..255 */
export function makeShades(isSigned) {
  const key = `${isSigned} ${["digit-paper", "digit-ink", "plus", "minus"].map(color)}`;
  const ramp = isSigned ? makeSignedRamp(127) : makeInkRamp();
  const table = shades.get(key) ?? Uint32Array.from({ length: 256 }, (_, byte) => toWord(ramp(isSigned && byte > 127 ? byte - 256 : byte)));
  shades.set(key, table);
  return table;
}

/** The largest size among numbers. @param {Iterable<number>} values */
export function findStrongest(values) {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

/** @param {number} value */
const light = (value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};

/** White or black, whichever is read more easily on a colour. @param {[number, number, number]} rgb */
export const pickTextColor = ([red, green, blue]) =>
  0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue) < 0.179
    ? "#ffffff"
    : "#000000";
