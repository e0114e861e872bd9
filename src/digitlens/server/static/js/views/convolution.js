// Convolution: layers, feature maps, and the number under the cursor.

import { bindArrowKeys, byId, h, queryAll, setActive } from "../core/dom.js";
import { announce } from "../core/messages.js";
import { formatBrief, formatShort } from "../core/numbers.js";
import { setState, state, STRONGEST, watch } from "../core/store.js";
import { digit, loadExplanation } from "../digit.js";
import { toRows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { paintPixels } from "../parts/paint.js";
import { makeInkRamp, makeSignedRamp, findStrongest } from "../parts/ramps.js";
import { initBench, showBench } from "./bench.js";
import { initCell, nameLogit, showCell } from "./cell.js";
import { endSlide, findReached, initSlide } from "./slide.js";

const MAX_MAPS = 128;
const PIN_WORDS = "A click pins a place, so that the pointer can leave it.";

/** How many values of a dense layer stand side by side. @param {number} count */
const countColumns = (count) => (count > 256 ? 32 : 16);

/** @type {import("../digit.js").Explanation} of the first digit on */
let explanation;
/** @type {Grid} */
let out;
/** what the buttons were made for */
let madeFor = "";

/** Whether the layers that are known are those of the chosen network: another one may be asked. */
const isCurrent = () => explanation?.model === state.network;

export function init() {
  out = new Grid(byId("conv-out"), {
    label: "The feature map. Arrow keys move.",
    pick: (row, column) => {
      endSlide();
      const { kind, shape } = getLayer();
      if (kind !== "dense") setState({ row, column });
      const index = row * countColumns(shape[0]) + column;
      if (kind === "dense" && index < shape[0]) setState({ map: index });
    },
    words: (row, column, value) => `${nameValue(row, column)}: ${formatShort(value)}`,
  });
  out.onPin = (on) => {
    const words = on ? "Pinned: Escape, or another click on it, frees it." : PIN_WORDS;
    byId("pin-words").textContent = words;
  };
  out.onPin(false);
  initSlide({
    size: () => ({ rows: getLayer().shape[1], columns: getLayer().shape[2] }),
    go: (row, column) => setState({ row, column }),
    finish: () => isCurrent() && showPlace(),
  });
  bindArrowKeys(byId("layers"));
  bindArrowKeys(byId("maps"));
  initCell();
  initBench();
  watch(["layer", "map"], () => {
    if (state.tab === "convolution" && isCurrent()) showChoice();
  });
  watch(["row", "column"], () => {
    if (state.tab === "convolution" && isCurrent()) showPlace();
  });
}

/** A place of what comes out, in words: of the last layer each value is a digit's. @param {number} row @param {number} column */
function nameValue(row, column) {
  const { kind, shape, number } = getLayer();
  if (kind !== "dense") return `row ${row}, column ${column}`;
  const index = row * countColumns(shape[0]) + column;
  return number === explanation.layers.length ? nameLogit(index) : `value ${index}`;
}

/** The chosen layer; the last one where an address names one that the network has not. */
function getLayer() {
  return explanation.layers[Math.min(state.layer, explanation.layers.length) - 1];
}

export async function show() {
  let result;
  try {
    result = await loadExplanation();
  } catch {
    return; // the digit itself tells what is wrong
  }
  if (state.tab !== "convolution" || !digit.pixels) return;
  explanation = result;
  const note = explanation.shown ? ` Shown: ${explanation.shown}.` : "";
  const slides = explanation.layers.some(({ kind }) => kind === "convolution");
  byId("conv-lead").textContent = slides
    ? `A small kernel slides over the picture; at each place its products with the pixels are summed.${note}`
    : `${state.network} has no convolution: each number of a layer is a sum over all numbers before it. cnn, quick and tiny have kernels that slide.${note}`;
  showChoice();
}

function showChoice() {
  const chosen = getLayer();
  const key = `${state.network} ${explanation.layers.length} ${chosen.number}`;
  if (key !== madeFor) {
    madeFor = key;
    makeLayers();
    makeMaps(chosen);
  }
  setActive(byId("layers").children, chosen.number - 1);
  byId("layer-about").textContent = chosen.about;
  paintMaps(chosen);
  byId("player").hidden = chosen.kind === "dense";
  showBench(showPlace());
}

/** Show the chosen number; return where it stands. */
function showPlace() {
  const chosen = getLayer();
  showOut(chosen);
  const into =
    chosen.number > 1 ? explanation.layers[chosen.number - 2].values : [digit.pixels ? toRows(digit.pixels) : []];
  const place = { ...clampPlace(chosen), layer: chosen, into, after: explanation.layers[chosen.number] };
  showCell(place);
  return place;
}

/** The chosen number, brought into the layer's size; the strongest where none was chosen. @param {Api.LayerMaps} layer */
function clampPlace({ shape, values }) {
  const [maps, rows = 1, columns = 1] = shape;
  const best = (/** @type {number[]} */ list) => list.indexOf(Math.max(...list));
  const map = Math.min(
    state.map ?? best(values.map((item) => Math.max(...[item].flat(2)))),
    maps - 1,
  );
  const numbers = [values[map]].flat(2);
  const index = best(numbers);
  return {
    map,
    row: Math.min(state.row ?? Math.floor(index / columns), rows - 1),
    column: Math.min(state.column ?? index % columns, columns - 1),
  };
}

function makeLayers() {
  byId("layers").replaceChildren(
    ...explanation.layers.map(({ number, kind, shape }) =>
      h(
        "button",
        { type: "button", role: "radio", onclick: () => setState({ layer: number, ...STRONGEST }) },
        h("b", {}, `${number} ${kind}`),
        h("span", {}, shape.join(" x ")),
      ),
    ),
  );
}

/** @param {Api.LayerMaps} layer */
function makeMaps({ kind, shape }) {
  byId("maps").hidden = kind === "dense";
  const count = kind === "dense" ? 0 : Math.min(MAX_MAPS, shape[0]);
  byId("maps").replaceChildren(
    ...Array.from({ length: count }, (_, map) =>
      h(
        "button",
        {
          type: "button",
          role: "radio",
          "aria-label": `map ${map}`,
          onclick: () => {
            setState({ map });
            announce(`map ${map}`);
          },
        },
        h("canvas"),
      ),
    ),
  );
}

/** @param {Api.LayerMaps} layer */
function paintMaps({ kind, values }) {
  if (kind === "dense") return;
  const ramp = makeRamp(values.flat(2));
  setActive(byId("maps").children, clampPlace(getLayer()).map);
  queryAll("canvas", byId("maps")).forEach((canvas, map) => {
    paintPixels(canvas, values[map].flat(), values[map][0].length, ramp);
  });
}

/** Sums may be below zero; what went through ReLU is not. @param {number[]} values */
function makeRamp(values) {
  const most = findStrongest(values);
  return values.some((value) => value < 0) ? makeSignedRamp(most) : makeInkRamp(most);
}

/** @param {Api.LayerMaps} chosen */
function showOut(chosen) {
  const { map, row, column } = clampPlace(chosen);
  const { kind, values, shape } = chosen;
  if (kind === "dense") {
    const width = countColumns(values.length);
    const rows = Math.ceil(values.length / width);
    const columns = Math.min(width, values.length);
    const index = (/** @type {number} */ down, /** @type {number} */ right) => values[down * width + right] ?? 0;
    const cursor = { row: Math.floor(map / width), column: map % width };
    out.show({ rows, columns, at: index, ramp: makeRamp(values), text: formatBrief }, cursor);
    byId("out-title").textContent = `Comes out: ${shape[0]} values`;
    const isLast = chosen.number === explanation.layers.length;
    byId("out-names").hidden = !isLast;
    byId("out-names").style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    byId("out-names").replaceChildren(
      ...(isLast ? values.map((_, place) => h("span", {}, place < 10 ? String(place) : "no")) : []),
    );
    return;
  }
  /** @type {number[][]} */
  const shown = values[map];
  out.show(
    {
      rows: shape[1],
      columns: shape[2],
      at: (down, right) => shown[down][right],
      ramp: makeRamp(shown.flat()),
      text: formatBrief,
      until: findReached(),
    },
    { row, column },
  );
  byId("out-names").hidden = true;
  byId("out-title").textContent = `Comes out: map ${map}, ${shape[1]} x ${shape[2]}`;
}
