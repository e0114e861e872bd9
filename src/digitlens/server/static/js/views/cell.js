// The number under the cursor: which window it sees, and how it comes about.

import { coalesce, post } from "../core/api.js";
import { byId, query } from "../core/dom.js";
import { formatBrief } from "../core/numbers.js";
import { capitalize, describeProblem } from "../core/messages.js";
import { state } from "../core/store.js";
import { digit } from "../digit.js";
import { toRows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { makeInkRamp, makeSignedRamp, findStrongest } from "../parts/ramps.js";
import { renderSoftmax } from "../parts/softmax.js";
import {
  orderBySize,
  renderSteps,
  renderChannels,
  renderInputs,
  renderPictures,
  renderProduct,
  renderTable,
  sumValues,
} from "../parts/sums.js";

/**
 * @typedef {object} Place
 * @property {Api.LayerMaps} layer
 * @property {number} map
 * @property {number} row
 * @property {number} column
 * @property {any[]} into what the layer before gives, as its `values`
 * @property {Api.LayerMaps | undefined} after the layer after it, if any
 */

/** A number that has weights: of any layer but pooling. @typedef {Api.Cell & {kernel: any[], products: any[]}} Weighed */

/** @type {Grid} */
let into;
/** @type {Place} */
let place;
/** @type {number | null} the channel that is looked at; null: the one that adds most */
let channel = null;
let channelOf = "";

export function initCell() {
  into = new Grid(byId("conv-into"));
}

/** @param {Place} wanted */
export function showCell(wanted) {
  place = wanted;
  const key = `${state.network} ${place.layer.number} ${place.map}`;
  if (key !== channelOf) [channel, channelOf] = [null, key];
  ask();
}

const ask = coalesce(async () => {
  if (!digit.pixels) return;
  const asked = place;
  const { layer, map, row, column } = asked;
  const index = layer.kind === "dense" ? { map } : { map, row, column };
  const query = { network: state.network, layer: layer.number, member: layer.member, ...index };
  try {
    const body = { pictures: [toRows(digit.pixels)] };
    const response = await post("/v1/explain/cell", body, { ...query, frame: false });
    if (asked.layer === place.layer) draw(response, asked);
  } catch (problem) {
    byId("cell-words").textContent = describeProblem(problem);
  }
});

/** @param {Api.Cell} response @param {Place} asked */
function draw(response, asked) {
  const { layer, after } = asked;
  const { number, kind } = layer;
  const where = kind === "dense" ? "" : `, row ${response.row}, column ${response.column}`;
  const value = after ? `value ${response.map}` : nameLogit(response.map);
  byId("cell-title").textContent =
    `One number: layer ${number}, ${kind === "dense" ? value : `map ${response.map}`}${where}`;
  byId("cell-words").textContent = `${capitalize(response.words)}.`;
  byId("chain").replaceChildren(...renderSteps(response, findPooled(response, layer, after)));
  /** @type {HTMLElement} */ (byId("conv-into").closest("figure")).hidden = kind === "dense" && number > 1;
  const weighed = /** @type {Weighed} */ (response);
  if (kind === "dense") {
    const seen = number === 1 ? [renderPictures(weighed)] : [];
    // The last layer's values are logits: one step is left to the answer.
    const logits = after ? [] : [renderSoftmax(layer.values.flat(2))];
    byId("cell").replaceChildren(...seen, renderInputs(weighed, nameInputs(asked)), ...logits);
    if (number === 1) showInto(asked, 0, null);
  } else if (kind === "pooling") {
    const largest = findLargest(response.window[0]);
    byId("cell").replaceChildren(
      renderTable("the window: its largest number is passed on", response.window[0], undefined, largest),
    );
    const box = findBox(response, layer);
    const mark = { row: box.row + largest.row, column: box.column + largest.column };
    showInto(asked, response.map, box, mark);
  } else {
    drawProducts(weighed, asked);
  }
}

/** @param {Weighed} response @param {Place} asked */
function drawProducts(response, asked) {
  const { layer } = asked;
  const shares = response.products.map((/** @type {number[][]} */ item) => sumValues(item.flat()));
  const chosen = Math.min(channel ?? orderBySize(shares)[0], shares.length - 1);
  const most = layer.number === 1 ? 255 : findStrongest(response.window.flat(2));
  const signed = response.window.flat(2).some((value) => value < 0);
  const ramp = signed ? makeSignedRamp(most) : makeInkRamp(most);
  const choose = (/** @type {number} */ index) => {
    channel = index;
    draw(response, asked);
    query('[aria-pressed="true"]', byId("cell"))?.focus();
  };
  byId("cell").replaceChildren(
    ...(shares.length > 1 ? [renderChannels(shares, chosen, choose)] : []),
    renderProduct(response.window[chosen], response.kernel[chosen], response.products[chosen], ramp),
  );
  showInto(asked, findFirstChannel(layer, response.map) + chosen, findBox(response, layer));
}

/** What a value of the last layer stands for. @param {number} index */
export const nameLogit = (index) => (index < 10 ? `the digit ${index}` : "“no digit”");

/** How the inputs of a dense value are called: by where they come from. @param {Place} asked @returns {(index: number) => string} */
function nameInputs({ layer, into: taken }) {
  if (!Array.isArray(taken[0])) return (index) => `value ${index} of layer ${layer.number - 1}`;
  const [rows, columns] = [taken[0].length, taken[0][0].length];
  return (index) => {
    const [map, rest] = [Math.floor(index / (rows * columns)), index % (rows * columns)];
    const place = `row ${Math.floor(rest / columns)}, column ${rest % columns}`;
    return layer.number === 1 ? `pixel ${place}` : `map ${map}, ${place}`;
  };
}

/** @param {number[][]} window */
function findLargest(window) {
  const flat = window.flat();
  const index = flat.indexOf(Math.max(...flat));
  return { row: Math.floor(index / window[0].length), column: index % window[0].length };
}

/** Where a window stands. @param {Api.Cell} cell @param {Api.LayerMaps} layer */
function findBox({ top, left, window }, { window: size }) {
  const [rowsSeen, columns] = [size || window[0].length, size || window[0][0].length];
  return { row: top ?? 0, column: left ?? 0, rows: rowsSeen, columns };
}

/**
 * Show a map that the layer takes in, and where the window stands on it.
 * @param {Place} asked
 * @param {number} index
 * @param {import("../parts/grid.js").Shown["box"]} box
 * @param {{row: number, column: number} | null} [mark]
 */
function showInto({ layer, into: taken }, index, box, mark = null) {
  /** @type {number[][]} */
  const shown = taken[index];
  const most = layer.number === 1 ? 255 : findStrongest(taken.flat(2));
  const signed = shown.flat().some((value) => value < 0);
  into.show({
    rows: shown.length,
    columns: shown[0].length,
    at: (row, column) => shown[row][column],
    ramp: signed ? makeSignedRamp(most) : makeInkRamp(most),
    text: formatBrief,
    box,
    mark,
  });
  byId("into-title").textContent =
    layer.number === 1
      ? "Goes in: the 28 x 28 pixels"
      : `Goes in: map ${index} of ${taken.length}`;
}

/** In a grouped convolution a map sees some channels only: return the first of them. @param {Api.LayerMaps} layer @param {number} map */
export const findFirstChannel = ({ into: [channelsIn], shape, groups }, map) =>
  Math.floor((map * groups) / shape[0]) * (channelsIn / groups);

/** What the pooling after this layer makes of the number, where there is one. @param {Api.Cell} cell @param {Api.LayerMaps} layer @param {Api.LayerMaps} [after] */
function findPooled({ map, row, column }, layer, after) {
  if (layer.kind !== "convolution" || after?.kind !== "pooling" || !after.window) return null;
  const [down, right] = [Math.floor(row / after.stride), Math.floor(column / after.stride)];
  const value = after.values[map]?.[down]?.[right];
  if (value === undefined) return null;
  const words =
    `Layer ${after.number} pools ${after.window} x ${after.window} numbers into one: ` +
    `this one goes into row ${down}, column ${right}.`;
  return { value, words };
}
