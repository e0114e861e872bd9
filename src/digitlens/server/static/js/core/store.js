// What the page shows. One object; who depends on a part of it watches that part.

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
 * @property {string} run
 * @property {string} data
 * @property {string} part
 * @property {string} cell truth and answer, "49"
 */

/** Of a new layer, the strongest number is shown. */
export const STRONGEST = { map: null, row: null, column: null };

/** @returns {State} */
export function first() {
  return {
    tab: "draw",
    network: "cnn",
    compare: ["dense-deformed", "tiny", "cnn"],
    drawing: { base: null, strokes: [] },
    tool: "pen",
    form: "bytes",
    zoom: false,
    pixel: 406,
    label: null,
    dx: 0,
    dy: 0,
    layer: 1,
    ...STRONGEST,
    run: "",
    data: "mnist",
    part: "test",
    cell: "",
  };
}

/** @type {State} */
export const state = first();

/** @type {{keys: string[], act: () => void}[]} */
const watchers = [];

/** Call `act` whenever one of `keys` changes. @param {string[]} keys @param {() => void} act */
export function watch(keys, act) {
  watchers.push({ keys, act });
}

/** Change the state and tell who watches what changed. @param {Partial<State>} change */
export function set(change) {
  const changed = Object.keys(change).filter((key) => state[key] !== change[key]);
  Object.assign(state, change);
  for (const { keys, act } of watchers) {
    if (keys.some((key) => changed.includes(key))) act();
  }
}
