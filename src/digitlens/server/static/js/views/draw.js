// Draw: paper to write on, cells to paint, a picture to open; the answer beside it.

import { post } from "../core/api.js";
import { all, by, choose, el, fill } from "../core/dom.js";
import { say, show as showProblem } from "../core/say.js";
import { set, state, watch } from "../core/store.js";
import { colour } from "../core/theme.js";
import { open } from "../core/url.js";
import { centre, digit, isSeveral, onDigit, openPicture, preview } from "../digit.js";
import { bare, isBare, rows, SIDE } from "../ink/drawing.js";
import { cells } from "../ink/cells.js";
import { pad } from "../ink/pad.js";
import { render } from "../ink/render.js";
import { dropped } from "../parts/drop.js";
import { bars, sentence } from "../parts/bars.js";
import { Grid } from "../parts/grid.js";
import { inkRamp } from "../parts/ramps.js";
import { refreshOwn } from "./own.js";
import { take as readIt } from "./read.js";

const MOST = 100; // steps back

/** @type {import("../core/store.js").Drawing[]} */
const before = [];
/** @type {Grid} */
let grid;
/** @type {import("../core/store.js").Drawing | null} with the stroke that is being drawn */
let growing = null;

function change(drawing) {
  before.push(state.drawing);
  if (before.length > MOST) before.shift();
  set({ drawing });
}

function paintPad() {
  const canvas = by("pad");
  const drawing = growing ?? state.drawing;
  render(
    canvas.getContext("2d"),
    drawing,
    canvas.width,
    colour("digit-paper"),
    colour("digit-ink"),
  );
  by("paper-hint").hidden = !isBare(drawing) || state.tool === "cells";
}

function paintCells() {
  const pixels = cellPixels();
  grid.show({
    rows: SIDE,
    columns: SIDE,
    at: (row, column) => pixels[row * SIDE + column],
    ramp: inkRamp(),
  });
}

const blank = new Uint8Array(SIDE * SIDE);
const cellPixels = () => state.drawing.base ?? blank;

function showTool() {
  const isCells = state.tool === "cells";
  choose("tool", state.tool);
  by("pad").hidden = isCells;
  by("cells").hidden = by("cells-help").hidden = by("centre").hidden = !isCells;
  all("#view-draw .tools .slider")[0].hidden = isCells;
  // The cells show what the network sees, so strokes become pixels.
  if (isCells && state.drawing.strokes.length && digit.pixels) {
    change({ base: digit.pixels, strokes: [] });
  }
}

function showAnswer() {
  const { answer, problem, several } = digit;
  by("answer-digit").textContent = answer ? (answer.digit ?? "∅") : "–";
  by("answer-digit").classList.toggle("none", !answer);
  by("answer-words").textContent = answer
    ? sentence(answer)
    : problem
      ? "No answer to this."
      : "Nothing is written yet.";
  bars(by("draw-bars"), answer);
  showProblem(by("draw-problem"), problem);
  by("draw-several").hidden = several < 2;
  by("undo").disabled = !before.length;
  by("clear").disabled = isBare(state.drawing);
  by("keep").disabled = !digit.pixels;
  if (answer?.digit !== null && answer && document.activeElement !== by("keep-label")) {
    by("keep-label").value = String(answer.digit);
  }
}

/** A picture of several digits is read elsewhere, at a click. @param {Blob} file */
function toRead(file) {
  const act = () => {
    open("read");
    readIt(file);
  };
  return el("button", { type: "button", onclick: act }, "Read all of it");
}

async function keep() {
  try {
    const label = Number(by("keep-label").value);
    const body = { digits: [{ picture: rows(digit.pixels), label }], frame: false };
    const found = await post("/v1/own", body);
    by("keep-done").textContent = `Kept: you have ${found.count}.`;
    refreshOwn(found);
  } catch (problem) {
    showProblem(by("draw-problem"), problem);
  }
}

/** Open a dropped, pasted or chosen picture. @param {Blob} file */
export async function take(file) {
  try {
    before.push(state.drawing);
    await openPicture(file);
    say("The picture was opened.");
  } catch (problem) {
    before.pop();
    if (!isSeveral(problem)) return showProblem(by("draw-problem"), problem);
    showProblem(by("draw-problem"), { told: { ...problem.told, try: undefined } });
    by("draw-problem").append(toRead(file));
  }
}

function bindPaper() {
  pad(by("pad"), {
    width: () => Number(by("width").value),
    grows(stroke) {
      growing = { ...state.drawing, strokes: [...state.drawing.strokes, stroke] };
      paintPad();
      preview(growing);
    },
    ends(stroke) {
      growing = null;
      change({ ...state.drawing, strokes: [...state.drawing.strokes, stroke] });
    },
  });
  grid = new Grid(by("cells"), {
    label: "28 x 28 cells. Arrow keys move, space paints, backspace rubs out.",
    hover: false,
    words: (row, column, value) =>
      `row ${row}, column ${column}, ${value ? `ink ${value}` : "paper"}`,
  });
  grid.cursor = { row: 6, column: 8 };
  let started = null; // a line painted by finger is one step back
  cells(grid, {
    pixels: cellPixels,
    paint(base, ended) {
      started ??= state.drawing;
      set({ drawing: { base, strokes: [] } });
      if (ended) {
        before.push(started);
        started = null;
      }
    },
  });
}

function undo() {
  if (before.length) set({ drawing: before.pop() });
}

export function init() {
  fill(
    by("keep-label"),
    Array.from({ length: 10 }, (_, at) => ({ value: String(at), text: String(at) })),
    "0",
  );
  by("width").value = "20";
  bindPaper();
  by("undo").addEventListener("click", undo);
  by("clear").addEventListener("click", () => change(bare()));
  by("centre").addEventListener("click", () => {
    before.push(state.drawing);
    centre();
  });
  by("keep").addEventListener("click", keep);
  by("draw-to-read").addEventListener("click", () => open("read"));
  for (const input of all('input[name="tool"]')) {
    input.addEventListener("change", () => set({ tool: input.value }));
  }
  by("picture").addEventListener("change", (event) => {
    if (event.target.files.length) take(event.target.files[0]);
    event.target.value = "";
  });
  dropped(by("view-draw"), "draw", take);
  document.addEventListener("keydown", (event) => {
    if (state.tab === "draw" && event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
  });
  watch(["tool"], () => {
    showTool();
    show();
  });
  watch(["drawing"], () => {
    by("keep-done").textContent = "";
    if (state.tab === "draw") show();
  });
  onDigit(() => {
    if (state.tool === "cells") showTool();
  });
  showTool();
}

export function show() {
  paintPad();
  paintCells();
  showAnswer();
}
