// A drawing on a canvas, in any size and any colours.

import { SIDE } from "./drawing.js";

/** @typedef {import("../core/store.js").Drawing} Drawing */

const SENT_SIDE = 140; // pixels: enough for a digit, and little to send

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Drawing} drawing
 * @param {number} side of the canvas in pixels
 * @param {[number, number, number]} paper
 * @param {[number, number, number]} ink
 */
export function renderDrawing(brush, drawing, side, paper, ink) {
  brush.fillStyle = `rgb(${paper})`;
  brush.fillRect(0, 0, side, side);
  if (drawing.base) {
    brush.imageSmoothingEnabled = true;
    brush.drawImage(picture(drawing.base, paper, ink), 0, 0, side, side);
  }
  brush.strokeStyle = brush.fillStyle = `rgb(${ink})`;
  brush.lineCap = brush.lineJoin = "round";
  const scale = side / 256;
  for (const { width, points } of drawing.strokes) {
    brush.lineWidth = width * scale;
    trace(brush, points, scale);
  }
}

/** @param {CanvasRenderingContext2D} brush @param {number[]} points @param {number} scale */
function trace(brush, points, scale) {
  brush.beginPath();
  brush.moveTo(points[0] * scale, points[1] * scale);
  if (points.length === 2) brush.lineTo(points[0] * scale + 0.01, points[1] * scale); // a dot
  for (let index = 2; index < points.length; index += 2) {
    brush.lineTo(points[index] * scale, points[index + 1] * scale);
  }
  brush.stroke();
}

/** @param {Uint8Array} pixels @param {[number, number, number]} paper @param {[number, number, number]} ink */
function picture(pixels, paper, ink) {
  const small = new OffscreenCanvas(SIDE, SIDE);
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext("2d"));
  const image = brush.createImageData(SIDE, SIDE);
  pixels.forEach((value, index) => {
    for (let part = 0; part < 3; part += 1) {
      image.data[4 * index + part] = paper[part] + ((ink[part] - paper[part]) * value) / 255;
    }
    image.data[4 * index + 3] = 255;
  });
  brush.putImageData(image, 0, 0);
  return small;
}

/** @type {WeakMap<Drawing, string>} while a digit is drawn its answer and its layers are asked for */
const encoded = new WeakMap();
const sheet = document.createElement("canvas");
sheet.width = sheet.height = SENT_SIDE;

/**
 * Return a drawing as a grey picture, black on white: a PGM file in base64. Nothing else is
 * made so quickly, and drawings are sent while they are drawn.
 * @param {Drawing} drawing
 */
export function encodeDrawing(drawing) {
  const known = encoded.get(drawing);
  if (known) return known;
  const brush = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true, alpha: false }));
  renderDrawing(brush, drawing, SENT_SIDE, [255, 255, 255], [0, 0, 0]);
  const { data } = brush.getImageData(0, 0, SENT_SIDE, SENT_SIDE);
  const grey = new Uint8Array(SENT_SIDE * SENT_SIDE);
  for (let index = 0; index < grey.length; index += 1) grey[index] = data[4 * index];
  const text = btoa(`P5 ${SENT_SIDE} ${SENT_SIDE} 255\n${String.fromCharCode(...grey)}`);
  encoded.set(drawing, text);
  return text;
}
