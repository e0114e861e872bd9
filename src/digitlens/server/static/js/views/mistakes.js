// Mistakes: the confusion matrix, the pictures behind each cell, and one of them in hand.

import { get, makeSignals } from "../core/api.js";
import { byId, h, query, queryAll } from "../core/dom.js";
import { formatCount, formatPercent, formatConfidence } from "../core/numbers.js";
import { showProblem } from "../core/messages.js";
import { setState, state, watch } from "../core/store.js";
import { openTab } from "../core/url.js";
import { setPixels } from "../digit.js";
import { explainMissing, known, onNetworks } from "../networks.js";
import { ARROWS } from "../parts/grid.js";
import { readPixels } from "../parts/picture.js";
import { choosePart } from "./parts.js";

const PAGE_SIZE = 60; // pictures

/** @type {Api.Measured | null} */
let measured = null;
let measuredKey = "";
let galleryKey = "";
/** What is asked for step by step; the newest question alone is answered. */
const [askParts, askMatrix, askPictures] = [makeSignals(), makeSignals(), makeSignals()];

export function init() {
  const [data, use] = [byId("mistakes-data"), byId("mistakes-part")];
  data.addEventListener("change", () => setState({ data: data.value, part: "", cell: "" }));
  use.addEventListener("change", () => setState({ part: use.value, cell: "" }));
  byId("gallery-more").addEventListener("click", () => loadGallery(byId("gallery").children.length));
  byId("matrix").addEventListener("keydown", moveFocus);
  const refresh = () => state.tab === "mistakes" && show();
  watch(["network", "data", "part", "cell"], refresh);
  onNetworks(refresh);
}

let part = "test";

const makeQuery = () => ({ network: state.network, data: state.data, part });

export async function show() {
  byId("mistakes-data").value = state.data;
  const { data } = known;
  if (!(state.data in data)) return; // what is here is not known yet
  byId("mistakes-missing").hidden = data[state.data];
  if (!data[state.data]) return showMissing();
  const choice = askParts();
  try {
    const chosen = await choosePart(show, choice);
    if (chosen === null) return hideMatrix();
    part = chosen;
  } catch (problem) {
    if (choice.aborted) return;
    hideMatrix();
    return showProblem(byId("mistakes-problem"), problem);
  }
  const key = JSON.stringify(makeQuery());
  if (key !== measuredKey) {
    measuredKey = key;
    galleryKey = "";
    askPictures();
    const signal = askMatrix();
    byId("mistakes-words").textContent = `${state.network} is reading…`;
    byId("mistakes-part-shown").classList.add("waiting");
    try {
      measured = await get("/v1/mistakes", makeQuery(), signal);
      showProblem(byId("mistakes-problem"), null);
    } catch (problem) {
      if (signal.aborted) return;
      measured = null;
      measuredKey = "";
      byId("mistakes-words").textContent = "";
      showProblem(byId("mistakes-problem"), problem);
    }
    byId("mistakes-part-shown").classList.remove("waiting");
    byId("mistakes-part-shown").hidden = !measured;
    if (measured) showMatrix(measured);
  }
  if (!measured) return;
  showCell();
}

/** Say how the chosen digits are had, and which there are; the service is not asked in vain. */
function showMissing() {
  hideMatrix();
  byId("mistakes-gate").hidden = true;
  byId("mistakes-part-note").textContent = "";
  byId("mistakes-missing").replaceChildren(
    h("p", {}, explainMissing(state.data)),
    h(
      "button",
      { type: "button", onclick: () => setState({ data: "uci", cell: "" }) },
      "Measure on UCI's digits instead",
    ),
  );
}

function hideMatrix() {
  askMatrix();
  askPictures();
  measured = null;
  measuredKey = "";
  byId("mistakes-words").textContent = "";
  byId("mistakes-part-shown").hidden = true;
  showProblem(byId("mistakes-problem"), null);
}

/** @param {Api.Measured} measurement */
function showMatrix({ misses, count, accuracy, interval, confusion, source, model, decisions, per_class: classes }) {
  const [low, height] = interval;
  byId("mistakes-words").textContent =
    `${model} misses ${formatCount(misses)} of ${formatCount(count)} (${source}): ${formatPercent(accuracy)} right, ` +
    `95 % interval ${formatPercent(low).replace(" %", "")} to ${formatPercent(height)}.` +
    (decisions
      ? ` Answered and wrong ${decisions.wrong}, unsure ${decisions.unsure}, refused as no digit ${decisions.refused}.`
      : "");
  const most = Math.max(
    1,
    ...confusion.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)),
  );
  const head = h(
    "tr",
    {},
    h("td", {}),
    ...confusion.map((_, digit) => h("th", { scope: "col" }, String(digit))),
    h("th", { scope: "col" }, "right"),
  );
  const body = confusion.map((row, truth) => {
    const { recall } = classes[truth];
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, String(truth)),
      ...row.map((number, answer) => h("td", {}, cellButton(truth, answer, number, most))),
      h(
        "td",
        { class: "recall" },
        recall === null ? "–" : (100 * recall).toFixed(2),
      ),
    );
  });
  byId("matrix").replaceChildren(
    h("caption", {}, "row: the truth, column: the answer, “right”: per cent of the row"),
    h("thead", {}, head),
    h("tbody", {}, ...body),
  );
}

/** @param {number} truth @param {number} answer @param {number} number @param {number} most */
function cellButton(truth, answer, number, most) {
  const same = truth === answer;
  const words = same
    ? `${truth} read as ${truth}: ${number}`
    : `${truth} taken for ${answer}: ${number}`;
  const button = h(
    "button",
    {
      type: "button",
      class: same ? "right" : "wrong",
      "data-cell": `${truth}${answer}`,
      "aria-label": words,
      disabled: !number,
      onclick: () => setState({ cell: `${truth}${answer}` }),
    },
    number ? String(number) : "",
  );
  if (number && !same) {
    // In proportion; on colours between faint and full no text could be read, so there is a step.
    const often = number / most;
    const strong = often > 0.5;
    button.style.setProperty("--share", `${strong ? 70 + 30 * often : 10 + 60 * often}%`);
    button.classList.toggle("strong", strong);
  }
  return button;
}

/** Arrow keys go to the next cell that holds something. @param {KeyboardEvent} event */
function moveFocus(event) {
  const way = ARROWS[event.key];
  const from = event.target instanceof HTMLElement && event.target.dataset.cell;
  if (!way || !from) return;
  event.preventDefault();
  let [row, column] = [...from].map(Number);
  for (;;) {
    [row, column] = [row + way[0], column + way[1]];
    const next = query(`button[data-cell="${row}${column}"]`, byId("matrix"));
    if (!next) return;
    if (next.disabled) continue;
    setTabStop(next);
    return next.focus();
  }
}

/** Tab reaches one cell of the matrix; arrow keys lead to the others. @param {HTMLElement} cell */
function setTabStop(cell) {
  for (const button of queryAll("button", byId("matrix"))) button.tabIndex = -1;
  cell.tabIndex = 0;
}

function showCell() {
  const cells = queryAll("button:enabled", byId("matrix"));
  const first = cells.find(({ dataset }) => dataset.cell === state.cell) ?? cells[0];
  if (first) setTabStop(first);
  for (const button of queryAll("button", byId("matrix"))) {
    button.setAttribute("aria-pressed", String(button.dataset.cell === state.cell));
  }
  const key = `${measuredKey} ${state.cell}`;
  if (!state.cell || key === galleryKey) return;
  galleryKey = key;
  byId("gallery").replaceChildren();
  loadGallery(0);
}

/** @param {number} first */
async function loadGallery(first) {
  const [truth, answer] = state.cell;
  const signal = askPictures();
  let response;
  try {
    const query = { ...makeQuery(), truth, answer, first, count: PAGE_SIZE };
    response = await get("/v1/mistakes/cell", query, signal);
  } catch (problem) {
    return signal.aborted ? undefined : showProblem(byId("mistakes-problem"), problem);
  }
  const right = truth === answer;
  byId("gallery-title").textContent = right
    ? `${truth}, read as ${truth}`
    : `${truth}, taken for ${answer}`;
  byId("gallery-note").textContent =
    response.count === 1
      ? "One picture. Choose it to inspect it."
      : `${formatCount(response.count)} pictures, the surest first. Choose one to inspect it.`;
  byId("gallery").append(...response.pictures.map((item) => renderThumb(item, truth, answer)));
  byId("gallery-more").hidden = byId("gallery").children.length >= response.count;
}

/** @param {Api.CellPicture} item @param {string} truth @param {string} answer */
function renderThumb({ index, confidence, picture }, truth, answer) {
  const words = `number ${index}, a ${truth} read as ${answer}, ${formatConfidence(confidence)} sure`;
  return h(
    "button",
    { type: "button", title: words, onclick: () => takeApart(picture, words) },
    h("img", { src: picture, alt: words, width: 28, height: 28, class: "negative" }),
    h("span", {}, formatConfidence(confidence)),
  );
}

/** @param {string} picture @param {string} words */
async function takeApart(picture, words) {
  setPixels(await readPixels(picture));
  const ways = {
    draw: "Draw",
    pixels: "Pixels",
    features: "Features",
    answer: "Answer",
    convolution: "Convolution",
  };
  byId("taken").replaceChildren(
    h("p", {}, `Selected: ${words}. Inspect it in`),
    h(
      "div",
      { class: "buttons" },
      ...Object.entries(ways).map(([tab, name]) =>
        h("button", { type: "button", onclick: () => openTab(tab) }, name),
      ),
    ),
  );
}
