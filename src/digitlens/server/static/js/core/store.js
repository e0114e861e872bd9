// The state of the page: one object; views watch the parts that they depend on.

import { isStatic } from "./api.js";
import { OPENING } from "../ink/examples.js";

/**
 * @typedef {object} Drawing
 * @property {Uint8Array | null} base 28 x 28 pixels beneath the strokes, 0 = paper, 255 = ink
 * @property {import("./codec.js").Stroke[]} strokes
 */

/**
 * @typedef {object} State
 * @property {string} tab
 * @property {string} network
 * @property {string[]} compare networks side by side
 * @property {Drawing} drawing
 * @property {"pen" | "cells"} tool
 * @property {"bytes" | "share" | "bit"} form how pixels are written
 * @property {boolean} zoom pixels large, with numbers
 * @property {number} pixel the chosen pixel, 0..783
 * @property {number | null} label null: what the network answers
 * @property {number} dx
 * @property {number} dy
 * @property {number} layer
 * @property {number | null} map null: the strongest of the layer
 * @property {number | null} row null: the strongest number of the map
 * @property {number | null} column
 * @property {string} kernel edited by hand, as `kernelToText` writes it; "": the learned one
 * @property {string} run
 * @property {string[]} overlay runs whose curves are laid over it
 * @property {string} data
 * @property {string} part "": validation for a run, else the test digits
 * @property {string} cell truth and answer, "49"
 */

/** Of a new layer, the strongest number is shown. */
export const STRONGEST = { map: null, row: null, column: null };

/** @returns {State} */
export function initialState() {
  return {
    tab: "draw",
    network: isStatic ? "cnn" : "universal",
    compare: isStatic ? ["tiny", "cnn", "universal"] : ["dense-deformed", "quick", "universal"],
    drawing: OPENING,
    tool: "pen",
    form: "bytes",
    zoom: false,
    pixel: 406,
    label: null,
    dx: 0,
    dy: 0,
    layer: 1,
    ...STRONGEST,
    kernel: "",
    run: "",
    overlay: [],
    data: isStatic ? "uci" : "mnist",
    part: "",
    cell: "",
  };
}

/** @type {State} */
export const state = initialState();

/** @type {{keys: string[], act: () => void}[]} */
const watchers = [];

/** Call `callback` whenever one of `keys` changes. @param {string[]} keys @param {() => void} callback */
export function watch(keys, callback) {
  watchers.push({ keys, act: callback });
}

/** Change the state and call the watchers of what changed. @param {Partial<State>} change */
export function setState(change) {
  const keysOfState = /** @type {(keyof State)[]} */ (Object.keys(change));
  /** @type {string[]} */
  const changed = keysOfState.filter((key) => state[key] !== change[key]);
  Object.assign(state, change);
  for (const { keys, act: callback } of watchers) {
    if (keys.some((key) => changed.includes(key))) callback();
  }
}
