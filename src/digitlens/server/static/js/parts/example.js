// A page of numbers to try reading on: digits by many hands, laid out anew each time.

import { get } from "../core/api.js";
import { paintPixels } from "./paint.js";

const SIDE = 28;
const LARGER = 2; // times: as digits are on a scan
const STEP = 48; // pixels from one digit to the next
const [WIDE, HIGH] = [720, 460];
/** Where numbers begin, and how many digits they have. */
const PLACES = [
  [56, 50, 5],
  [430, 64, 4],
  [84, 176, 7],
  [500, 190, 3],
  [60, 312, 2],
  [300, 320, 6],
];

const MANY = 1_000_000; // more than any set of digits has

/** A digit that somebody wrote, light on dark. */
async function takeDigit() {
  const { pixels } = await get("/v1/sample", { index: Math.floor(MANY * Math.random()) });
  const sheet = document.createElement("canvas");
  paintPixels(sheet, pixels.flat(), SIDE, (value) => [value, value, value]);
  return sheet;
}

/** Return such a page as a PNG file. @returns {Promise<Blob>} */
export async function makeExample() {
  const total = PLACES.reduce((sum, [, , length]) => sum + length, 0);
  const digits = await Promise.all(Array.from({ length: total }, takeDigit));
  const sheet = new OffscreenCanvas(WIDE, HIGH);
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.getContext("2d"));
  // Ink is light on dark in these pictures: they are added up, and the page turned over.
  brush.fillStyle = "#000";
  brush.fillRect(0, 0, WIDE, HIGH);
  brush.globalCompositeOperation = "lighten";
  brush.imageSmoothingQuality = "high";
  for (const [left, top, count] of PLACES) {
    for (let index = 0; index < count; index += 1) {
      const higher = Math.round(6 * Math.random());
      const size = SIDE * LARGER;
      const picture = digits.pop();
      if (picture) brush.drawImage(picture, left + index * STEP, top - higher, size, size);
    }
  }
  brush.globalCompositeOperation = "difference";
  brush.fillStyle = "#f4f2ec";
  brush.fillRect(0, 0, WIDE, HIGH);
  return sheet.convertToBlob({ type: "image/png" });
}
