// Network: the drawn pixels through every layer's maps to logits, softmax and answer, live.

import { coalesce, post } from "../core/api.js";
import { bindRoving, byId, h } from "../core/dom.js";
import { formatShort } from "../core/numbers.js";
import { setState, state, STRONGEST } from "../core/store.js";
import { openTab } from "../core/url.js";
import { digit } from "../digit.js";
import { emptyDrawing, SIDE, toRows } from "../ink/drawing.js";
import { describeAnswer, nameDigit } from "../parts/bars.js";
import { paintPixels } from "../parts/paint.js";
import { bindPaper } from "../parts/paper.js";
import { findStrongest, makeInkRamp, makeSignedRamp } from "../parts/ramps.js";
import { renderSoftmax } from "../parts/softmax.js";

const MAX_MAPS = 32; // of a layer: the strongest
const COLUMNS = 64; // values of a dense layer side by side

let paintPad = () => {};
/** the network and digit that were painted last */
let painted = "";

export function init() {
  paintPad = bindPaper("net-pad");
  byId("net-clear").addEventListener("click", () => setState({ drawing: emptyDrawing() }));
}

export function show() {
  paintPad();
  const { answer, pixels } = digit;
  byId("net-layers").hidden = !pixels;
  byId("net-answer").hidden = !answer;
  if (!pixels) {
    painted = "";
    return;
  }
  paintPixels(byId("net-pixels"), pixels, SIDE, makeInkRamp());
  if (answer) {
    byId("net-digit").textContent = nameDigit(answer);
    byId("net-words").textContent = describeAnswer(answer);
  }
  showLayers();
}

/** Ask for what each layer gives, the newest digit always, and paint it. */
const showLayers = coalesce(async () => {
  const { pixels } = digit;
  const { network } = state;
  const key = `${network} ${pixels} ${document.documentElement.dataset.theme}`;
  if (!pixels || key === painted) return;
  let result;
  try {
    result = await post("/v1/explain", { pictures: [toRows(pixels)] }, { network, frame: false });
  } catch (problem) {
    byId("net-rows").replaceChildren(h("p", { class: "problem" }, String(problem.message)));
    return;
  }
  if (network !== state.network) return;
  painted = key;
  byId("net-shown").textContent = result.shown ? `Shown: ${result.shown}.` : "";
  const last = result.layers.at(-1);
  byId("net-rows").replaceChildren(...result.layers.slice(0, -1).map(renderLayer), renderLast(last));
});

function renderLayer(layer) {
  const { number, kind, shape, about, arithmetic } = layer;
  return h(
    "li",
    { class: "net-layer" },
    h("h2", {}, `${number} ${kind}`, h("span", { class: "quiet" }, ` ${shape.join(" x ")}`)),
    h("p", { class: "quiet" }, `${about}.${arithmetic ? ` Side: ${arithmetic}.` : ""}`),
    kind === "dense" ? renderValues(layer) : renderMaps(layer),
  );
}

function open(layer, map) {
  setState({ layer, ...STRONGEST, map });
  openTab("convolution");
  scrollTo(0, 0);
  byId("h-convolution").focus({ preventScroll: true });
}

/** The maps in their order; of many the strongest, each opens its numbers. */
function renderMaps({ number, values }) {
  const most = findStrongest(values.flat(2));
  const ramp = values.flat(2).some((value) => value < 0) ? makeSignedRamp(most) : makeInkRamp(most);
  const peaks = values.map((map) => findStrongest(map.flat()));
  const shown = peaks
    .map((_, map) => map)
    .sort((a, b) => peaks[b] - peaks[a])
    .slice(0, MAX_MAPS)
    .sort((a, b) => a - b);
  const buttons = shown.map((map) => {
    const canvas = h("canvas");
    paintPixels(canvas, values[map].flat(), values[map][0].length, ramp);
    const words = `layer ${number}, map ${map}, at most ${formatShort(peaks[map])}`;
    return h(
      "button",
      { type: "button", "aria-label": words, title: words, onclick: () => open(number, map) },
      canvas,
    );
  });
  const left = values.length - shown.length;
  const group = h(
    "div",
    { class: "maps", role: "group", "aria-label": `Maps of layer ${number}; arrow keys move` },
    ...buttons,
  );
  bindRoving(group);
  return h(
    "div",
    {},
    group,
    left ? h("p", { class: "quiet" }, `and ${left} weaker ones`) : null,
  );
}

function renderValues({ number, values }) {
  const most = findStrongest(values);
  const ramp = values.some((value) => value < 0) ? makeSignedRamp(most) : makeInkRamp(most);
  const best = values.indexOf(Math.max(...values));
  const canvas = h("canvas", { class: "net-values" });
  const padded = Array.from(
    { length: Math.ceil(values.length / COLUMNS) * COLUMNS },
    (_, index) => values[index] ?? 0,
  );
  paintPixels(canvas, padded, Math.min(COLUMNS, values.length), ramp);
  const words = `layer ${number}: ${values.length} values, ${values.filter((value) => value > 0).length} above 0, the largest is number ${best} with ${formatShort(values[best])}`;
  return h(
    "div",
    { class: "net-dense" },
    h("button", { type: "button", "aria-label": words, onclick: () => open(number, best) }, canvas),
    h("p", { class: "quiet" }, `${words}.`),
  );
}

function renderLast(layer) {
  const { number, kind, shape, values } = layer;
  const flat = values.flat(2);
  return h(
    "li",
    { class: "net-layer" },
    h("h2", {}, `${number} ${kind}`, h("span", { class: "quiet" }, ` ${shape.join(" x ")}: logits, then softmax`)),
    renderSoftmax(flat),
  );
}
