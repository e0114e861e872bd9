// Pictures in and out: what a request brings, and pictures as addresses for the page.

import { Problem } from "../core/problem.js";

/** @typedef {import("./framing.js").Picture} Picture */

const SIDE = 28;
const HEADER = 1078; // bytes of a BMP file of 256 greys before its pixels

/** What only the server can do, and how it is had. @param {string} what @returns {Problem} */
export const needsServer = (what) =>
  new Problem({
    type: "urn:digitlens:needs-server",
    status: 501,
    detail: `${what} need digitlens on your machine`,
    try: "pip install 'digitlens[lab]', then “digitlens serve” opens this page with all of it.",
  });

/**
 * Return a drawing: the base64 of a grey PGM file, as the page makes it, or rows of numbers.
 * @param {string | number[][]} upload
 * @returns {Picture}
 */
export function decodePicture(upload) {
  if (typeof upload !== "string") {
    return { height: upload.length, width: upload[0].length, bytes: Uint8Array.from(upload.flat()) };
  }
  const letters = atob(upload);
  const file = new Uint8Array(letters.length);
  for (let place = 0; place < file.length; place += 1) file[place] = letters.charCodeAt(place);
  const head = /^P5 (\d+) (\d+) 255\n/.exec(String.fromCharCode(...file.subarray(0, 30)));
  if (!head) throw needsServer("photos");
  const [width, height] = head.slice(1).map(Number);
  return { height, width, bytes: file.subarray(head[0].length, head[0].length + width * height) };
}

/** @param {Picture} picture */
export const isFrame = ({ height, width }) => height === SIDE && width === SIDE;

/** A picture as an address: a BMP file, which needs no packing. @param {Picture} picture */
export function toAddress({ height, width, bytes }) {
  const stride = (width + 3) & ~3;
  const file = new Uint8Array(HEADER + stride * height);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  for (const [place, value] of [
    [2, file.length],
    [10, HEADER],
    [14, 40],
    [18, width],
    [22, height],
    [34, stride * height],
    [46, 256],
  ]) {
    view.setUint32(place, value, true);
  }
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  for (let grey = 0; grey < 256; grey += 1) view.setUint32(54 + 4 * grey, grey * 0x010101, true);
  for (let row = 0; row < height; row += 1) {
    file.set(bytes.subarray(row * width, (row + 1) * width), HEADER + (height - 1 - row) * stride);
  }
  const letters = Array.from(file, (byte) => String.fromCharCode(byte)).join("");
  return `data:image/bmp;base64,${btoa(letters)}`;
}
