// Features: the picture unrolled into 784 numbers, and the label as ten.

import { arrows, by, el, mark } from "../core/dom.js";
import { set, state, watch } from "../core/store.js";
import { digit } from "../digit.js";
import { SIDE } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { inkRamp } from "../parts/ramps.js";

const PLACE = 56; // pixels of the screen for a place of the lower ribbon

/** @type {Grid} */
let picture;
/** @type {Grid} */
let ribbon;
/** @type {Grid} */
let close;

export function init() {
  picture = new Grid(by("unroll-picture"), {
    label: "The 28 x 28 pixels. Arrow keys move.",
    pick: (row, column) => set({ pixel: row * SIDE + column }),
    words: (row, column) => `row ${row}, column ${column}, place ${row * SIDE + column}`,
  });
  ribbon = new Grid(by("ribbon"), {
    label: "The ribbon of 784 pixels. Arrow keys move.",
    pick: (_row, place) => set({ pixel: place }),
    words: (_row, place) =>
      `place ${place}: row ${Math.floor(place / SIDE)}, column ${place % SIDE}`,
  });
  close = new Grid(by("ribbon-close"));
  const group = by("onehot");
  arrows(group);
  group.append(
    ...Array.from({ length: 10 }, (_, label) =>
      el(
        "button",
        { type: "button", role: "radio", onclick: () => set({ label }) },
        el("span", {}, String(label)),
        el("b", {}),
      ),
    ),
  );
  watch(["pixel", "label"], () => {
    if (state.tab === "features" && digit.pixels) show();
  });
}

export function show() {
  const { pixels } = digit;
  const { pixel } = state;
  const [row, column] = [Math.floor(pixel / SIDE), pixel % SIDE];
  const ramp = inkRamp();
  picture.show(
    {
      rows: SIDE,
      columns: SIDE,
      at: (down, right) => pixels[down * SIDE + right],
      ramp,
      band: row,
    },
    { row, column },
  );
  ribbon.show(
    {
      rows: 1,
      columns: pixels.length,
      at: (_, place) => pixels[place],
      ramp,
      box: { row: 0, column: row * SIDE, rows: 1, columns: SIDE },
      flat: true,
      ticks: SIDE,
    },
    { row: 0, column: pixel },
  );
  const count = Math.min(21, Math.max(7, Math.floor(by("ribbon-close").clientWidth / PLACE)));
  const from = Math.min(pixels.length - count, Math.max(0, pixel - (count >> 1)));
  close.show({
    rows: 1,
    columns: count,
    at: (_, place) => pixels[from + place],
    ramp,
    text: (value) => String(value),
    box: { row: 0, column: pixel - from, rows: 1, columns: 1 },
  });
  by("unroll-formula").replaceChildren(
    "28 x ",
    el("b", {}, String(row)),
    " + ",
    el("b", {}, String(column)),
    " = ",
    el("b", {}, String(pixel)),
  );
  showRows(row, pixels);
  showLabel();
}

function showRows(row, pixels) {
  const near = [row - 1, row, row + 1].filter((each) => each >= 0 && each < SIDE);
  by("unroll-rows").replaceChildren(
    ...near.map((each) => {
      const ink = pixels
        .subarray(each * SIDE, (each + 1) * SIDE)
        .reduce((sum, value) => sum + (value > 0), 0);
      return el(
        "li",
        { class: each === row ? "here" : "" },
        el("b", {}, `row ${each}`),
        ` places ${each * SIDE} to ${each * SIDE + SIDE - 1}, `,
        ink ? `${ink} of 28 with ink` : "bare paper",
      );
    }),
  );
}

function showLabel() {
  const label = state.label ?? digit.answer?.likeliest ?? 0;
  const buttons = by("onehot").children;
  mark(buttons, label);
  [...buttons].forEach((button, at) => {
    button.querySelector("b").textContent = at === label ? "1" : "0";
    button.setAttribute("aria-label", `digit ${at}`);
  });
  const vector = Array.from({ length: 10 }, (_, at) => (at === label ? 1 : 0));
  by("onehot-text").textContent = `${label}  →  [${vector.join(", ")}]`;
}
