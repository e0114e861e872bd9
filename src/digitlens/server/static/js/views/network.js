// Network: the drawn pixels through every layer's maps to logits, softmax and answer, live.

import { coalesce, post } from "../core/api.js";
import { byId, h } from "../core/dom.js";
import { setState, state, watch } from "../core/store.js";
import { onColors } from "../core/theme.js";
import { currentDrawing, describeRequest, digit } from "../digit.js";
import { emptyDrawing, isEmpty, SIDE } from "../ink/drawing.js";
import { describeAnswer, nameDigit } from "../parts/bars.js";
import { paintPixels } from "../parts/paint.js";
import { bindPaper } from "../parts/paper.js";
import { makeInkRamp } from "../parts/ramps.js";
import { drawRibbons } from "../parts/ribbons.js";
import { makeRow } from "../parts/rows.js";

let paintPad = () => {};
/** the network and drawing that were painted last */
let painted = "";
/** @type {import("../parts/rows.js").Row[]} one for each layer, kept while the network is the same */
let rows = [];
let madeFor = "";
/** @type {any} the answer of /v1/explain that is shown */
let shown = null;

export function init() {
  paintPad = bindPaper("net-pad", { grow: showLayers });
  byId("net-clear").addEventListener("click", () => setState({ drawing: emptyDrawing() }));
  byId("net-ribbons").addEventListener("change", showRibbons);
  new ResizeObserver(showRibbons).observe(byId("net-layers"));
  // Not only when the answer is there: layers are asked for at the same time.
  watch(["drawing", "network"], () => state.tab === "network" && showLayers());
  onColors(() => (painted = ""));
}

export function show() {
  paintPad();
  const { answer, pixels } = digit;
  byId("net-answer").hidden = !answer;
  if (pixels) paintPixels(byId("net-pixels"), pixels, SIDE, makeInkRamp());
  if (answer) {
    byId("net-digit").textContent = nameDigit(answer);
    byId("net-words").textContent = describeAnswer(answer);
  }
  showLayers();
}

/** Ask for what each layer gives, the newest drawing always, and paint it. */
const showLayers = coalesce(async () => {
  const drawing = currentDrawing();
  const { network } = state;
  byId("net-layers").hidden = isEmpty(drawing);
  if (isEmpty(drawing)) return;
  const { picture, how } = describeRequest(drawing);
  const key = `${network} ${how.frame} ${picture}`;
  if (key === painted) return;
  try {
    const query = { network, ...how, layers_only: true };
    const result = await post("/v1/explain", { pictures: [picture] }, query);
    if (network !== state.network) return;
    shown = result;
  } catch (problem) {
    [madeFor, painted, rows] = ["", "", []];
    byId("net-rows").replaceChildren(h("li", { class: "problem" }, String(problem.message)));
    return;
  }
  painted = key;
  const { layers, member } = shown;
  const made = `${network} ${member} ${layers.map(({ shape }) => shape)}`;
  if (made !== madeFor) {
    madeFor = made;
    rows = layers.map((layer, index) => makeRow(layer, index === layers.length - 1));
    byId("net-rows").replaceChildren(...rows.map(({ element }) => element));
    byId("net-shown").textContent = shown.shown ? `Shown: ${shown.shown}.` : "";
  }
  layers.forEach((layer, index) => rows[index].update(layer));
  showRibbons();
});

function showRibbons() {
  const links = byId("net-ribbons").checked ? (shown?.links ?? []) : [];
  if (!byId("net-layers").hidden && state.tab === "network") drawRibbons(byId("net-links"), links, rows);
}
