// The digit in hand: the drawing -> 28 x 28 pixels and the chosen network's answer.

import { coalesce, post, send } from "./core/api.js";
import { Problem } from "./core/problem.js";
import { setState, state, watch } from "./core/store.js";
import { emptyDrawing, fromRows, isEmpty, SIDE, toRows } from "./ink/drawing.js";
import { encodeDrawing } from "./ink/render.js";

/** What there is with `layers_only` and `shades`. @typedef {Required<Pick<Api.Explained, "model" | "member" | "shown" | "layers" | "links" | "picture">>} Inside */
/** What there is without either. @typedef {Required<Omit<Api.Explained, "layers">> & {layers: Api.LayerMaps[]}} Explanation */

/**
 * `several`: how many digits the drawing looks like; it is read as one all the same. `inside`:
 * what every layer makes of it, while the tab Network is open.
 * @type {{pixels: Uint8Array | null, answer: Api.Answer | null, problem: unknown, several: number, inside: Inside | null}}
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

/** The pixels of a picture that was asked for with them. @param {Api.Read} picture */
const takePixels = ({ pixels }) => fromRows(/** @type {number[][]} */ (pixels));

const NOTHING = { pixels: null, answer: null, problem: null, several: 1, inside: null };

/** @param {Api.Pictures} body @param {object} query */
const askInside = async (body, query) =>
  /** @type {Inside} */ (await post("/v1/explain", body, { ...query, layers_only: true, shades: true }));

/** Ask about the drawing on the page, the newest always. */
export const askNetwork = coalesce(async () => {
  const drawing = currentDrawing();
  if (isEmpty(drawing)) return update(NOTHING);
  const { picture, how } = describeRequest(drawing);
  try {
    // One request, in Network too: framing and asking twice takes twice as long.
    const [body, query] = [{ pictures: [picture] }, { network: state.network, ...how }];
    const inside = state.tab === "network" ? await askInside(body, query) : null;
    const result = inside?.picture ?? (await post("/v1/predict", body, { ...query, pixels: true })).pictures[0];
    if (isEmpty(currentDrawing())) return;
    const [answer] = result.answers;
    update({ pixels: takePixels(result), answer, problem: null, several: result.several ?? 1, inside });
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
  const base = takePixels(result);
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
    setPixels(takePixels(result));
  } catch (problem) {
    update({ problem });
  }
}

let gradients = false; // whether explanations come with integrated gradients, which need torch

/** From now on explanations have integrated gradients. */
export const wantGradients = () => (gradients = true);

/** @type {{key: string, result: Promise<unknown>}} */
let explanation = { key: "", result: Promise.resolve(null) };

/** Why the chosen network answers so: /v1/explain of the digit, asked for once. @returns {Promise<Explanation>} */
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
  return /** @type {Promise<Explanation>} */ (explanation.result);
}

/** @param {unknown} error @returns {error is Problem} */
export const isSeveral = (error) => error instanceof Problem && error.kind === "several-digits";
