// Numbers as a person reads them.

/** A share as per cent; never "100" of what is not whole. @param {number} share */
export function formatPercent(share) {
  if (share === 1) return "100 %";
  if (share > 0.9999) return "> 99.99 %";
  if (share < 0.0001) return "< 0.01 %";
  const digits = share > 0.99 || share < 0.1 ? 2 : 1;
  return `${(100 * share).toFixed(digits)} %`;
}

/** How sure a network is, as per cent: never wholly, whatever rounding made of it. @param {number} share */
export const formatConfidence = (share) => formatPercent(Math.min(share, 0.9999999));

/** A number in two to four figures, as short as can be. @param {number} value */
export function formatShort(value) {
  const size = Math.abs(value);
  if (!size) return "0";
  if (size < 5e-5) return "≈0";
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1).replace(/\.0$/, "");
  if (size >= 1) return value.toFixed(2).replace(/\.?0+$/, "");
  return value.toFixed(size >= 0.1 ? 3 : 4).replace("0.", ".");
}

/** A number in at most four signs, for a small field. @param {number} value */
export function formatBrief(value) {
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  if (size >= 10) return value.toFixed(0);
  if (size >= 1) return value.toFixed(1);
  return value.toFixed(2).replace("0.", ".");
}

/** @param {number} value */
export const formatCount = (value) => value.toLocaleString("en");

/** Ways to write a pixel. @type {Record<"bytes" | "share" | "bit", (value: number) => string>} */
export const PIXEL_FORMATS = {
  bytes: (value) => String(value),
  share: (value) => String(Math.round((100 * value) / 255) / 100).replace("0.", "."),
  bit: (value) => (value > 127 ? "1" : "0"),
};
