// How a number came about, as elements: tables of factors, shares of channels, the last steps.

import { h } from "../core/dom.js";
import { formatShort } from "../core/numbers.js";
import { SIDE } from "../ink/drawing.js";
import { paintPixels } from "./paint.js";
import { makeSignedRamp, findStrongest, pickTextColor } from "./ramps.js";

const MAX_CHANNELS = 8;
const MAX_INPUTS = 12; // of a dense value: those that count most

/** @param {number[]} values */
export const sumValues = (values) => values.reduce((sum, value) => sum + value, 0);

/** The places of numbers, the largest in size first. @param {number[]} values */
export const orderBySize = (values) =>
  values.map((_, index) => index).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));

/**
 * A small table of numbers, coloured by what they are.
 * @param {string} name
 * @param {number[][]} values
 * @param {import("./ramps.js").Ramp} [ramp]
 * @param {{row: number, column: number} | null} [mark] a cell that is marked
 */
export function renderTable(name, values, ramp = makeSignedRamp(findStrongest(values.flat())), mark = null) {
  const rows = values.map((row, down) => {
    const cells = row.map((value, right) => {
      const rgb = ramp(value);
      const isMarked = mark?.row === down && mark.column === right;
      const cell = h("td", { class: isMarked ? "marked" : null }, formatShort(value));
      cell.style.backgroundColor = `rgb(${rgb})`;
      cell.style.color = pickTextColor(rgb);
      return cell;
    });
    return h("tr", {}, ...cells);
  });
  return h("table", { class: "numbers" }, h("caption", {}, name), h("tbody", {}, ...rows));
}

/** A window, a kernel and their products side by side. @param {number[][]} window @param {number[][]} kernel @param {number[][]} products @param {import("./ramps.js").Ramp} ramp */
export function renderProduct(window, kernel, products, ramp) {
  const sign = (/** @type {string} */ text) => h("span", { class: "op" }, text);
  return h(
    "div",
    { class: "sum" },
    renderTable("the window", window, ramp),
    sign("×"),
    renderTable("the kernel", kernel),
    sign("="),
    renderTable("the products", products),
  );
}

/** @param {number} share @param {number} max */
function renderBar(share, max) {
  const element = h("i", { class: share < 0 ? "minus" : "" });
  element.style.width = `${(100 * Math.abs(share)) / (max || 1)}%`;
  return h("span", { class: "share" }, element);
}

/**
 * What each channel adds to the sum, as buttons that choose a channel.
 * @param {number[]} shares
 * @param {number} chosen
 * @param {(channel: number) => void} choose
 */
export function renderChannels(shares, chosen, choose) {
  const max = findStrongest(shares);
  const buttons = orderBySize(shares)
    .slice(0, MAX_CHANNELS)
    .map((index) =>
      h(
        "button",
        {
          type: "button",
          class: "channel",
          "aria-pressed": String(index === chosen),
          onclick: () => choose(index),
        },
        h("span", {}, `channel ${index}`),
        renderBar(shares[index], max),
        h("b", {}, formatShort(shares[index])),
      ),
    );
  const more = shares.length > MAX_CHANNELS ? `; the ${MAX_CHANNELS} that add most` : "";
  return h(
    "div",
    {},
    h("p", { class: "quiet" }, `What each of ${shares.length} channels adds${more}`),
    h("div", { class: "channel-list" }, ...buttons),
  );
}

/** The weights of a value that sees all pixels, and the products, as pictures of 28 x 28. @param {{kernel: number[], products: number[]}} cell */
export function renderPictures({ kernel, products }) {
  const picture = (/** @type {string} */ name, /** @type {number[]} */ values) => {
    const canvas = h("canvas", { role: "img", "aria-label": `${name} as a picture` });
    paintPixels(canvas, values, SIDE, makeSignedRamp(findStrongest(values)));
    return h("figure", {}, h("figcaption", {}, name), canvas);
  };
  return h(
    "div",
    { class: "bench-maps" },
    picture("Its weights", kernel),
    picture("The products", products),
  );
}

/** The inputs of a dense value that count most. @param {{window: number[], kernel: number[], products: number[]}} cell @param {(index: number) => string} name */
export function renderInputs({ window, kernel, products }, name) {
  const first = orderBySize(products).slice(0, MAX_INPUTS);
  const max = findStrongest(products);
  const lines = first.map((index) =>
    h(
      "li",
      {},
      h("span", {}, name(index)),
      h("code", {}, `${formatShort(window[index])} × ${formatShort(kernel[index])}`),
      renderBar(products[index], max),
      h("b", {}, formatShort(products[index])),
    ),
  );
  return h(
    "div",
    {},
    h(
      "p",
      { class: "quiet" },
      `The ${first.length} inputs of ${products.length} that count most`,
    ),
    h("ul", { class: "inputs" }, ...lines),
  );
}

/**
 * Sum, bias, activation and pooling, one after the other.
 * @param {Api.Cell} cell
 * @param {{value: number, words: string} | null} pool what the pooling after it makes of it
 */
export function renderSteps({ sum, bias, rest, before, activation, value: result }, pool) {
  /** @type {[string, number][]} */
  const parts = sum === null ? [["the window gives", result]] : [["sum", sum], ["+ bias", bias ?? 0]];
  if (sum !== null) {
    if (rest) parts.push(["+ the rest", rest]);
    parts.push(["=", before]);
    if (activation) parts.push([activation, result]);
  }
  if (pool) parts.push(["pooling", pool.value]);
  const steps = parts.map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, formatShort(value))),
  );
  return [
    h("dl", { class: "chain" }, ...steps),
    ...(pool ? [h("p", { class: "quiet" }, pool.words)] : []),
  ];
}
