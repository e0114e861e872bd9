// Painting the 28 x 28 cells one by one: by keyboard, or with a finger.

import { SIDE } from "./drawing.js";

const SOFT_INK = 110; // what a stroke's neighbours get: lines of one hard pixel are thinner than pens

/**
 * Paint a cell and, softly, the four beside it; or rub them out.
 * @param {Uint8Array} pixels
 * @param {number} row
 * @param {number} column
 * @param {boolean} ink
 */
export function paintCell(pixels, row, column, ink) {
  const painted = pixels.slice();
  painted[row * SIDE + column] = ink ? 255 : 0;
  for (const [down, right] of [
    [-1, 0],
    [1, 0],
    [0, -1],
    [0, 1],
  ]) {
    const [y, x] = [row + down, column + right];
    if (y < 0 || y >= SIDE || x < 0 || x >= SIDE) continue;
    const index = y * SIDE + x;
    if (ink) painted[index] = Math.max(painted[index], SOFT_INK);
    else if (painted[index] <= SOFT_INK) painted[index] = 0;
  }
  return painted;
}

/**
 * Let keys and pointers paint on a grid.
 * @param {import("../parts/grid.js").Grid} grid
 * @param {object} acts
 * @param {() => Uint8Array} acts.pixels what is painted on
 * @param {(pixels: Uint8Array, ended: boolean) => void} acts.paint
 */
export function bindCells(grid, { pixels, paint }) {
  const { canvas } = grid;
  let inking = /** @type {boolean | null} */ (null);

  /** @param {number} row @param {number} column @param {boolean} ink @param {boolean} ended */
  const put = (row, column, ink, ended) => paint(paintCell(pixels(), row, column, ink), ended);
  /** @param {{row: number, column: number}} place */
  const isInk = ({ row, column }) => pixels()[row * SIDE + column] > SOFT_INK;

  canvas.addEventListener("keydown", (event) => {
    const { row, column } = grid.cursor;
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      put(row, column, !isInk(grid.cursor), true);
    } else if (event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      put(row, column, false, true);
    }
  });
  grid.onMove = (row, column, event) => {
    if (event.shiftKey) put(row, column, true, true);
  };

  canvas.addEventListener("pointerdown", (event) => {
    const place = grid.place(event);
    if (!place || event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    inking = !isInk(place);
    put(place.row, place.column, inking, false);
  });
  canvas.addEventListener("pointermove", (event) => {
    const place = inking === null ? null : grid.place(event);
    if (place) put(place.row, place.column, /** @type {boolean} */ (inking), false);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (inking !== null) paint(pixels(), true);
      inking = null;
    });
  }
}
