// Pixels: the steps from picture to frame, and the 28 x 28 numbers.

import { all, by, choose, el } from "../core/dom.js";
import { FORMS } from "../core/numbers.js";
import { set, state, watch } from "../core/store.js";
import { digit, explained } from "../digit.js";
import { SIDE } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { inkRamp } from "../parts/ramps.js";

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
const ABOUT = 4; // pixels that the magnifier shows on each side

/** @type {Grid} */
let grid;
/** @type {Grid} */
let glass;

export function init() {
  grid = new Grid(by("pixels-grid"), {
    label: "The 28 x 28 pixels. Arrow keys move.",
    pick: (row, column) => set({ pixel: row * SIDE + column }),
    words: (row, column, value) => `row ${row}, column ${column}: ${FORMS[state.form](value)}`,
  });
  glass = new Grid(by("magnifier"));
  for (const input of all('input[name="form"]')) {
    input.addEventListener("change", () => set({ form: input.value }));
  }
  by("zoom").addEventListener("change", (event) => set({ zoom: event.target.checked }));
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
  const write = FORMS[state.form];
  const ramp = state.form === "bit" ? inkRampOfBits() : inkRamp();
  const [row, column] = [Math.floor(state.pixel / SIDE), state.pixel % SIDE];
  choose("form", state.form);
  by("zoom").checked = state.zoom;
  by("pixels-grid").classList.toggle("large", state.zoom);
  const at = (down, right) => pixels[down * SIDE + right];
  grid.show({ rows: SIDE, columns: SIDE, at, ramp, text: write }, { row, column });
  const top = Math.min(SIDE - 2 * ABOUT - 1, Math.max(0, row - ABOUT));
  const left = Math.min(SIDE - 2 * ABOUT - 1, Math.max(0, column - ABOUT));
  const size = 2 * ABOUT + 1;
  glass.show({
    rows: size,
    columns: size,
    at: (down, right) => at(top + down, left + right),
    ramp,
    text: write,
    box: { row: row - top, column: column - left, rows: 1, columns: 1 },
  });
  const value = pixels[state.pixel];
  by("pixel-fact").replaceChildren(
    `row ${row}, column ${column}: `,
    el("strong", {}, String(value)),
    ` is ${(value / 255).toFixed(3)} of full ink, bit ${FORMS.bit(value)}`,
  );
  by("pixels-text").textContent = asText(pixels, write);
}

function inkRampOfBits() {
  const ramp = inkRamp();
  return (value) => ramp(value > 127 ? 255 : 0);
}

function asText(pixels, write) {
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
  let found;
  try {
    found = await explained();
  } catch {
    return; // the digit itself tells what is wrong
  }
  const { steps } = found;
  if (!steps.length) {
    by("steps").replaceChildren(
      el("li", { class: "quiet" }, "These pixels are taken as they are: nothing was framed."),
    );
    return;
  }
  by("steps").replaceChildren(
    ...steps.map(({ name, about, picture, width, height }) =>
      el(
        "li",
        {},
        el(
          "div",
          { class: "step-picture" },
          el("img", {
            src: picture,
            alt: `${NAMES[name] ?? name}: ${about}`,
            width,
            height,
            class: `${height <= SIDE ? "small" : ""} ${INK.has(name) ? "negative" : ""}`,
          }),
        ),
        el("strong", {}, NAMES[name] ?? name),
        el("span", {}, about),
      ),
    ),
  );
}
