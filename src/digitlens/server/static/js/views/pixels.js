// Pixels: the steps from picture to frame, and the 28 x 28 numbers.

import { queryAll, byId, check, h } from "../core/dom.js";
import { PIXEL_FORMATS } from "../core/numbers.js";
import { setState, state, watch } from "../core/store.js";
import { digit, loadExplanation } from "../digit.js";
import { SIDE } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { makeInkRamp } from "../parts/ramps.js";

/** @type {Record<string, string>} */
const NAMES = {
  opened: "What came in",
  clean: "Specks removed",
  paper: "Its paper",
  ink: "Ink alone",
  marks: "The digit's marks",
  line: "A line cut off",
  outline: "Outline filled",
  box: "In 20 x 20",
  digit: "In 28 x 28",
};
/** Steps whose pictures hold ink as light on dark. */
const INK = new Set(["ink", "marks", "line", "outline", "box", "digit"]);
const GLASS_RADIUS = 4; // pixels that the magnifier shows on each side

/** @type {Grid} */
let grid;
/** @type {Grid} */
let glass;

export function init() {
  grid = new Grid(byId("pixels-grid"), {
    label: "The 28 x 28 pixels. Arrow keys move.",
    pick: (row, column) => setState({ pixel: row * SIDE + column }),
    words: (row, column, value) => `row ${row}, column ${column}: ${PIXEL_FORMATS[state.form](value)}`,
  });
  glass = new Grid(byId("magnifier"));
  for (const input of queryAll('input[name="form"]')) {
    const form = /** @type {typeof state.form} */ (input.value);
    input.addEventListener("change", () => setState({ form }));
  }
  const zoom = byId("zoom");
  zoom.addEventListener("change", () => setState({ zoom: zoom.checked }));
  watch(["form", "zoom", "pixel"], () => {
    if (state.tab === "pixels" && digit.pixels) showNumbers();
  });
}

export function show() {
  showNumbers();
  showSteps();
}

function showNumbers() {
  const { pixels } = digit;
  if (!pixels) return;
  const write = PIXEL_FORMATS[state.form];
  const ramp = state.form === "bit" ? makeBitRamp() : makeInkRamp();
  const [row, column] = [Math.floor(state.pixel / SIDE), state.pixel % SIDE];
  check("form", state.form);
  byId("zoom").checked = state.zoom;
  byId("pixels-grid").classList.toggle("large", state.zoom);
  const index = (/** @type {number} */ down, /** @type {number} */ right) => pixels[down * SIDE + right];
  grid.show({ rows: SIDE, columns: SIDE, at: index, ramp, text: write }, { row, column });
  const top = Math.min(SIDE - 2 * GLASS_RADIUS - 1, Math.max(0, row - GLASS_RADIUS));
  const left = Math.min(SIDE - 2 * GLASS_RADIUS - 1, Math.max(0, column - GLASS_RADIUS));
  const size = 2 * GLASS_RADIUS + 1;
  glass.show({
    rows: size,
    columns: size,
    at: (down, right) => index(top + down, left + right),
    ramp,
    text: write,
    box: { row: row - top, column: column - left, rows: 1, columns: 1 },
  });
  const value = pixels[state.pixel];
  byId("pixel-fact").replaceChildren(
    `row ${row}, column ${column}: `,
    h("strong", {}, String(value)),
    ` is ${(value / 255).toFixed(3)} of full ink, bit ${PIXEL_FORMATS.bit(value)}`,
  );
  byId("pixels-text").textContent = formatPixels(pixels, write);
}

function makeBitRamp() {
  const ramp = makeInkRamp();
  return (/** @type {number} */ value) => ramp(value > 127 ? 255 : 0);
}

/** @param {Uint8Array} pixels @param {(value: number) => string} write */
function formatPixels(pixels, write) {
  const words = Array.from(pixels, (value) => write(value));
  const width = Math.max(...words.map((word) => word.length));
  return Array.from({ length: SIDE }, (_, row) =>
    words
      .slice(row * SIDE, (row + 1) * SIDE)
      .map((word) => word.padStart(width))
      .join(" "),
  ).join("\n");
}

async function showSteps() {
  let result;
  try {
    result = await loadExplanation();
  } catch {
    return; // the digit itself tells what is wrong
  }
  const { steps } = result;
  if (!steps.length) {
    byId("steps").replaceChildren(
      h("li", { class: "quiet" }, "These pixels are taken as they are: nothing was framed."),
    );
    return;
  }
  byId("steps").replaceChildren(
    ...steps.map(({ name, about, picture, width, height }) =>
      h(
        "li",
        {},
        h(
          "div",
          { class: "step-picture" },
          h("img", {
            src: picture,
            alt: `${NAMES[name] ?? name}: ${about}`,
            width,
            height,
            class: `${height <= SIDE ? "small" : ""} ${INK.has(name) ? "negative" : ""}`,
          }),
        ),
        h("strong", {}, NAMES[name] ?? name),
        h("span", {}, about),
      ),
    ),
  );
}
