// Drawings as text that fits into an address: strokes as bytes, pixels run by run.

/** @typedef {{width: number, points: number[]}} Stroke width and x, y, x, y ... in 0..255 */

/** @param {number[]} bytes */
function toText(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
function toBytes(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Array.from(letters, (letter) => letter.charCodeAt(0));
}

/**
 * Each stroke becomes its width, its count of points (two bytes) and the points.
 * @param {Stroke[]} strokes
 */
export function strokesToText(strokes) {
  return toText(
    strokes.flatMap(({ width, points }) => {
      const count = points.length / 2;
      return [width, count >> 8, count & 255, ...points];
    }),
  );
}

/** @param {string} text @returns {Stroke[]} none of a text that is damaged */
export function strokesFromText(text) {
  const strokes = [];
  try {
    const bytes = toBytes(text);
    for (let index = 0; index + 3 <= bytes.length;) {
      const count = bytes[index + 1] * 256 + bytes[index + 2];
      const points = bytes.slice(index + 3, index + 3 + 2 * count);
      if (points.length < 2 * count || !count) return [];
      strokes.push({ width: Math.max(1, bytes[index]), points });
      index += 3 + 2 * count;
    }
  } catch {
    return [];
  }
  return strokes;
}

/**
 * Runs of paper become 0 and their length; any other pixel stands for itself.
 * @param {Uint8Array} pixels 784 of them
 */
export function pixelsToText(pixels) {
  const bytes = [];
  for (let index = 0; index < pixels.length;) {
    let run = 0;
    while (run < 255 && index + run < pixels.length && !pixels[index + run]) run += 1;
    bytes.push(pixels[index]);
    if (run) bytes.push(run);
    index += run || 1;
  }
  return toText(bytes);
}

/** @param {string} text @returns {Uint8Array | null} null of a text that is damaged */
export function pixelsFromText(text) {
  const pixels = new Uint8Array(784);
  let place = 0;
  try {
    const bytes = toBytes(text);
    for (let index = 0; index < bytes.length; index += 1) {
      if (bytes[index]) pixels[place] = bytes[index];
      place += bytes[index] ? 1 : bytes[++index];
    }
  } catch {
    return null;
  }
  return place === pixels.length ? pixels : null;
}
