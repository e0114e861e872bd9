// Features: the picture unrolled into 784 numbers, and the label as ten.

import { bindArrowKeys, byId, h, query, setActive } from "../core/dom.js";
import { setState, state, watch } from "../core/store.js";
import { digit } from "../digit.js";
import { SIDE } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { makeInkRamp } from "../parts/ramps.js";

const PLACE_WIDTH = 56; // pixels of the screen for a place of the lower ribbon

/** @type {Grid} */
let picture;
/** @type {Grid} */
let ribbon;
/** @type {Grid} */
let close;

export function init() {
  picture = new Grid(byId("unroll-picture"), {
    label: "The 28 x 28 pixels. Arrow keys move.",
    pick: (row, column) => setState({ pixel: row * SIDE + column }),
    words: (row, column) => `row ${row}, column ${column}, place ${row * SIDE + column}`,
  });
  ribbon = new Grid(byId("ribbon"), {
    label: "The ribbon of 784 pixels. Arrow keys move.",
    pick: (_row, place) => setState({ pixel: place }),
    words: (_row, place) =>
      `place ${place}: row ${Math.floor(place / SIDE)}, column ${place % SIDE}`,
  });
  close = new Grid(byId("ribbon-close"));
  const group = byId("onehot");
  bindArrowKeys(group);
  group.append(
    ...Array.from({ length: 10 }, (_, label) =>
      h(
        "button",
        { type: "button", role: "radio", onclick: () => setState({ label }) },
        h("span", {}, String(label)),
        h("b", {}),
      ),
    ),
  );
  watch(["pixel", "label"], () => {
    if (state.tab === "features" && digit.pixels) show();
  });
}

export function show() {
  const { pixels } = digit;
  if (!pixels) return;
  const { pixel } = state;
  const [row, column] = [Math.floor(pixel / SIDE), pixel % SIDE];
  const ramp = makeInkRamp();
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
  const count = Math.min(21, Math.max(7, Math.floor(byId("ribbon-close").clientWidth / PLACE_WIDTH)));
  const from = Math.min(pixels.length - count, Math.max(0, pixel - (count >> 1)));
  close.show({
    rows: 1,
    columns: count,
    at: (_, place) => pixels[from + place],
    ramp,
    text: (value) => String(value),
    box: { row: 0, column: pixel - from, rows: 1, columns: 1 },
  });
  byId("unroll-formula").replaceChildren(
    "28 x ",
    h("b", {}, String(row)),
    " + ",
    h("b", {}, String(column)),
    " = ",
    h("b", {}, String(pixel)),
  );
  showRows(row, pixels);
  showLabel();
}

/** @param {number} row @param {Uint8Array} pixels */
function showRows(row, pixels) {
  const near = [row - 1, row, row + 1].filter((item) => item >= 0 && item < SIDE);
  byId("unroll-rows").replaceChildren(
    ...near.map((item) => {
      const ink = pixels
        .subarray(item * SIDE, (item + 1) * SIDE)
        .reduce((sum, value) => sum + Number(value > 0), 0);
      return h(
        "li",
        { class: item === row ? "here" : "" },
        h("b", {}, `row ${item}`),
        ` places ${item * SIDE} to ${item * SIDE + SIDE - 1}, `,
        ink ? `${ink} of 28 with ink` : "bare paper",
      );
    }),
  );
}

function showLabel() {
  const label = state.label ?? digit.answer?.likeliest ?? 0;
  const buttons = byId("onehot").children;
  setActive(buttons, label);
  [...buttons].forEach((button, index) => {
    query("b", button).textContent = index === label ? "1" : "0";
    button.setAttribute("aria-label", `digit ${index}`);
  });
  const vector = Array.from({ length: 10 }, (_, index) => (index === label ? 1 : 0));
  byId("onehot-text").textContent = `${label}  →  [${vector.join(", ")}]`;
}
