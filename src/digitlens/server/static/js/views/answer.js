// Answer: the same digit, shifted as one likes, through several networks.

import { newest, post } from "../core/api.js";
import { all, by, el } from "../core/dom.js";
import { grouped } from "../core/numbers.js";
import { say } from "../core/say.js";
import { set, state, watch } from "../core/store.js";
import { open } from "../core/url.js";
import { digit } from "../digit.js";
import { rows, shifted } from "../ink/drawing.js";
import { known, onNetworks } from "../networks.js";
import { bars, sentence } from "../parts/bars.js";
import { Grid } from "../parts/grid.js";
import { paint } from "../parts/paint.js";
import { inkRamp } from "../parts/ramps.js";
import { wishFor } from "./train.js";
import { colour } from "../core/theme.js";

const FAR = 7; // pixels that a digit is shifted at most
const WIDE = 2 * FAR + 1;
const MOST = 4; // networks side by side
const [SAME, NONE, OTHER] = [0, 1, 2];
/** What a shifted digit may be read as. */
const KINDS = [
  { words: "the same answer", colour: "plus" },
  { words: "no digit", colour: "well" },
  { words: "another digit", colour: "minus" },
];

/** @typedef {{card: HTMLElement, map: Grid}} Card */
/** @type {Map<string, Card>} */
const cards = new Map();
let mapped = "";

export function init() {
  for (const axis of ["dx", "dy"]) {
    by(axis).addEventListener("input", (event) => set({ [axis]: Number(event.target.value) }));
  }
  by("shift-back").addEventListener("click", () => set({ dx: 0, dy: 0 }));
  by("train-dense").addEventListener("click", () => {
    wishFor("dense");
    open("train");
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
    const full = !checked && state.compare.length >= MOST;
    return el(
      "label",
      { class: "chip" },
      el("input", { type: "checkbox", checked, disabled: full, value: name, onchange: choose }),
      el("span", {}, name),
    );
  });
  const legend = by("compare").querySelector("legend");
  const focused = /** @type {any} */ (document.activeElement)?.value;
  by("compare").replaceChildren(legend, ...boxes);
  if (focused && names.has(focused))
    by("compare")
      .querySelector(`[value="${CSS.escape(focused)}"]`)
      ?.focus();
}

function choose() {
  const chosen = all("input:checked", by("compare")).map(({ value }) => value);
  if (chosen.length) set({ compare: chosen });
  else showChoice(); // one at least
}

export function show() {
  const { dx, dy } = state;
  const moved = shifted(digit.pixels, dx, dy);
  paint(by("shifted"), moved, 28, inkRamp());
  for (const axis of ["dx", "dy"]) {
    by(axis).value = String(state[axis]);
    by(`${axis}-out`).textContent = String(state[axis]);
  }
  by("shift-back").disabled = !dx && !dy;
  for (const { map } of cards.values())
    map.show(map.shown ?? blank(), { row: dy + FAR, column: dx + FAR });
  ask();
}

const blank = () => ({
  rows: WIDE,
  columns: WIDE,
  at: () => NONE,
  ramp: (kind) => colour(KINDS[kind].colour),
});

const ask = newest(async () => {
  if (!digit.pixels) return;
  const network = state.compare;
  const moved = shifted(digit.pixels, state.dx, state.dy);
  try {
    const found = await post(
      "/v1/predict",
      { pictures: [rows(moved)] },
      { network, frame: false },
    );
    showCards(found.pictures[0].answers);
  } catch (problem) {
    by("answers").replaceChildren(el("p", { class: "problem" }, String(problem.message)));
    cards.clear();
    mapped = "";
    return;
  }
  map();
});

function showCards(answers) {
  const names = answers.map(({ network }) => network);
  if (names.join() !== [...cards.keys()].join()) {
    cards.clear();
    for (const name of names) cards.set(name, makeCard(name));
    by("answers").replaceChildren(...[...cards.values()].map(({ card }) => card));
    mapped = "";
  }
  say(answers.map(({ network, digit: read }) => `${network} ${read ?? "no digit"}`).join(", "));
  for (const answer of answers) {
    const { card } = cards.get(answer.network);
    card.querySelector(".verdict-digit").textContent = answer.digit ?? "∅";
    card.querySelector(".words").textContent = sentence(answer);
    bars(card.querySelector(".bars"), answer);
  }
}

function makeCard(name) {
  const about = known.networks.find((each) => each.name === name);
  const canvas = el("canvas", { class: "shift-map" });
  const card = el(
    "article",
    { class: "card" },
    el("h2", {}, name),
    el("p", { class: "quiet" }, about ? `${grouped(about.weights)} weights` : ""),
    el("p", { class: "verdict-digit" }),
    el("p", { class: "words" }),
    el("div", { class: "bars" }),
    canvas,
    el("p", { class: "quiet held" }),
  );
  const map = new Grid(canvas, {
    label: `${name} at 15 x 15 shifts. Arrow keys shift the digit.`,
    hover: false,
    pick: (row, column) => set({ dx: column - FAR, dy: row - FAR }),
    words: (row, column, value) =>
      `${column - FAR} right, ${row - FAR} down: ${KINDS[value].words}`,
  });
  return { card, map };
}

/** Ask for all shifts at once, when the digit or the networks have changed. */
const map = newest(async () => {
  const { pixels } = digit;
  const network = state.compare;
  const key = `${network} ${pixels}`;
  if (!pixels || key === mapped) return;
  const pictures = Array.from({ length: WIDE * WIDE }, (_, at) =>
    rows(shifted(pixels, (at % WIDE) - FAR, Math.floor(at / WIDE) - FAR)),
  );
  let found;
  try {
    found = await post("/v1/predict", { pictures }, { network, frame: false });
  } catch {
    return; // the cards tell what is wrong
  }
  if (network.join() !== [...cards.keys()].join()) return;
  mapped = key;
  network.forEach((name, number) => {
    const answers = found.pictures.map(({ answers: all }) => all[number].digit);
    const middle = answers[(answers.length - 1) / 2];
    const kinds = answers.map((each) =>
      each === middle ? SAME : each === null ? NONE : OTHER,
    );
    const { card, map: grid } = cards.get(name);
    grid.show(
      { ...blank(), at: (row, column) => kinds[row * WIDE + column] },
      { row: state.dy + FAR, column: state.dx + FAR },
    );
    const counts = KINDS.map((_, kind) => kinds.filter((each) => each === kind).length);
    card.querySelector(".held").textContent =
      `Of ${kinds.length} shifts ${counts[SAME]} give the same answer, ${counts[OTHER]} another digit, ${counts[NONE]} no digit.`;
  });
});
