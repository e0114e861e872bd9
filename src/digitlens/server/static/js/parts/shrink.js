// A photo made small enough to be sent: phones take pictures of twenty megabytes.

import { Problem } from "../core/problem.js";

const LARGEST = 4096; // pixels of the longer side: more are not needed to read
const LIGHT = 4_000_000; // bytes that are sent as they are
const QUALITY = 0.92;

/**
 * Return the picture, or a smaller one of it; a Problem is thrown of a HEIC file that the browser
 * cannot open, as the lab cannot either.
 * @param {File | Blob} file
 * @returns {Promise<Blob>}
 */
export async function shrinkPicture(file) {
  const isHeic = /hei[cf]/i.test(`${file.type} ${/** @type {File} */ (file).name ?? ""}`);
  if (file.size <= LIGHT && !isHeic) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    if (!isHeic) return file; // the lab says what is wrong with it
    throw new Problem({
      detail: "this is a HEIC picture, which this browser cannot open",
      try: "export it as JPEG; on an iPhone, Settings > Camera > Formats > Most Compatible takes JPEGs",
    });
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const sheet = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.getContext("2d"));
  brush.imageSmoothingQuality = "high";
  brush.drawImage(bitmap, 0, 0, sheet.width, sheet.height);
  return sheet.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}
