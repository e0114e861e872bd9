// A grid of numbers on a canvas, with a cursor that mouse, finger and arrow keys move.

import { getBrush } from "../core/dom.js";
import { cssColor } from "../core/theme.js";
import { announce } from "../core/messages.js";
import { pickTextColor } from "./ramps.js";

/** Rows down and columns right that an arrow key leads. @type {Record<string, [number, number]>} */
export const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const NUMBERS = 24; // pixels: from this size of a cell on, its number is written into it

/**
 * @typedef {object} Shown
 * @property {number} rows
 * @property {number} columns
 * @property {(row: number, column: number) => number} at
 * @property {import("./ramps.js").Ramp} ramp
 * @property {(value: number) => string} [text] the number as text; none is written without
 * @property {{row: number, column: number, rows: number, columns: number} | null} [box]
 * @property {number | null} [band] a row that is marked
 * @property {boolean} [flat] as high as the style sheet says; else its cells are square
 * @property {number} [ticks] a short line before each so many columns
 * @property {(row: number, column: number) => [number, number, number]} [under] the colour where the value is 0
 * @property {(value: number) => boolean} [hatched] cells that are crossed by lines of paper
 * @property {number} [until] cells after so many, row after row, are not there yet
 * @property {{row: number, column: number} | null} [mark] one cell that is marked
 */

/** @typedef {(row: number, column: number, event: KeyboardEvent) => void} OnMove */

/**
 * Lines across a cell: a difference that is seen without its colour.
 * @param {CanvasRenderingContext2D} brush
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function hatch(brush, x, y, width, height) {
  brush.strokeStyle = cssColor("sheet");
  brush.lineWidth = Math.max(1, width / 6);
  brush.beginPath();
  brush.moveTo(x, y + height);
  brush.lineTo(x + width, y);
  brush.moveTo(x, y + height / 2);
  brush.lineTo(x + width / 2, y);
  brush.moveTo(x + width / 2, y + height);
  brush.lineTo(x + width, y + height / 2);
  brush.stroke();
}

export class Grid {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} [options]
   * @param {string} [options.label] what it is called; with one it can be focused and chosen from
   * @param {(row: number, column: number) => void} [options.pick] a cell was chosen
   * @param {(row: number, column: number, value: number) => string} [options.words] said of it
   * @param {boolean} [options.hover] choose by moving over it
   */
  constructor(canvas, { label, pick = () => {}, words, hover = true } = {}) {
    this.canvas = canvas;
    this.cursor = { row: 0, column: 0 };
    /** @type {Shown | null} */
    this.shown = null;
    this.pick = pick;
    this.words = words;
    this.onMove = /** @type {OnMove} */ (() => {});
    this.onPin = /** @type {(on: boolean) => void} */ (() => {});
    /** Whether moving over it chooses nothing: a cell was clicked, until it is freed. */
    this.pinned = false;
    this.active = Boolean(label);
    if (label) this.#listen(label, hover);
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** @param {Shown} shown @param {{row: number, column: number}} [cursor] */
  show(shown, cursor) {
    this.shown = shown;
    if (cursor) this.cursor = cursor;
    this.canvas.style.aspectRatio = shown.flat ? "auto" : `${shown.columns} / ${shown.rows}`;
    this.draw();
  }

  /** The cell under a pointer. @param {MouseEvent} event */
  place(event) {
    if (!this.shown) return null;
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.shown.rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.shown.columns);
    const inside =
      row >= 0 && column >= 0 && row < this.shown.rows && column < this.shown.columns;
    return inside ? { row, column } : null;
  }

  draw() {
    const { canvas, shown } = this;
    const size = canvas.clientWidth;
    if (!shown || !size) return;
    const sharp = Math.min(3, devicePixelRatio || 1);
    const width = size / shown.columns;
    const height = shown.flat ? canvas.clientHeight / shown.rows : width;
    canvas.width = Math.round(size * sharp);
    canvas.height = Math.round(height * shown.rows * sharp);
    const brush = getBrush(canvas);
    brush.scale(canvas.width / size, canvas.width / size);
    this.#cells(brush, shown, width, height);
    /** @param {{row: number, column: number, rows?: number, columns?: number}} box @param {string} style @param {number} line */
    const mark = ({ row, column, rows = 1, columns = 1 }, style, line) => {
      brush.strokeStyle = style;
      brush.lineWidth = line;
      brush.strokeRect(column * width, row * height, columns * width, rows * height);
    };
    if (shown.band !== null && shown.band !== undefined) {
      mark({ row: shown.band, column: 0, columns: shown.columns }, cssColor("accent", 0.7), 1.5);
    }
    if (shown.box) mark(shown.box, cssColor("mark"), 2);
    if (shown.mark) mark(shown.mark, cssColor("accent"), 3);
    if (this.active) {
      mark(this.cursor, cssColor("sheet"), this.pinned ? 6 : 4);
      mark(this.cursor, cssColor("accent"), this.pinned ? 4 : 2);
    }
  }

  /** @param {CanvasRenderingContext2D} brush @param {Shown} shown @param {number} width @param {number} height */
  #cells(brush, { rows, columns, at: index, ramp, text, ticks = columns, hatched, under, until }, width, height) {
    const write = width >= NUMBERS ? text : undefined;
    const gap = width >= 8 ? 0.5 : -0.5; // below zero: neighbours touch
    const quiet = cssColor("quiet");
    brush.fillStyle = cssColor("hairline");
    brush.fillRect(0, 0, columns * width, rows * height);
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.font = `${Math.min(13, width * 0.36)}px ui-monospace, "Liberation Mono", monospace`;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        if (until !== undefined && row * columns + column > until) continue;
        const value = index(row, column);
        const rgb = value || !under ? ramp(value) : under(row, column);
        brush.fillStyle = `rgb(${rgb})`;
        const [x, y] = [column * width, row * height];
        brush.fillRect(x, y, width - gap, height - gap);
        if (hatched?.(value)) hatch(brush, x, y, width - gap, height - gap);
        if (!write) continue;
        brush.fillStyle = value ? pickTextColor(rgb) : quiet;
        brush.fillText(write(value), x + width / 2, y + height / 2 + 0.5);
      }
    }
    brush.fillStyle = quiet;
    for (let place = ticks; place < columns; place += ticks) {
      brush.fillRect(place * width - 0.5, rows * height - 6, 1, 6);
    }
  }

  /** @param {string} label @param {boolean} hover */
  #listen(label, hover) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "grid");
    canvas.setAttribute("aria-label", label);
    canvas.addEventListener("keydown", (event) => this.#key(event));
    const point = (/** @type {MouseEvent} */ event) => {
      const place = this.place(event);
      if (place && (place.row !== this.cursor.row || place.column !== this.cursor.column)) {
        this.#go(place.row, place.column);
      }
    };
    let again = false; // the pinned cell is clicked once more
    canvas.addEventListener("pointerdown", (event) => {
      const place = this.place(event);
      again = this.pinned && place?.row === this.cursor.row && place.column === this.cursor.column;
      point(event);
    });
    if (!hover) return;
    canvas.addEventListener("pointermove", (event) => this.pinned || point(event));
    // A finger moves over nothing: it needs no pin.
    canvas.addEventListener("click", (event) => {
      if (/** @type {PointerEvent} a click is one */ (event).pointerType !== "touch") this.pin(!again);
    });
  }

  /** Keep the chosen cell whatever the pointer moves over, or free it. @param {boolean} on */
  pin(on) {
    if (on === this.pinned) return;
    this.pinned = on;
    this.draw();
    this.onPin(on);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape") this.pin(false);
    const way = ARROWS[event.key];
    if (!way || !this.shown || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const row = Math.min(this.shown.rows - 1, Math.max(0, this.cursor.row + way[0]));
    const column = Math.min(this.shown.columns - 1, Math.max(0, this.cursor.column + way[1]));
    this.#go(row, column);
    this.onMove(row, column, event);
    const value = this.shown.at(row, column);
    announce(this.words ? this.words(row, column, value) : `row ${row}, column ${column}: ${value}`);
  }

  /** @param {number} row @param {number} column */
  #go(row, column) {
    this.cursor = { row, column };
    this.draw();
    this.pick(row, column);
  }
}
