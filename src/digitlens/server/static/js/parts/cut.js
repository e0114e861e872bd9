// One digit cut out of a photo, upright: what is kept of a corrected one.

import { getBrush } from "../core/dom.js";

const MARGIN = 0.2; // of the box's longer side: paper around a digit, so that its ink is recognized
const LARGEST = 400; // pixels

/**
 * Return a digit as a picture: a data: address. The photo itself, which may be large, is not sent.
 * @param {HTMLImageElement} photo
 * @param {{width: number, height: number, turn: number}} read the answer of /v1/read
 * @param {number[]} box left, top, right, bottom in pixels as read
 */
export function cropDigit(photo, { width, height, turn }, [left, top, right, bottom]) {
  const margin = MARGIN * Math.max(right - left, bottom - top);
  const [x0, x1] = [Math.max(0, left - margin), Math.min(width, right + margin)];
  const [y0, y1] = [Math.max(0, top - margin), Math.min(height, bottom + margin)];
  const scale = photo.naturalWidth / width;
  const shrink = Math.min(scale, LARGEST / Math.max(x1 - x0, y1 - y0));
  const size = [Math.round((x1 - x0) * shrink), Math.round((y1 - y0) * shrink)];
  const quarter = Math.round(turn / 90);
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = quarter % 2 ? size.reverse() : size;
  const brush = getBrush(sheet);
  brush.imageSmoothingQuality = "high";
  brush.translate(sheet.width / 2, sheet.height / 2);
  brush.rotate((-quarter * Math.PI) / 2);
  brush.scale(shrink / scale, shrink / scale);
  brush.translate((-scale * (x0 + x1)) / 2, (-scale * (y0 + y1)) / 2);
  brush.drawImage(photo, 0, 0);
  return sheet.toDataURL("image/png");
}
