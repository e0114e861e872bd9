// Numbers -> colours of the palette.

import { color } from "../core/theme.js";

/** @typedef {(value: number) => [number, number, number]} Ramp */

const mix = (from, to, share) =>
  /** @type {[number, number, number]} */ (
    from.map((value, part) => Math.round(value + (to[part] - value) * share))
  );

/** From paper to ink. @param {number} max the value of full ink @returns {Ramp} */
export function makeInkRamp(max = 255) {
  const [paper, ink] = [color("digit-paper"), color("digit-ink")];
  return (value) => mix(paper, ink, Math.min(1, Math.max(0, value / (max || 1))));
}

/** Orange above zero, blue below, as in the plots. @param {number} max the size of the strongest @returns {Ramp} */
export function makeSignedRamp(max) {
  const [paper, plus, minus] = [color("digit-paper"), color("plus"), color("minus")];
  return (value) =>
    mix(paper, value < 0 ? minus : plus, Math.min(1, Math.abs(value) / (max || 1)));
}

/** The largest size among numbers. @param {Iterable<number>} values */
export function findStrongest(values) {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

const light = (value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};

/** White or black, whichever is read more easily on a colour. @param {[number, number, number]} rgb */
export const pickTextColor = ([red, green, blue]) =>
  0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue) < 0.179
    ? "#ffffff"
    : "#000000";
