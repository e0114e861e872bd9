// Small pictures without a cursor: a pixel of the canvas for each number.

/** @type {WeakMap<HTMLCanvasElement, {image: ImageData, words: Uint32Array}>} kept from one painting to the next */
const images = new WeakMap();

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function prepare(canvas, width, height) {
  const known = images.get(canvas);
  if (known && known.image.width === width && known.image.height === height) return known;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const made = { image, words: new Uint32Array(image.data.buffer) };
  images.set(canvas, made);
  return made;
}

/**
 * Paint bytes that are colours of a table.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} bytes row after row
 * @param {number} width
 * @param {Uint32Array} table
 */
export function paintShades(canvas, bytes, width, table) {
  const { image, words } = prepare(canvas, width, bytes.length / width);
  for (let index = 0; index < bytes.length; index += 1) words[index] = table[bytes[index]];
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** @param {string} text */
export function fromBase64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = letters.charCodeAt(place);
  return bytes;
}

/** A colour as `ImageData` holds it. @param {[number, number, number]} rgb */
export const toWord = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row after row
 * @param {number} width
 * @param {import("./ramps.js").Ramp} ramp
 */
export function paintPixels(canvas, values, width, ramp) {
  const { image, words } = prepare(canvas, width, Math.max(1, Math.ceil(values.length / width)));
  for (let index = 0; index < values.length; index += 1) {
    words[index] = toWord(ramp(values[index]));
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
