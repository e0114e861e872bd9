// Mistakes: the confusion matrix, the pictures behind each cell, and one of them in hand.

import { get } from "../core/api.js";
import { by, el } from "../core/dom.js";
import { grouped, percent, sureness } from "../core/numbers.js";
import { show as showProblem } from "../core/say.js";
import { set, state, watch } from "../core/store.js";
import { open } from "../core/url.js";
import { take } from "../digit.js";
import { howToGet, known, onNetworks } from "../networks.js";
import { fromImage } from "../parts/picture.js";

const AT_ONCE = 60; // pictures

/** @type {any} what /v1/mistakes told */
let found = null;
let foundFor = "";
let galleryFor = "";

export function init() {
  by("mistakes-data").addEventListener("change", (event) =>
    set({ data: event.target.value, cell: "" }),
  );
  by("mistakes-part").addEventListener("change", (event) =>
    set({ part: event.target.value, cell: "" }),
  );
  by("gallery-more").addEventListener("click", () => gallery(by("gallery").children.length));
  by("matrix").addEventListener("keydown", move);
  const refresh = () => state.tab === "mistakes" && show();
  watch(["network", "data", "part", "cell"], refresh);
  onNetworks(refresh);
}

const query = () => ({ network: state.network, data: state.data, part: state.part });

export async function show() {
  by("mistakes-data").value = state.data;
  by("mistakes-part").value = state.part;
  by("mistakes-part").disabled = state.data === "own";
  const { data } = known;
  if (!(state.data in data)) return; // what is here is not known yet
  by("mistakes-missing").hidden = data[state.data];
  if (!data[state.data]) return showMissing();
  const key = JSON.stringify(query());
  if (key !== foundFor) {
    foundFor = key;
    galleryFor = "";
    by("mistakes-words").textContent = `${state.network} is reading…`;
    by("mistakes-part-shown").classList.add("waiting");
    try {
      const told = await get("/v1/mistakes", query());
      if (key !== foundFor) return;
      found = told;
      showProblem(by("mistakes-problem"), null);
    } catch (problem) {
      if (key !== foundFor) return;
      found = null;
      foundFor = "";
      by("mistakes-words").textContent = "";
      showProblem(by("mistakes-problem"), problem);
    }
    by("mistakes-part-shown").classList.remove("waiting");
    by("mistakes-part-shown").hidden = !found;
    if (found) showMatrix();
  }
  if (!found) return;
  showCell();
}

/** Say how the chosen digits are had, and which there are; the service is not asked in vain. */
function showMissing() {
  found = null;
  foundFor = "";
  by("mistakes-words").textContent = "";
  by("mistakes-part-shown").hidden = true;
  showProblem(by("mistakes-problem"), null);
  by("mistakes-missing").replaceChildren(
    el("p", {}, howToGet(state.data)),
    el(
      "button",
      { type: "button", onclick: () => set({ data: "uci", cell: "" }) },
      "Measure on UCI's digits instead",
    ),
  );
}

function showMatrix() {
  const { misses, count, interval, confusion, source, model } = found;
  const [low, high] = interval;
  by("mistakes-words").textContent =
    `${model} misses ${grouped(misses)} of ${grouped(count)} (${source}): ${percent(found.accuracy)} right, ` +
    `between ${percent(low)} and ${percent(high)} with 95 % certainty.`;
  const most = Math.max(
    1,
    ...confusion.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)),
  );
  const head = el(
    "tr",
    {},
    el("td", {}),
    ...confusion.map((_, digit) => el("th", { scope: "col" }, String(digit))),
    el("th", { scope: "col" }, "right"),
  );
  const body = confusion.map((row, truth) => {
    const whole = found.per_class[truth];
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, String(truth)),
      ...row.map((number, answer) => el("td", {}, cellButton(truth, answer, number, most))),
      el(
        "td",
        { class: "recall" },
        whole.count ? (100 * whole.recall).toFixed(2) : "–",
      ),
    );
  });
  by("matrix").replaceChildren(
    el("caption", {}, "row: the truth, column: the answer, “right”: per cent of the row"),
    el("thead", {}, head),
    el("tbody", {}, ...body),
  );
}

function cellButton(truth, answer, number, most) {
  const same = truth === answer;
  const words = same
    ? `${truth} read as ${truth}: ${number}`
    : `${truth} taken for ${answer}: ${number}`;
  const button = el(
    "button",
    {
      type: "button",
      class: same ? "right" : "wrong",
      "data-cell": `${truth}${answer}`,
      "aria-label": words,
      disabled: !number,
      onclick: () => set({ cell: `${truth}${answer}` }),
    },
    number ? String(number) : "",
  );
  if (number && !same) {
    // Any mistake is seen, the frequent ones most; between the two no text could be read.
    const often = most > 1 ? Math.log(number) / Math.log(most) : 0;
    const strong = often > 0.6;
    button.style.setProperty(
      "--share",
      `${strong ? 100 - 12 * (1 - often) : 20 + 25 * often}%`,
    );
    button.classList.toggle("strong", strong);
  }
  return button;
}

/** Arrow keys go to the next cell that holds something. */
function move(event) {
  const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
    event.key
  ];
  const from = event.target.dataset?.cell;
  if (!way || !from) return;
  event.preventDefault();
  let [row, column] = [...from].map(Number);
  for (;;) {
    [row, column] = [row + way[0], column + way[1]];
    const next = by("matrix").querySelector(`[data-cell="${row}${column}"]`);
    if (!next) return;
    if (!next.disabled) return next.focus();
  }
}

function showCell() {
  for (const button of by("matrix").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.cell === state.cell));
  }
  const key = `${foundFor} ${state.cell}`;
  if (!state.cell || key === galleryFor) return;
  galleryFor = key;
  by("gallery").replaceChildren();
  gallery(0);
}

async function gallery(first) {
  const [truth, answer] = state.cell;
  const key = galleryFor;
  let told;
  try {
    told = await get("/v1/mistakes/cell", { ...query(), truth, answer, first, count: AT_ONCE });
  } catch (problem) {
    return showProblem(by("mistakes-problem"), problem);
  }
  if (key !== galleryFor) return;
  const right = truth === answer;
  by("gallery-title").textContent = right
    ? `${truth}, read as ${truth}`
    : `${truth}, taken for ${answer}`;
  by("gallery-note").textContent =
    told.count === 1
      ? "One picture. Choose it to take it apart."
      : `${grouped(told.count)} pictures, the surest first. Choose one to take it apart.`;
  by("gallery").append(...told.pictures.map((each) => thumb(each, truth, answer)));
  by("gallery-more").hidden = by("gallery").children.length >= told.count;
}

function thumb({ index, confidence, picture }, truth, answer) {
  const words = `number ${index}, a ${truth} read as ${answer}, ${sureness(confidence)} sure`;
  return el(
    "button",
    { type: "button", title: words, onclick: () => takeApart(picture, words) },
    el("img", { src: picture, alt: words, width: 28, height: 28, class: "negative" }),
    el("span", {}, sureness(confidence)),
  );
}

async function takeApart(picture, words) {
  take(await fromImage(picture));
  const ways = {
    draw: "Draw",
    pixels: "Pixels",
    features: "Features",
    answer: "Answer",
    convolution: "Convolution",
  };
  by("taken").replaceChildren(
    el("p", {}, `In hand: ${words}. Open it in`),
    el(
      "div",
      { class: "buttons" },
      ...Object.entries(ways).map(([tab, name]) =>
        el("button", { type: "button", onclick: () => open(tab) }, name),
      ),
    ),
  );
}
