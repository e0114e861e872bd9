// Network: the drawn pixels through every layer's maps to logits, softmax and answer, live.

import { byId, h, setText } from "../core/dom.js";
import { describeProblem } from "../core/messages.js";
import { setState, state, watch } from "../core/store.js";
import { onColors } from "../core/theme.js";
import { askNetwork, digit } from "../digit.js";
import { emptyDrawing, SIDE } from "../ink/drawing.js";
import { describeAnswer, nameDigit } from "../parts/bars.js";
import { paintPixels } from "../parts/paint.js";
import { bindPaper } from "../parts/paper.js";
import { makeInkRamp } from "../parts/ramps.js";
import { drawRibbons, forgetPlaces } from "../parts/ribbons.js";
import { makeRow } from "../parts/rows.js";

/** Set when all layers of a drawing are on the page: `make bench-page` waits for it. */
const PAINTED = "layers painted";

let paintPad = () => {};
/** @type {import("../parts/rows.js").Row[]} one for each layer, kept while the network is the same */
let rows = [];
let madeFor = "";
/** @type {import("../digit.js").Inside | null} the layers that are painted */
let painted = null;

export function init() {
  paintPad = bindPaper("net-pad");
  byId("net-clear").addEventListener("click", () => setState({ drawing: emptyDrawing() }));
  byId("net-ribbons").addEventListener("change", showRibbons);
  // Where things stand is asked for once, not for each stroke: that would be a layout each.
  const observer = new ResizeObserver(() => {
    forgetPlaces();
    showRibbons();
  });
  for (const box of [byId("net-layers"), byId("net-top")]) observer.observe(box);
  onColors(() => (painted = null));
  watch(["drawing"], () => state.tab === "network" && paintPad());
}

export function show() {
  paintPad();
  const { answer, pixels, inside, problem } = digit;
  byId("net-answer").hidden = !answer;
  byId("net-layers").hidden = !answer && !problem;
  if (pixels) paintPixels(byId("net-pixels"), pixels, SIDE, makeInkRamp());
  if (answer) {
    setText(byId("net-digit"), nameDigit(answer));
    setText(byId("net-words"), describeAnswer(answer));
  }
  if (problem) {
    [madeFor, painted, rows] = ["", null, []];
    byId("net-rows").replaceChildren(h("li", { class: "problem" }, describeProblem(problem)));
    showRibbons();
  } else if (inside) paintLayers(inside);
  else if (answer) askNetwork(); // it was asked on another tab
}

/** @param {import("../digit.js").Inside} inside */
function paintLayers(inside) {
  if (inside === painted) return;
  painted = inside;
  const { layers, member, model, shown } = inside;
  const shapes = layers.map(({ shape }) => shape);
  const made = `${model} ${member} ${shapes}`;
  if (made !== madeFor) {
    madeFor = made;
    const last = layers.length - 1;
    rows = layers.map((layer, index) => makeRow(layer, index === last));
    byId("net-rows").replaceChildren(...rows.map(({ element }) => element));
    byId("net-shown").textContent = shown ? `Shown: ${shown}.` : "";
    forgetPlaces();
  }
  rows.forEach((row, index) => row.update(layers[index]));
  showRibbons();
  performance.clearMarks(PAINTED);
  performance.mark(PAINTED);
}

function showRibbons() {
  const links = byId("net-ribbons").checked && painted ? painted.links : [];
  if (!byId("net-layers").hidden && state.tab === "network") drawRibbons(byId("net-links"), links, rows);
}
