// Why: which ink the answer hangs on, and what would change it; beside the drawing.

import { coalesce, isStatic, post } from "../core/api.js";
import { byId, h } from "../core/dom.js";
import { capitalize, describeProblem } from "../core/messages.js";
import { formatConfidence } from "../core/numbers.js";
import { digit, loadExplanation, setPixels, wantGradients } from "../digit.js";
import { SIDE, toRows } from "../ink/drawing.js";
import { rankOthers } from "../parts/bars.js";
import { Grid } from "../parts/grid.js";
import { findStrongest, makeInkRamp, makeSignedRamp } from "../parts/ramps.js";
import { readPixels } from "../parts/picture.js";

/** @type {{occlusion: Grid, gradients: Grid}} */
let grids;

export function initWhy() {
  grids = {
    occlusion: new Grid(byId("why-occlusion"), {
      label: "What is lost without each part. Arrow keys move.",
      hover: false,
    }),
    gradients: new Grid(byId("why-gradients"), {
      label: "What each pixel adds. Arrow keys move.",
      hover: false,
    }),
  };
  byId("why-ask").addEventListener("click", () => {
    wantGradients();
    byId("why-gradients-words").textContent = isStatic
      ? "64 pictures between paper and this digit are answered: some seconds…"
      : "torch is being loaded: some seconds, once…";
    showWhy();
  });
  byId("why-nearest-ask").addEventListener("click", findNearest);
}

/** Explain the digit on the page, unless it is still being drawn. */
export const showWhy = coalesce(async () => {
  const { answer, pixels } = digit;
  byId("why").hidden = !answer;
  if (!answer || !pixels) return;
  byId("why-title").textContent = `Why ${answer.likeliest}?`;
  const [next, third] = rankOthers(answer);
  byId("why-next").textContent =
    `Runner-up: ${next.digit} with ${formatConfidence(next.share)}, then ${third.digit} with ${formatConfidence(third.share)}. ` +
    `The ${answer.likeliest} has ${formatTimes(answer.confidence / next.share)} as much as the ${next.digit}: their logits differ by ${Math.log(answer.confidence / next.share).toFixed(1)}.`;
  let result;
  try {
    result = await loadExplanation();
  } catch {
    return; // the digit itself tells what is wrong
  }
  if (digit.pixels !== pixels) return; // drawn on meanwhile
  const { occlusion, gradients, mattered, without_gradients: missing } = result;
  byId("why-mattered").textContent = `${capitalize(mattered)}.`;
  showMap(grids.occlusion, occlusion.fall, pixels, (row, column) => {
    const other = occlusion.answers[row][column];
    return other === result.digit ? "" : `; read as ${other} then`;
  });
  byId("why-ask").hidden = Boolean(gradients) || Boolean(missing);
  byId("why-gradients").hidden = !gradients;
  if (missing) byId("why-gradients-words").textContent = `${capitalize(missing)}.`;
  if (!gradients) return;
  byId("why-gradients-words").textContent =
    "What each pixel adds to the log-odds when the digit is faded in from blank paper.";
  showMap(grids.gradients, gradients, pixels, () => "");
});

/** @param {number} times */
const formatTimes = (times) =>
  `${times >= 100 ? Math.round(times).toLocaleString("en") : times.toFixed(1)} times`;

/**
 * Orange where the ink speaks for the answer, blue where against it; other ink is grey.
 * @param {Grid} grid @param {number[][]} values @param {Uint8Array} pixels
 * @param {(row: number, column: number) => string} also said of a place
 */
function showMap(grid, values, pixels, also) {
  const signed = makeSignedRamp(findStrongest(values.flat()));
  const ink = makeInkRamp(4 * 255); // a shadow of the digit, so that the place is seen
  grid.words = (row, column, value) =>
    `row ${row}, column ${column}: ${value.toFixed(2)} of log-odds${also(row, column)}`;
  grid.show({
    rows: SIDE,
    columns: SIDE,
    at: (row, column) => values[row][column],
    ramp: signed,
    under: (row, column) => ink(pixels[row * SIDE + column]),
  });
}

/** @type {ArrayLike<number>} what the nearest digit was asked of */
let asked = [];

/** @param {ArrayLike<number> | null} pixels */
const isAsked = (pixels) => Array.from(asked).every((value, place) => value === pixels?.[place]);

async function findNearest() {
  const box = byId("why-nearest");
  const { answer, pixels } = digit;
  if (!pixels || !answer) return;
  asked = pixels;
  box.replaceChildren(h("p", {}, "Looking among the training digits…"));
  try {
    const query = { label: answer.likeliest, frame: false };
    const found = await post("/v1/explain/nearest", { pictures: [toRows(pixels)] }, query);
    if (!isAsked(digit.pixels)) return box.replaceChildren();
    const words = `The ${found.label} that is nearest to this ${answer.likeliest}, pixel by pixel: number ${found.index} of ${found.source}, ${found.distance.toFixed(2)} apart (root mean square, 1 is full ink).`;
    box.replaceChildren(
      h("img", { src: found.picture, alt: `a ${found.label}`, width: SIDE, height: SIDE, class: "negative" }),
      h("p", {}, words),
      h(
        "button",
        { type: "button", onclick: async () => setPixels(await readPixels(found.picture)) },
        "Inspect it",
      ),
    );
  } catch (problem) {
    box.replaceChildren(h("p", {}, `${capitalize(describeProblem(problem))}.`));
  }
}

/** A new digit: what was nearest to the last one is so no more. */
export function forgetNearest() {
  if (!isAsked(digit.pixels)) byId("why-nearest").replaceChildren();
}
