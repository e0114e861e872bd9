// The digit in hand: the drawing -> 28 x 28 pixels and the chosen network's answer.

import { coalesce, post, send } from "./core/api.js";
import { Problem } from "./core/problem.js";
import { setState, state, watch } from "./core/store.js";
import { emptyDrawing, fromRows, isEmpty, SIDE, toRows } from "./ink/drawing.js";
import { encodeDrawing } from "./ink/render.js";

/**
 * `several`: how many digits the drawing looks like; it is read as one all the same. `inside`:
 * what every layer makes of it, as /v1/explain tells, while the tab Network is open.
 * @type {{pixels: Uint8Array | null, answer: any, problem: any, several: number, inside: any}}
 */
export const digit = { pixels: null, answer: null, problem: null, several: 1, inside: null };

/** @type {(() => void)[]} */
const listeners = [];
/** @type {import("./core/store.js").Drawing | null} */
let unfinished = null;
/** @type {{blob: Blob, base: Uint8Array} | null} a picture that was opened, while it is the digit */
let origin = null;

/** Call `callback` whenever the digit or its answer changes. @param {() => void} callback */
export const onDigit = (callback) => listeners.push(callback);

/** @param {Partial<typeof digit>} change */
function update(change) {
  Object.assign(digit, change);
  for (const callback of listeners) callback();
}

/** What is sent of a drawing: pixels as they are, or a picture that is to be framed as a whole. @param {import("./core/store.js").Drawing} drawing */
export function describeRequest(drawing) {
  return drawing.strokes.length
    ? { picture: encodeDrawing(drawing), how: { drawing: true } }
    : { picture: toRows(drawing.base ?? new Uint8Array(SIDE * SIDE)), how: { frame: false } };
}

const NOTHING = { pixels: null, answer: null, problem: null, several: 1, inside: null };

/** Ask about the drawing on the page, the newest always. */
export const askNetwork = coalesce(async () => {
  const drawing = currentDrawing();
  if (isEmpty(drawing)) return update(NOTHING);
  const { picture, how } = describeRequest(drawing);
  try {
    // One request, in Network too: framing and asking twice takes twice as long.
    const isInside = state.tab === "network";
    const wanted = isInside ? { layers_only: true, shades: true } : { pixels: true };
    const query = { network: state.network, ...how, ...wanted };
    const path = isInside ? "/v1/explain" : "/v1/predict";
    const result = await post(path, { pictures: [picture] }, query);
    if (isEmpty(currentDrawing())) return;
    const { pixels, several, answers } = isInside ? result.picture : result.pictures[0];
    update({
      pixels: fromRows(pixels),
      answer: answers[0],
      problem: null,
      several: several ?? 1,
      inside: isInside ? result : null,
    });
  } catch (problem) {
    update({ ...NOTHING, pixels: drawing.strokes.length ? null : drawing.base, problem });
  }
});

/** The drawing with the stroke that is being drawn. */
export const currentDrawing = () => unfinished ?? state.drawing;

/** Whether a stroke is being drawn. */
export const isUnfinished = () => unfinished !== null;

/** The stroke is done. */
export const endPreview = () => (unfinished = null);

/** Ask about a drawing that is not done yet. @param {import("./core/store.js").Drawing} drawing */
export function previewDrawing(drawing) {
  unfinished = drawing;
  return askNetwork();
}

/** Ask whenever the drawing or the network changes. */
export function bindDigit() {
  watch(["drawing", "network"], () => {
    unfinished = null;
    askNetwork();
  });
  askNetwork();
}

/** Take 28 x 28 pixels as the digit. @param {Uint8Array} pixels */
export const setPixels = (pixels) => setState({ drawing: { base: pixels, strokes: [] }, dx: 0, dy: 0 });

/** Open a picture file of one digit; a Problem is thrown of what is none. @param {Blob} blob */
export async function openPicture(blob) {
  const query = { network: state.network, pixels: true };
  const result = (await send("/v1/predict", blob, query)).pictures[0];
  const base = fromRows(result.pixels);
  origin = { blob, base };
  setPixels(base);
}

/** Bring the cells to MNIST's size and place. */
export async function centerDigit() {
  const { base } = state.drawing;
  if (!base || isEmpty(state.drawing)) return;
  try {
    const query = { network: state.network, drawing: true, pixels: true };
    const picture = encodeDrawing({ ...emptyDrawing(), base });
    const result = (await post("/v1/predict", { pictures: [picture] }, query)).pictures[0];
    setPixels(fromRows(result.pixels));
  } catch (problem) {
    update({ problem });
  }
}

let gradients = false; // whether explanations come with integrated gradients, which need torch

/** From now on explanations have integrated gradients. */
export const wantGradients = () => (gradients = true);

/** @type {{key: string, result: Promise<any>}} */
let explanation = { key: "", result: Promise.resolve(null) };

/** Why the chosen network answers so: /v1/explain of the digit, asked for once. */
export function loadExplanation() {
  const { drawing, network } = state;
  const { picture, how } = describeRequest(drawing);
  const key = `${network} ${gradients} ${picture}`;
  const query = { network, gradients: gradients || null };
  if (key !== explanation.key) {
    const opened = origin?.base === drawing.base && !drawing.strokes.length ? origin : null;
    const result = opened
      ? send("/v1/explain", opened.blob, query)
      : post("/v1/explain", { pictures: [picture] }, { ...query, ...how });
    explanation = { key, result };
    result.catch(() => {
      explanation = { key: "", result };
    });
  }
  return explanation.result;
}

/** @param {unknown} error */
export const isSeveral = (error) => error instanceof Problem && error.kind === "several-digits";
