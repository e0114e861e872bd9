// A drawing: pixels beneath, strokes above. Nothing here is changed in place.

/** @typedef {import("../core/store.js").Drawing} Drawing */
/** @typedef {import("../core/codec.js").Stroke} Stroke */

export const SIDE = 28;
const TOLERANCE = 0.5; // of 256: a point that lies nearer to the line between others is left out
const MAX_POINTS = 400; // points of one stroke

/** @returns {Drawing} */
export const emptyDrawing = () => ({ base: null, strokes: [] });

/** @param {Drawing} drawing */
export const isEmpty = ({ base, strokes }) =>
  !strokes.length && !base?.some((value) => value > 0);

/**
 * Round a stroke to whole steps and leave out points that tell nothing, so that the drawing is
 * exactly what its address says.
 * @param {Stroke} stroke
 * @returns {Stroke}
 */
export function simplifyStroke({ width, points }) {
  const whole = points.map((value) => Math.min(255, Math.max(0, Math.round(value))));
  let tolerance = TOLERANCE;
  let kept = simplify(whole, tolerance);
  while (kept.length > 2 * MAX_POINTS) kept = simplify(whole, (tolerance *= 2));
  return { width, points: kept };
}

/** Douglas and Peucker's rule, 1973. @param {number[]} points @param {number} tolerance */
function simplify(points, tolerance) {
  const count = points.length / 2;
  const keep = new Set([0, count - 1]);
  const parts = [[0, count - 1]];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [from, to] = part;
    let farthest = 0;
    let index = -1;
    for (let item = from + 1; item < to; item += 1) {
      const gap = distance(points, item, from, to);
      if (gap > farthest) [farthest, index] = [gap, item];
    }
    if (farthest > tolerance) {
      keep.add(index);
      parts.push([from, index], [index, to]);
    }
  }
  return [...keep]
    .sort((a, b) => a - b)
    .flatMap((item) => points.slice(2 * item, 2 * item + 2));
}

/** @param {number[]} points @param {number} index @param {number} from @param {number} to */
function distance(points, index, from, to) {
  const [x, y] = [points[2 * index] - points[2 * from], points[2 * index + 1] - points[2 * from + 1]];
  const dx = points[2 * to] - points[2 * from];
  const dy = points[2 * to + 1] - points[2 * from + 1];
  const along = Math.min(1, Math.max(0, (x * dx + y * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - along * dx, y - along * dy);
}

/** Pixels as rows, the form in which the service takes them. @param {Uint8Array} pixels */
export function toRows(pixels) {
  return Array.from({ length: SIDE }, (_, row) =>
    Array.from(pixels.subarray(row * SIDE, (row + 1) * SIDE)),
  );
}

/** @param {number[][]} result @returns {Uint8Array} */
export const fromRows = (result) => Uint8Array.from(result.flat());

/** Move pixels; what leaves the frame is lost. @param {Uint8Array} pixels @param {number} dx @param {number} dy */
export function shiftPixels(pixels, dx, dy) {
  const moved = new Uint8Array(pixels.length);
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      const [y, x] = [row - dy, column - dx];
      if (x >= 0 && x < SIDE && y >= 0 && y < SIDE)
        moved[row * SIDE + column] = pixels[y * SIDE + x];
    }
  }
  return moved;
}
