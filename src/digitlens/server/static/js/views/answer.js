// Answer: the same digit, shifted as one likes, through several networks.

import { coalesce, post } from "../core/api.js";
import { bindRoving, query, queryAll, byId, h } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { announce, describeProblem } from "../core/messages.js";
import { setState, state, watch } from "../core/store.js";
import { openTab } from "../core/url.js";
import { digit } from "../digit.js";
import { toRows, shiftPixels } from "../ink/drawing.js";
import { known, onNetworks } from "../networks.js";
import { describeAnswer, nameDigit, showBars } from "../parts/bars.js";
import { Grid } from "../parts/grid.js";
import { paintPixels } from "../parts/paint.js";
import { makeInkRamp } from "../parts/ramps.js";
import { chooseNetwork } from "./train-form.js";
import { color } from "../core/theme.js";

const MAX_SHIFT = 7; // pixels that a digit is shifted at most
const MAP_SIDE = 2 * MAX_SHIFT + 1;
const MAX_NETWORKS = 4; // networks side by side
/** What a shifted digit may be read as; `refused`: the likeliest digit, though it is rejected. */
const KINDS = [
  { words: "the same digit", colour: "accent", refused: false },
  { words: "another digit", colour: "mark", refused: false },
  { words: "the same digit, rejected", colour: "accent", refused: true },
  { words: "another digit, rejected", colour: "mark", refused: true },
];
const UNKNOWN = -1;
const AXES = /** @type {const} */ (["dx", "dy"]);

/** @typedef {{card: HTMLElement, map: Grid}} Card */
/** @type {Map<string, Card>} */
const cards = new Map();
let mapKey = "";
let refreshChips = () => {};

export function init() {
  for (const axis of AXES) {
    const field = byId(axis);
    field.addEventListener("input", () => setState({ [axis]: Number(field.value) }));
  }
  refreshChips = bindRoving(byId("compare"), "input");
  byId("shift-back").addEventListener("click", () => setState({ dx: 0, dy: 0 }));
  byId("train-dense").addEventListener("click", () => {
    chooseNetwork("dense");
    openTab("train");
  });
  watch(["dx", "dy", "compare"], () => {
    if (state.tab === "answer" && digit.pixels) show();
  });
  watch(["compare"], showChoice);
  onNetworks(showChoice);
}

function showChoice() {
  const names = new Set([...known.networks.map(({ name }) => name), ...state.compare]);
  const boxes = [...names].map((name) => {
    const checked = state.compare.includes(name);
    const full = !checked && state.compare.length >= MAX_NETWORKS;
    return h(
      "label",
      { class: "chip" },
      h("input", { type: "checkbox", checked, disabled: full, value: name, onchange: chooseNetworks }),
      h("span", {}, name),
    );
  });
  const legend = query("legend", byId("compare"));
  const focused = document.activeElement instanceof HTMLInputElement && document.activeElement.value;
  byId("compare").replaceChildren(legend, ...boxes);
  refreshChips();
  if (focused && names.has(focused))
    query(`input[value="${CSS.escape(focused)}"]`, byId("compare"))?.focus();
}

function chooseNetworks() {
  const chosen = queryAll("input:checked", byId("compare")).map(({ value }) => value);
  if (chosen.length) setState({ compare: chosen });
  else showChoice(); // one at least
}

export function show() {
  const { dx, dy } = state;
  if (!digit.pixels) return;
  const moved = shiftPixels(digit.pixels, dx, dy);
  paintPixels(byId("shifted"), moved, 28, makeInkRamp());
  for (const axis of AXES) {
    byId(axis).value = String(state[axis]);
    byId(`${axis}-out`).textContent = String(state[axis]);
  }
  byId("shift-back").disabled = !dx && !dy;
  for (const { map } of cards.values())
    map.show(map.shown ?? blank(), { row: dy + MAX_SHIFT, column: dx + MAX_SHIFT });
  askAnswers();
}

/** @returns {import("../parts/grid.js").Shown} */
const blank = () => ({
  rows: MAP_SIDE,
  columns: MAP_SIDE,
  at: () => UNKNOWN,
  ramp: (kind) => color(KINDS[kind]?.colour ?? "well"),
  hatched: (kind) => KINDS[kind]?.refused ?? false,
});

const askAnswers = coalesce(async () => {
  if (!digit.pixels) return;
  const network = state.compare;
  const moved = shiftPixels(digit.pixels, state.dx, state.dy);
  try {
    const result = await post(
      "/v1/predict",
      { pictures: [toRows(moved)] },
      { network, frame: false },
    );
    showCards(result.pictures[0].answers);
  } catch (problem) {
    byId("answers").replaceChildren(h("p", { class: "problem" }, describeProblem(problem)));
    cards.clear();
    mapKey = "";
    return;
  }
  map();
});

/** @param {Api.Answer[]} answers */
function showCards(answers) {
  const names = answers.map(({ network }) => network);
  if (names.join() !== [...cards.keys()].join()) {
    cards.clear();
    for (const name of names) cards.set(name, makeCard(name));
    byId("answers").replaceChildren(...[...cards.values()].map(({ card }) => card));
    mapKey = "";
  }
  announce(answers.map((answer) => `${answer.network} ${nameDigit(answer)}`).join(", "));
  [...cards.values()].forEach(({ card }, index) => {
    query(".verdict-digit", card).textContent = nameDigit(answers[index]);
    query(".words", card).textContent = describeAnswer(answers[index]);
    showBars(query(".bars", card), answers[index]);
  });
}

/** @param {string} name */
function makeCard(name) {
  const about = known.networks.find((item) => item.name === name);
  const canvas = h("canvas", { class: "shift-map" });
  const card = h(
    "article",
    { class: "card" },
    h("h2", {}, name),
    h("p", { class: "quiet" }, about ? `${formatCount(about.weights)} weights` : ""),
    h("p", { class: "verdict-digit" }),
    h("p", { class: "words" }),
    h("div", { class: "bars" }),
    canvas,
    h("p", { class: "quiet held" }),
  );
  const map = new Grid(canvas, {
    label: `${name} at 15 x 15 shifts. Arrow keys shift the digit.`,
    hover: false,
    pick: (row, column) => setState({ dx: column - MAX_SHIFT, dy: row - MAX_SHIFT }),
    words: (row, column, value) =>
      `${column - MAX_SHIFT} right, ${row - MAX_SHIFT} down: ${KINDS[value]?.words ?? "not known yet"}`,
  });
  return { card, map };
}

/** Ask for all shifts at once, when the digit or the networks have changed. */
const map = coalesce(async () => {
  const { pixels } = digit;
  const network = state.compare;
  const key = `${network} ${pixels}`;
  if (!pixels || key === mapKey) return;
  const pictures = Array.from({ length: MAP_SIDE * MAP_SIDE }, (_, index) =>
    toRows(shiftPixels(pixels, (index % MAP_SIDE) - MAX_SHIFT, Math.floor(index / MAP_SIDE) - MAX_SHIFT)),
  );
  let result;
  try {
    result = await post("/v1/predict", { pictures }, { network, frame: false });
  } catch {
    return; // the cards tell what is wrong
  }
  if (network.join() !== [...cards.keys()].join()) return;
  mapKey = key;
  [...cards.values()].forEach(({ card, map: grid }, number) => {
    const given = result.pictures.map(({ answers: all }) => all[number]);
    const middle = given[(given.length - 1) / 2].likeliest;
    const kinds = given.map(
      (item) => Number(item.likeliest !== middle) + (item.digit === null ? 2 : 0),
    );
    grid.show(
      { ...blank(), at: (row, column) => kinds[row * MAP_SIDE + column] },
      { row: state.dy + MAX_SHIFT, column: state.dx + MAX_SHIFT },
    );
    const count = (/** @type {(item: Api.Answer) => boolean} */ test) => given.filter(test).length;
    const same = count((item) => item.likeliest === middle);
    const checks = count(({ unsure }) => unsure);
    query(".held", card).textContent =
      `The likeliest digit is the same at ${same} of ${kinds.length} shifts; ${count((item) => item.digit === null)} are rejected as no digit${checks ? `, ${checks} to be checked` : ""}.`;
  });
});
