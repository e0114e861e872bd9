// The digit in hand: the drawing -> 28 x 28 pixels and the chosen network's answer.

import { newest, post, Problem, send } from "./core/api.js";
import { set, state, watch } from "./core/store.js";
import { bare, fromRows, isBare, rows } from "./ink/drawing.js";
import { asPicture } from "./ink/render.js";

/**
 * `several`: how many digits the drawing looks like; it is read as one all the same.
 * @type {{pixels: Uint8Array | null, answer: any, problem: any, several: number}}
 */
export const digit = { pixels: null, answer: null, problem: null, several: 1 };

/** @type {(() => void)[]} */
const listeners = [];
/** @type {import("./core/store.js").Drawing | null} */
let unfinished = null;
/** @type {{blob: Blob, base: Uint8Array} | null} a picture that was opened, while it is the digit */
let origin = null;

/** Call `act` whenever the digit or its answer changes. @param {() => void} act */
export const onDigit = (act) => listeners.push(act);

function tell(change) {
  Object.assign(digit, change);
  for (const act of listeners) act();
}

/** What is sent of a drawing: pixels as they are, or a picture that is to be framed as a whole. */
function subject(drawing) {
  return drawing.strokes.length
    ? { picture: asPicture(drawing), how: { drawing: true } }
    : { picture: rows(drawing.base), how: { frame: false } };
}

const nothing = { pixels: null, answer: null, problem: null, several: 1 };

const ask = newest(async () => {
  const drawing = unfinished ?? state.drawing;
  if (isBare(drawing)) return tell(nothing);
  const { picture, how } = subject(drawing);
  try {
    const query = { network: state.network, ...how, pixels: true };
    const found = (await post("/v1/predict", { pictures: [picture] }, query)).pictures[0];
    if (isBare(unfinished ?? state.drawing)) return;
    const { pixels, several } = found;
    tell({
      pixels: fromRows(pixels),
      answer: found.answers[0],
      problem: null,
      several: several ?? 1,
    });
  } catch (problem) {
    tell({ ...nothing, pixels: drawing.strokes.length ? null : drawing.base, problem });
  }
});

/** Ask about a drawing that is not done yet. @param {import("./core/store.js").Drawing} drawing */
export function preview(drawing) {
  unfinished = drawing;
  return ask();
}

/** Ask whenever the drawing or the network changes. */
export function bindDigit() {
  watch(["drawing", "network"], () => {
    unfinished = null;
    ask();
  });
  ask();
}

/** Take 28 x 28 pixels as the digit. @param {Uint8Array} pixels */
export const take = (pixels) => set({ drawing: { base: pixels, strokes: [] }, dx: 0, dy: 0 });

/** Open a picture file of one digit; a Problem is thrown of what is none. @param {Blob} blob */
export async function openPicture(blob) {
  const query = { network: state.network, pixels: true };
  const found = (await send("/v1/predict", blob, query)).pictures[0];
  const base = fromRows(found.pixels);
  origin = { blob, base };
  take(base);
}

/** Bring the cells to MNIST's size and place. */
export async function centre() {
  const { base } = state.drawing;
  if (!base || isBare(state.drawing)) return;
  try {
    const query = { network: state.network, drawing: true, pixels: true };
    const picture = asPicture({ ...bare(), base });
    const found = (await post("/v1/predict", { pictures: [picture] }, query)).pictures[0];
    take(fromRows(found.pixels));
  } catch (problem) {
    tell({ problem });
  }
}

/** @type {{key: string, found: Promise<any>}} */
let kept = { key: "", found: Promise.resolve(null) };

/** Why the chosen network answers so: /v1/explain of the digit, asked for once. */
export function explained() {
  const { drawing, network } = state;
  const { picture, how } = subject(drawing);
  const key = `${network} ${picture}`;
  if (key !== kept.key) {
    const opened = origin && origin.base === drawing.base && !drawing.strokes.length;
    const found = opened
      ? send("/v1/explain", origin.blob, { network })
      : post("/v1/explain", { pictures: [picture] }, { network, ...how });
    kept = { key, found };
    found.catch(() => {
      kept = { key: "", found };
    });
  }
  return kept.found;
}

/** @param {unknown} error */
export const isSeveral = (error) => error instanceof Problem && error.kind === "several-digits";
