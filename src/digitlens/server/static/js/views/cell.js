// The number under the cursor: which window it sees, and how it comes about.

import { newest, post } from "../core/api.js";
import { by } from "../core/dom.js";
import { brief } from "../core/numbers.js";
import { capital } from "../core/say.js";
import { state } from "../core/store.js";
import { digit } from "../digit.js";
import { rows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { inkRamp, signedRamp, strongest } from "../parts/ramps.js";
import {
  bySize,
  chain,
  channels,
  inputs,
  pictures,
  product,
  table,
  total,
} from "../parts/sums.js";

/**
 * @typedef {object} Place
 * @property {any} layer as /v1/explain tells it
 * @property {number} map
 * @property {number} row
 * @property {number} column
 * @property {any} into what the layer before gives
 * @property {any} after the layer after it, if any
 */

/** @type {Grid} */
let into;
/** @type {Place} */
let place;
/** @type {number | null} the channel that is looked at; null: the one that adds most */
let channel = null;
let channelOf = "";

export function initCell() {
  into = new Grid(by("conv-into"));
}

/** @param {Place} wanted */
export function showCell(wanted) {
  place = wanted;
  const key = `${state.network} ${place.layer.number} ${place.map}`;
  if (key !== channelOf) [channel, channelOf] = [null, key];
  ask();
}

const ask = newest(async () => {
  if (!digit.pixels) return;
  const asked = place;
  const { layer, map, row, column } = asked;
  const at = layer.kind === "dense" ? { map } : { map, row, column };
  const query = { network: state.network, layer: layer.number, member: layer.member, ...at };
  try {
    const body = { pictures: [rows(digit.pixels)] };
    const told = await post("/v1/explain/cell", body, { ...query, frame: false });
    if (asked.layer === place.layer) draw(told, asked);
  } catch (problem) {
    by("cell-words").textContent = String(problem.message);
  }
});

/** @param {any} told by /v1/explain/cell @param {Place} asked */
function draw(told, asked) {
  const { layer, after } = asked;
  const { number, kind } = layer;
  const where = kind === "dense" ? "" : `, row ${told.row}, column ${told.column}`;
  by("cell-title").textContent =
    `One number: layer ${number}, ${kind === "dense" ? "value" : "map"} ${told.map}${where}`;
  by("cell-words").textContent = `${capital(told.words)}.`;
  by("chain").replaceChildren(...chain(told, pooled(told, layer, after)));
  by("conv-into").closest("figure").hidden = kind === "dense" && number > 1;
  if (kind === "dense") {
    const seen = number === 1 ? [pictures(told)] : [];
    by("cell").replaceChildren(...seen, inputs(told));
    if (number === 1) showInto(asked, 0, null);
  } else if (kind === "pooling") {
    by("cell").replaceChildren(table("the window", told.window[0]));
    showInto(asked, told.map, windowOf(told, layer));
  } else {
    drawProducts(told, asked);
  }
}

function drawProducts(told, asked) {
  const { layer } = asked;
  const shares = told.products.map((each) => total(each.flat()));
  const chosen = Math.min(channel ?? bySize(shares)[0], shares.length - 1);
  const most = layer.number === 1 ? 255 : strongest(told.window.flat(2));
  const signed = told.window.flat(2).some((value) => value < 0);
  const ramp = signed ? signedRamp(most) : inkRamp(most);
  const choose = (at) => {
    channel = at;
    draw(told, asked);
    by("cell").querySelector('[aria-pressed="true"]')?.focus();
  };
  by("cell").replaceChildren(
    ...(shares.length > 1 ? [channels(shares, chosen, choose)] : []),
    product(told.window[chosen], told.kernel[chosen], told.products[chosen], ramp),
  );
  showInto(asked, firstOfGroup(layer, told.map) + chosen, windowOf(told, layer));
}

function windowOf({ top, left, window }, { window: size }) {
  const [rowsSeen, columns] = [size || window[0].length, size || window[0][0].length];
  return { row: top, column: left, rows: rowsSeen, columns };
}

/** Show a map that the layer takes in, and where the window stands on it. */
function showInto({ layer, into: taken }, at, box) {
  const shown = taken[at];
  const most = layer.number === 1 ? 255 : strongest(taken.flat(2));
  const signed = shown.flat().some((value) => value < 0);
  into.show({
    rows: shown.length,
    columns: shown[0].length,
    at: (row, column) => shown[row][column],
    ramp: signed ? signedRamp(most) : inkRamp(most),
    text: brief,
    box,
  });
  by("into-title").textContent =
    layer.number === 1
      ? "Goes in: the 28 x 28 pixels"
      : `Goes in: map ${at} of ${taken.length}`;
}

/** In a grouped convolution a map sees some channels only: return the first of them. */
export const firstOfGroup = ({ into: [channelsIn], shape, groups }, map) =>
  Math.floor((map * groups) / shape[0]) * (channelsIn / groups);

/** What the pooling after this layer makes of the number, where there is one. */
function pooled({ map, row, column }, layer, after) {
  if (layer.kind !== "convolution" || after?.kind !== "pooling" || !after.window) return null;
  const [down, right] = [Math.floor(row / after.stride), Math.floor(column / after.stride)];
  const value = after.values[map]?.[down]?.[right];
  if (value === undefined) return null;
  const words =
    `Layer ${after.number} pools ${after.window} x ${after.window} numbers into one: ` +
    `this one goes into row ${down}, column ${right}.`;
  return { value, words };
}
