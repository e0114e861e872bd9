// A layer of the whole network's picture: made once, and painted anew for each drawing.

import { bindRoving, byId, h } from "../core/dom.js";
import { formatShort } from "../core/numbers.js";
import { setState, STRONGEST } from "../core/store.js";
import { openTab } from "../core/url.js";
import { isUnfinished } from "../digit.js";
import { fromBase64, paintPixels, paintShades } from "./paint.js";
import { findStrongest, makeInkRamp, makeShades, makeSignedRamp } from "./ramps.js";
import { makeSoftmax } from "./softmax.js";

/** @typedef {Api.LayerMaps | Api.ShadedMaps} Layer as /v1/explain tells it with `shades`: maps are shaded */

/** @param {number} index */
const itself = (index) => index;
const MAX_MAPS = 32; // of a layer: the strongest
const COLUMNS = 64; // values of a dense layer side by side

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {(layer: Layer) => void} update paint what the layer gives now
 * @property {(index: number) => number | null} slot the place among those shown of a map or value
 * @property {(slot: number) => DOMRect} place where that is seen
 */

/** @param {number} layer @param {number} map */
function open(layer, map) {
  setState({ layer, ...STRONGEST, map });
  openTab("convolution");
  scrollTo(0, 0);
  byId("h-convolution").focus({ preventScroll: true });
}

/** The largest size among nested numbers, and whether any is below zero. @param {number[]} flat */
function makeRamp(flat) {
  const most = findStrongest(flat);
  return flat.some((value) => value < 0) ? makeSignedRamp(most) : makeInkRamp(most);
}

/** @param {Layer} layer @param {boolean} isLast @returns {Row} */
export function makeRow(layer, isLast) {
  const { number, kind, shape, about, arithmetic } = layer;
  const part = isLast ? makeLogits() : kind === "dense" ? makeValues(layer) : makeMaps(layer);
  const size = `${shape.join(" x ")}${isLast ? ": logits, one for each digit, then softmax" : ""}`;
  const words = isLast ? null : h("p", { class: "quiet" }, `${about}.${arithmetic ? ` Side: ${arithmetic}.` : ""}`);
  const element = h(
    "li",
    { class: "net-layer" },
    h("h2", {}, `${number} ${kind}`, h("span", { class: "quiet" }, ` ${size}`)),
    words,
    ...part.elements,
  );
  return { element, update: part.update, slot: part.slot, place: part.place };
}

/** The maps in their order; of many the strongest, each opens its numbers. @param {{number: number, shape: number[]}} layer */
function makeMaps({ number, shape }) {
  const count = Math.min(MAX_MAPS, shape[0]);
  /** @type {number[]} which map each button shows */
  let maps = [];
  const canvases = Array.from({ length: count }, () => h("canvas"));
  const buttons = canvases.map((canvas, index) =>
    h("button", { type: "button", onclick: () => open(number, maps[index]) }, canvas),
  );
  const label = `Maps of layer ${number}; arrow keys move`;
  const group = h("div", { class: "maps", role: "group", "aria-label": label }, ...buttons);
  bindRoving(group);
  const left = shape[0] - count;
  const more = left ? h("p", { class: "quiet" }, `and ${left} weaker ones`) : null;

  function update(/** @type {Layer} */ layer) {
    if (!("shades" in layer)) return;
    const { shades, signed, peaks } = layer;
    const bytes = fromBase64(shades);
    const size = bytes.length / peaks.length;
    maps = peaks.map((_, map) => map);
    if (left) maps = maps.sort((a, b) => peaks[b] - peaks[a]).slice(0, count).sort((a, b) => a - b);
    const table = makeShades(signed);
    maps.forEach((map, index) => {
      paintShades(canvases[index], bytes.subarray(map * size, (map + 1) * size), shape[2], table);
      if (isUnfinished()) return; // names are for who looks at it, not while the pen moves
      const words = `layer ${number}, map ${map}, at most ${formatShort(peaks[map])}`;
      if (buttons[index].title === words) return;
      buttons[index].title = words;
      buttons[index].setAttribute("aria-label", words);
    });
  }
  return {
    elements: [group, ...(more ? [more] : [])],
    update,
    slot: (/** @type {number} */ map) => (maps.includes(map) ? maps.indexOf(map) : null),
    place: (/** @type {number} */ slot) => buttons[slot].getBoundingClientRect(),
  };
}

/** @param {{number: number, shape: number[]}} layer */
function makeValues({ number, shape: [count] }) {
  const canvas = h("canvas", { class: "net-values" });
  const words = h("p", { class: "quiet" });
  let best = 0;
  const button = h("button", { type: "button", onclick: () => open(number, best) }, canvas);
  const columns = Math.min(COLUMNS, count);
  const rows = Math.ceil(count / columns);

  function update(/** @type {Layer} */ layer) {
    const values = takeValues(layer);
    best = values.indexOf(Math.max(...values));
    const padded = Array.from({ length: rows * columns }, (_, index) => values[index] ?? 0);
    paintPixels(canvas, padded, columns, makeRamp(values));
    const above = values.filter((value) => value > 0).length;
    const text = `${count} values, ${above} above 0, the largest is number ${best} with ${formatShort(values[best])}.`;
    if (words.textContent === text) return;
    words.textContent = text;
    button.setAttribute("aria-label", `layer ${number}: ${words.textContent}`);
  }
  function place(/** @type {number} */ index) {
    const box = canvas.getBoundingClientRect();
    const [width, height] = [box.width / columns, box.height / rows];
    const [row, column] = [Math.floor(index / columns), index % columns];
    return new DOMRect(box.x + column * width, box.y + row * height, width, height);
  }
  return { elements: [h("div", { class: "net-dense" }, button, words)], update, slot: itself, place };
}

/** The values of a dense layer. @param {Layer} layer @returns {number[]} */
const takeValues = (layer) => ("values" in layer ? layer.values : []);

function makeLogits() {
  const { element, update } = makeSoftmax();
  /** Beside the table, for ribbons not to run over its numbers. @param {number} digit */
  function place(digit) {
    const { x, y, height } = element.querySelectorAll("tbody th")[digit].getBoundingClientRect();
    return new DOMRect(x - 10, y + height / 2, 0, 0);
  }
  return { elements: [element], update: (/** @type {Layer} */ layer) => update(takeValues(layer)), slot: itself, place };
}
