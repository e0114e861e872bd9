// Small pictures without a cursor: a pixel of the canvas for each number.

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row after row
 * @param {number} width
 * @param {import("./ramps.js").Ramp} ramp
 */
export function paintPixels(canvas, values, width, ramp) {
  const height = Math.max(1, Math.ceil(values.length / width));
  canvas.width = width;
  canvas.height = height;
  const brush = canvas.getContext("2d");
  const image = brush.createImageData(width, height);
  for (let index = 0; index < values.length; index += 1) {
    image.data.set([...ramp(values[index]), 255], 4 * index);
  }
  brush.putImageData(image, 0, 0);
}
