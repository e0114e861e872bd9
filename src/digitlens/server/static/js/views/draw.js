// Draw: paper to write on, cells to paint, a picture to open; the answer beside it.

import { post } from "../core/api.js";
import { queryAll, byId, bindFile, check, h, setOptions } from "../core/dom.js";
import { announce, showProblem } from "../core/messages.js";
import { setState, state, watch } from "../core/store.js";
import { openTab } from "../core/url.js";
import { centerDigit, currentDrawing, digit, isSeveral, isUnfinished, onDigit, openPicture } from "../digit.js";
import { emptyDrawing, isEmpty, toRows, SIDE } from "../ink/drawing.js";
import { bindCells } from "../ink/cells.js";
import { bindDrop } from "../parts/drop.js";
import { describeAnswer, nameDigit, showBars } from "../parts/bars.js";
import { bindExamples } from "../parts/examples.js";
import { Grid } from "../parts/grid.js";
import { bindPaper } from "../parts/paper.js";
import { makeInkRamp } from "../parts/ramps.js";
import { refreshOwn } from "./own.js";
import { readPicture } from "./read.js";
import { forgetNearest, initWhy, showWhy } from "./why.js";

const MAX_UNDO = 100; // steps back

/** @type {import("../core/store.js").Drawing[]} */
const history = [];
/** @type {Grid} */
let grid;
let paintPad = () => {};

/** @param {import("../core/store.js").Drawing} drawing */
function changeDrawing(drawing) {
  history.push(state.drawing);
  if (history.length > MAX_UNDO) history.shift();
  setState({ drawing });
}

function paintCells() {
  const pixels = cellPixels();
  grid.show({
    rows: SIDE,
    columns: SIDE,
    at: (row, column) => pixels[row * SIDE + column],
    ramp: makeInkRamp(),
  });
}

const blank = new Uint8Array(SIDE * SIDE);
const cellPixels = () => state.drawing.base ?? blank;

function showTool() {
  const isCells = state.tool === "cells";
  byId("pad-hint").classList.toggle("hidden", isCells);
  check("tool", state.tool);
  byId("pad").hidden = isCells;
  byId("cells").hidden = byId("cells-help").hidden = byId("centre").hidden = !isCells;
  queryAll("#view-draw .tools .slider")[0].hidden = isCells;
  // The cells show what the network sees, so strokes become pixels.
  if (isCells && state.drawing.strokes.length && digit.pixels) {
    changeDrawing({ base: digit.pixels, strokes: [] });
  }
}

function showAnswer() {
  const { answer, problem, several } = digit;
  byId("answer-digit").textContent = answer ? nameDigit(answer) : "–";
  byId("answer-digit").classList.toggle("none", !answer);
  byId("answer-words").textContent = answer
    ? describeAnswer(answer)
    : problem
      ? "No answer to this."
      : isEmpty(currentDrawing())
        ? "Nothing is written yet."
        : "Reading…";
  showBars(byId("draw-bars"), answer);
  showProblem(byId("draw-problem"), problem);
  byId("draw-several").hidden = several < 2;
  byId("undo").disabled = !history.length;
  byId("clear").disabled = isEmpty(state.drawing);
  byId("keep").disabled = !digit.pixels;
  if (answer && document.activeElement !== byId("keep-label")) {
    byId("keep-label").value = String(answer.likeliest);
  }
}

/** A picture of several digits is read elsewhere, at a click. @param {Blob} file */
function makeReadButton(file) {
  const callback = () => {
    openTab("read");
    readPicture(file);
  };
  return h("button", { type: "button", onclick: callback }, "Read all of it");
}

async function saveDigit() {
  const { pixels } = digit;
  if (!pixels) return;
  try {
    const label = Number(byId("keep-label").value);
    const body = { digits: [{ picture: toRows(pixels), label }], frame: false };
    const result = await post("/v1/own", body);
    byId("keep-done").textContent = `Saved: you have ${result.count}.`;
    refreshOwn(result);
  } catch (problem) {
    showProblem(byId("draw-problem"), problem);
  }
}

/** Open a dropped, pasted or chosen picture. @param {Blob} file */
export async function loadPicture(file) {
  try {
    history.push(state.drawing);
    await openPicture(file);
    announce("The picture was opened.");
  } catch (problem) {
    history.pop();
    if (!isSeveral(problem)) return showProblem(byId("draw-problem"), problem);
    showProblem(byId("draw-problem"), { details: { ...problem.details, try: undefined } });
    byId("draw-problem").append(makeReadButton(file));
  }
}

function bindGrid() {
  grid = new Grid(byId("cells"), {
    label: "28 x 28 cells. Arrow keys move, space paints, backspace rubs out.",
    hover: false,
    words: (row, column, value) =>
      `row ${row}, column ${column}, ${value ? `ink ${value}` : "paper"}`,
  });
  grid.cursor = { row: 6, column: 8 };
  let started = /** @type {import("../core/store.js").Drawing | null} */ (null); // a line painted by finger is one step back
  bindCells(grid, {
    pixels: cellPixels,
    paint(base, ended) {
      started ??= state.drawing;
      setState({ drawing: { base, strokes: [] } });
      if (ended) {
        history.push(started);
        started = null;
      }
    },
  });
}

function undo() {
  const drawing = history.pop();
  if (drawing) setState({ drawing });
}

export function init() {
  setOptions(
    byId("keep-label"),
    Array.from({ length: 10 }, (_, index) => ({ value: String(index), text: String(index) })),
    "0",
  );
  byId("width").value = "20";
  initWhy();
  const width = () => Number(byId("width").value);
  paintPad = bindPaper("pad", { width, change: changeDrawing });
  bindGrid();
  bindExamples(byId("examples"), changeDrawing);
  byId("undo").addEventListener("click", undo);
  byId("clear").addEventListener("click", () => changeDrawing(emptyDrawing()));
  byId("centre").addEventListener("click", () => {
    history.push(state.drawing);
    centerDigit();
  });
  byId("keep").addEventListener("click", saveDigit);
  byId("draw-to-read").addEventListener("click", () => openTab("read"));
  for (const input of queryAll('input[name="tool"]')) {
    input.addEventListener("change", () => setState({ tool: input.value === "cells" ? "cells" : "pen" }));
  }
  bindFile(byId("picture"), loadPicture);
  bindDrop(byId("view-draw"), "draw", loadPicture);
  document.addEventListener("keydown", (event) => {
    if (state.tab === "draw" && event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
  });
  watch(["tool"], () => {
    showTool();
    show();
  });
  watch(["drawing"], () => {
    byId("keep-done").textContent = byId("example-words").textContent = "";
    if (state.tab === "draw") show();
  });
  onDigit(() => {
    forgetNearest();
    if (state.tool === "cells") showTool();
  });
  showTool();
}

export function show() {
  paintPad();
  paintCells();
  showAnswer();
  if (!isUnfinished()) showWhy();
}
