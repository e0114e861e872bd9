// The state as an address, and back: #convolution?network=cnn&layer=1&strokes=...

import { pixelsFromText, pixelsToText, strokesFromText, strokesToText } from "./codec.js";
import { OPENING } from "../ink/examples.js";
import { kernelFromText } from "../parts/kernels.js";
import { initialState, setState, state, watch } from "./store.js";

export const TABS = [
  "draw",
  "network",
  "pixels",
  "features",
  "answer",
  "convolution",
  "map",
  "train",
  "mistakes",
  "read",
  "digits",
  "review",
];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const WRITE_DELAY = 200; // milliseconds: browsers refuse an address that changes too often

/**
 * How a part of the state becomes text (as `String` does, by default), and is read again;
 * undefined of a text that is none of its values.
 * @typedef {{to?: (value: any) => string, from: (text: string) => any}} Part
 */

/** @param {...string} allowed @returns {Part} */
const oneOf = (...allowed) => ({ from: (text) => (allowed.includes(text) ? text : undefined) });
/** @type {Part} */
const name = { from: (text) => (NAME.test(text) ? text : undefined) };
/** @param {number} most @returns {Part} */
const names = (most) => ({
  to: (list) => list.join(","),
  from: (text) =>
    text
      .split(",")
      .filter((item) => NAME.test(item))
      .slice(0, most),
});
/** @param {number} low @param {number} height @returns {Part} */
const integer = (low, height) => ({
  from(text) {
    const value = Number(text);
    return Number.isInteger(value) && value >= low && value <= height ? value : undefined;
  },
});

/** Each part of the state that an address holds. @type {Record<string, Part>} */
const PARTS = {
  network: name,
  compare: names(8),
  tool: oneOf("pen", "cells"),
  form: oneOf("bytes", "share", "bit"),
  zoom: { to: (on) => (on ? "1" : "0"), from: (text) => text === "1" },
  pixel: integer(0, 783),
  label: integer(0, 9),
  dx: integer(-7, 7),
  dy: integer(-7, 7),
  layer: integer(1, 1000),
  map: integer(0, 100000),
  row: integer(0, 1000),
  column: integer(0, 1000),
  kernel: { from: (text) => (text.length < 4000 && kernelFromText(text) ? text : undefined) },
  run: name,
  overlay: names(3),
  data: oneOf("mnist", "uci", "fashion", "own", "generated"),
  part: oneOf("test", "validation", "train"),
  cell: { from: (text) => (/^[0-9][0-9]$/.test(text) ? text : undefined) },
};

/** Return the address of a state. @param {import("./store.js").State} target */
export function toHash(target) {
  /** @type {[Record<string, any>, Record<string, any>]} */
  const [initial, given] = [initialState(), target];
  const query = new URLSearchParams();
  for (const [key, { to = String }] of Object.entries(PARTS)) {
    const value = given[key];
    if (value !== null && to(value) !== String(initial[key] ?? "") && value !== initial[key]) {
      query.set(key, to(value));
    }
  }
  const { base, strokes } = target.drawing;
  if (base) query.set("pixels", pixelsToText(base));
  // Without either the page opens with an example: a cleared sheet says that it is one.
  if (target.drawing !== OPENING && (strokes.length || !base)) query.set("strokes", strokesToText(strokes));
  const rest = query.toString();
  return `#${target.tab}${rest ? `?${rest}` : ""}`;
}

/** Return the state that an address tells. @param {string} hash */
export function fromHash(hash) {
  const result = initialState();
  const [tab, rest = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  if (TABS.includes(tab)) result.tab = tab;
  const query = new URLSearchParams(rest);
  for (const [key, { from }] of Object.entries(PARTS)) {
    const text = query.get(key);
    const value = text === null ? undefined : from(text);
    if (value !== undefined) Object.assign(result, { [key]: value });
  }
  const [pixels, strokes] = [query.get("pixels"), query.get("strokes")];
  if (pixels !== null || strokes !== null) {
    result.drawing = {
      base: pixels === null ? null : pixelsFromText(pixels),
      strokes: strokesFromText(strokes ?? ""),
    };
  }
  return result;
}

let timer = 0;

function write() {
  clearTimeout(timer);
  timer = 0;
  history.replaceState(null, "", toHash(state));
}

/** Keep the address and the state the same. */
export function bindAddress() {
  setState(fromHash(location.hash));
  watch(Object.keys(initialState()), () => {
    timer ||= setTimeout(write, WRITE_DELAY);
  });
  addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = 0;
    setState(fromHash(location.hash));
  });
  addEventListener("pagehide", () => timer && write());
}

/** Open a view: a step in the browser's history. @param {string} tab */
export function openTab(tab) {
  if (timer) write();
  if (tab !== state.tab) history.pushState(null, "", toHash({ ...state, tab }));
  setState({ tab });
}
