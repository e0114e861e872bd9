// A small picture -> its grey values.

import { SIDE } from "../ink/drawing.js";

/** Return the 784 grey values of a 28 x 28 picture. @param {string} address @returns {Promise<Uint8Array>} */
export async function readPixels(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const sheet = new OffscreenCanvas(SIDE, SIDE);
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (
    sheet.getContext("2d", { willReadFrequently: true })
  );
  brush.drawImage(image, 0, 0);
  const { data } = brush.getImageData(0, 0, SIDE, SIDE);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, index) => data[4 * index]);
}
