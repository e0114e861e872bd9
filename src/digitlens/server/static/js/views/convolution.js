// Convolution: layers, feature maps, and the number under the cursor.

import { arrows, by, el, mark } from "../core/dom.js";
import { say } from "../core/say.js";
import { brief, short } from "../core/numbers.js";
import { set, state, STRONGEST, watch } from "../core/store.js";
import { digit, explained } from "../digit.js";
import { Grid } from "../parts/grid.js";
import { paint } from "../parts/paint.js";
import { inkRamp, signedRamp, strongest } from "../parts/ramps.js";
import { initBench, showBench } from "./bench.js";
import { initCell, showCell } from "./cell.js";

const MOST_MAPS = 128;

/** How many values of a dense layer stand side by side. @param {number} count */
const inARow = (count) => (count > 256 ? 32 : 16);

/** @type {any} what /v1/explain told */
let found = null;
/** @type {Grid} */
let out;
/** what the buttons were made for */
let made = "";

export function init() {
  out = new Grid(by("conv-out"), {
    label: "The feature map. Arrow keys move.",
    pick: (row, column) => {
      const { kind, shape } = layer();
      if (kind !== "dense") set({ row, column });
      const at = row * inARow(shape[0]) + column;
      if (kind === "dense" && at < shape[0]) set({ map: at });
    },
    words: (row, column, value) => `row ${row}, column ${column}: ${short(value)}`,
  });
  arrows(by("layers"));
  arrows(by("maps"));
  initCell();
  initBench();
  watch(["layer", "map", "row", "column"], () => {
    if (state.tab === "convolution" && found) showChoice();
  });
}

/** The chosen layer; the last one where an address names one that the network has not. */
function layer() {
  return found.layers[Math.min(state.layer, found.layers.length) - 1];
}

export async function show() {
  let told;
  try {
    told = await explained();
  } catch {
    return; // the digit itself tells what is wrong
  }
  if (state.tab !== "convolution" || !digit.pixels) return;
  found = told;
  const note = found.shown ? ` Shown: ${found.shown}.` : "";
  by("conv-lead").textContent =
    `A small kernel slides over the picture; at each place its products with the pixels are summed.${note}`;
  showChoice();
}

function showChoice() {
  const chosen = layer();
  const key = `${state.network} ${found.layers.length} ${chosen.number}`;
  if (key !== made) {
    made = key;
    makeLayers();
    makeMaps(chosen);
  }
  mark(by("layers").children, chosen.number - 1);
  by("layer-about").textContent = chosen.about;
  paintMaps(chosen);
  showOut(chosen);
  const into =
    chosen.number > 1 ? found.layers[chosen.number - 2].values : [rowsOf(digit.pixels)];
  const place = { ...clamp(chosen), layer: chosen, into, after: found.layers[chosen.number] };
  showCell(place);
  showBench(place);
}

const rowsOf = (pixels) =>
  Array.from({ length: 28 }, (_, row) => Array.from(pixels.subarray(row * 28, row * 28 + 28)));

/** The chosen number, brought into the layer's size; the strongest where none was chosen. */
function clamp({ shape, values }) {
  const [maps, rows = 1, columns = 1] = shape;
  const best = (list) => list.indexOf(Math.max(...list));
  const map = Math.min(
    state.map ?? best(values.map((each) => Math.max(...[each].flat(2)))),
    maps - 1,
  );
  const numbers = [values[map]].flat(2);
  const at = best(numbers);
  return {
    map,
    row: Math.min(state.row ?? Math.floor(at / columns), rows - 1),
    column: Math.min(state.column ?? at % columns, columns - 1),
  };
}

function makeLayers() {
  by("layers").replaceChildren(
    ...found.layers.map(({ number, kind, shape }) =>
      el(
        "button",
        { type: "button", role: "radio", onclick: () => set({ layer: number, ...STRONGEST }) },
        el("b", {}, `${number} ${kind}`),
        el("span", {}, shape.join(" x ")),
      ),
    ),
  );
}

function makeMaps({ kind, shape }) {
  by("maps").hidden = kind === "dense";
  const count = kind === "dense" ? 0 : Math.min(MOST_MAPS, shape[0]);
  by("maps").replaceChildren(
    ...Array.from({ length: count }, (_, map) =>
      el(
        "button",
        {
          type: "button",
          role: "radio",
          "aria-label": `map ${map}`,
          onclick: () => {
            set({ map });
            say(`map ${map}`);
          },
        },
        el("canvas"),
      ),
    ),
  );
}

function paintMaps({ kind, values }) {
  if (kind === "dense") return;
  const ramp = rampOf(values.flat(2));
  const buttons = by("maps").children;
  mark(buttons, clamp(layer()).map);
  [...buttons].forEach((button, map) => {
    paint(button.firstChild, values[map].flat(), values[map][0].length, ramp);
  });
}

/** Sums may be below zero; what went through ReLU is not. */
function rampOf(values) {
  const most = strongest(values);
  return values.some((value) => value < 0) ? signedRamp(most) : inkRamp(most);
}

function showOut(chosen) {
  const { map, row, column } = clamp(chosen);
  const { kind, values, shape } = chosen;
  if (kind === "dense") {
    const wide = inARow(values.length);
    const rows = Math.ceil(values.length / wide);
    const columns = Math.min(wide, values.length);
    const at = (down, right) => values[down * wide + right] ?? 0;
    const cursor = { row: Math.floor(map / wide), column: map % wide };
    out.show({ rows, columns, at, ramp: rampOf(values), text: brief }, cursor);
    by("out-title").textContent = `Comes out: ${shape[0]} values`;
    return;
  }
  const shown = values[map];
  out.show(
    {
      rows: shape[1],
      columns: shape[2],
      at: (down, right) => shown[down][right],
      ramp: rampOf(shown.flat()),
      text: brief,
    },
    { row, column },
  );
  by("out-title").textContent = `Comes out: map ${map}, ${shape[1]} x ${shape[2]}`;
}
