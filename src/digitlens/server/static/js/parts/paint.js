// Small pictures without a cursor: a pixel of the canvas for each number.

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row after row
 * @param {number} width
 * @param {import("./ramps.js").Ramp} ramp
 */
export function paint(canvas, values, width, ramp) {
  const height = Math.max(1, Math.ceil(values.length / width));
  canvas.width = width;
  canvas.height = height;
  const brush = canvas.getContext("2d");
  const image = brush.createImageData(width, height);
  for (let at = 0; at < values.length; at += 1) {
    image.data.set([...ramp(values[at]), 255], 4 * at);
  }
  brush.putImageData(image, 0, 0);
}
