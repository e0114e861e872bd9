// How a number came about, as elements: tables of factors, shares of channels, the last steps.

import { el } from "../core/dom.js";
import { short } from "../core/numbers.js";
import { SIDE } from "../ink/drawing.js";
import { paint } from "./paint.js";
import { signedRamp, strongest, textOn } from "./ramps.js";

const MOST_CHANNELS = 8;
const MOST_INPUTS = 12; // of a dense value: those that count most

/** @param {number[]} values */
export const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** The places of numbers, the largest in size first. @param {number[]} values */
export const bySize = (values) =>
  values.map((_, at) => at).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));

/**
 * A small table of numbers, coloured by what they are.
 * @param {string} name
 * @param {number[][]} values
 */
export function table(name, values, ramp = signedRamp(strongest(values.flat()))) {
  const rows = values.map((row) => {
    const cells = row.map((value) => {
      const rgb = ramp(value);
      const cell = el("td", {}, short(value));
      cell.style.backgroundColor = `rgb(${rgb})`;
      cell.style.color = textOn(rgb);
      return cell;
    });
    return el("tr", {}, ...cells);
  });
  return el("table", { class: "numbers" }, el("caption", {}, name), el("tbody", {}, ...rows));
}

/** A window, a kernel and their products side by side. */
export function product(window, kernel, products, ramp) {
  const sign = (text) => el("span", { class: "op" }, text);
  return el(
    "div",
    { class: "sum" },
    table("the window", window, ramp),
    sign("×"),
    table("the kernel", kernel),
    sign("="),
    table("the products", products),
  );
}

function bar(share, most) {
  const made = el("i", { class: share < 0 ? "minus" : "" });
  made.style.width = `${(100 * Math.abs(share)) / (most || 1)}%`;
  return el("span", { class: "share" }, made);
}

/**
 * What each channel adds to the sum, as buttons that choose a channel.
 * @param {number[]} shares
 * @param {number} chosen
 * @param {(channel: number) => void} choose
 */
export function channels(shares, chosen, choose) {
  const most = strongest(shares);
  const buttons = bySize(shares)
    .slice(0, MOST_CHANNELS)
    .map((at) =>
      el(
        "button",
        {
          type: "button",
          class: "channel",
          "aria-pressed": String(at === chosen),
          onclick: () => choose(at),
        },
        el("span", {}, `channel ${at}`),
        bar(shares[at], most),
        el("b", {}, short(shares[at])),
      ),
    );
  const more = shares.length > MOST_CHANNELS ? `; the ${MOST_CHANNELS} that add most` : "";
  return el(
    "div",
    {},
    el("p", { class: "quiet" }, `What each of ${shares.length} channels adds${more}`),
    el("div", { class: "channel-list" }, ...buttons),
  );
}

/** The weights of a value that sees all pixels, and the products, as pictures of 28 x 28. */
export function pictures({ kernel, products }) {
  const picture = (name, values) => {
    const canvas = el("canvas", { role: "img", "aria-label": `${name} as a picture` });
    paint(canvas, values, SIDE, signedRamp(strongest(values)));
    return el("figure", {}, el("figcaption", {}, name), canvas);
  };
  return el(
    "div",
    { class: "bench-maps" },
    picture("Its weights", kernel),
    picture("The products", products),
  );
}

/** The inputs of a dense value that count most. */
export function inputs({ window, kernel, products }) {
  const first = bySize(products).slice(0, MOST_INPUTS);
  const most = strongest(products);
  const lines = first.map((at) =>
    el(
      "li",
      {},
      el("span", {}, `input ${at}`),
      el("code", {}, `${short(window[at])} × ${short(kernel[at])}`),
      bar(products[at], most),
      el("b", {}, short(products[at])),
    ),
  );
  return el(
    "div",
    {},
    el(
      "p",
      { class: "quiet" },
      `The ${first.length} inputs of ${products.length} that count most`,
    ),
    el("ul", { class: "inputs" }, ...lines),
  );
}

/**
 * Sum, bias, activation and pooling, one after the other.
 * @param {any} told by /v1/explain/cell
 * @param {{value: number, words: string} | null} pool what the pooling after it makes of it
 */
export function chain(told, pool) {
  const parts = told.sum === null ? [["the window gives", told.value]] : [];
  if (told.sum !== null) {
    parts.push(["sum", told.sum], ["+ bias", told.bias]);
    if (told.rest) parts.push(["+ the rest", told.rest]);
    parts.push(["=", told.before]);
    if (told.activation) parts.push([told.activation, told.value]);
  }
  if (pool) parts.push(["pooling", pool.value]);
  const steps = parts.map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, short(value))),
  );
  return [
    el("dl", { class: "chain" }, ...steps),
    ...(pool ? [el("p", { class: "quiet" }, pool.words)] : []),
  ];
}
