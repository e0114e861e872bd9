// A tour of seven steps, from a drawn digit to a network of one's own; left and gone on with at will.

import { byId, h } from "../core/dom.js";
import { openTab } from "../core/url.js";

const KEY = "digitlens-tour";
const DONE = "done";

/** Where each step leads, what it points at, and what is to be seen there. */
const STEPS = [
  ["draw", "#draw-bars", "A digit and ten numbers", "A network answers with ten shares that sum to 100 %: one for each digit. Choose other examples, or write a digit yourself, and watch the bars."],
  ["pixels", "#pixels-grid", "What it sees", "Not your strokes: 28 x 28 numbers from 0, paper, to 255, ink. The digit was cut out, scaled and centred first, as all digits were that it learned from."],
  ["network", "#net-rows", "Layer by layer", "Each layer makes new pictures, or a row of numbers, of those before it. Ribbons show what contributed most to the answer. Choose a map to see its numbers."],
  ["convolution", "#flow", "One number", "A kernel slides over the picture; at each place the numbers under it are multiplied with its weights and added up. Press Play and watch the map being made."],
  ["draw", "#why", "Why this digit?", "Orange ink speaks for the answer, blue ink against it. Write a digit that is hard to read and see what it hangs on."],
  ["train", "#train-form", "Learning", "Weights are found by training. The network offered here learns about a thousand digits by heart in under a minute: watch the two curves part. That is overfitting."],
  ["mistakes", "#view-mistakes", "Where it errs", "No network is always right. Each red cell holds digits that were read wrong; open some, and follow one of them through the other views."],
];

let step = 0;

function load() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string} value */
function save(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Then it is offered again at the next visit.
  }
}

function unmark() {
  for (const place of document.querySelectorAll(".tour-spot")) place.classList.remove("tour-spot");
}

/** @param {number} number */
function go(number) {
  if (number >= STEPS.length) return leave();
  step = number;
  save(String(step));
  const [tab, place, title, words] = STEPS[step];
  openTab(tab);
  byId("tour-invitation").hidden = true;
  byId("tour").hidden = false;
  byId("tour-title").textContent = `${step + 1} of ${STEPS.length}: ${title}`;
  byId("tour-words").textContent = words;
  byId("tour-back").disabled = step === 0;
  byId("tour-next").textContent = step + 1 === STEPS.length ? "Finish" : "Next";
  unmark();
  const spot = document.querySelector(place);
  spot?.classList.add("tour-spot");
  spot?.scrollIntoView({ block: "center" });
  byId("tour-title").focus({ preventScroll: true });
}

/** Leave the tour; it is offered no more, and can be begun again. */
function leave() {
  byId("tour").hidden = byId("tour-invitation").hidden = true;
  unmark();
  save(DONE);
  byId("tour-start").focus();
}

/** Offer the tour to who is here for the first time, or left it in the middle by closing the page. */
export function bindTour() {
  const saved = load();
  const last = Number(saved);
  const goesOn = Number.isInteger(last) && last > 0 && last < STEPS.length;
  byId("tour-invitation").hidden = saved === DONE;
  byId("tour-invitation").append(
    goesOn ? "You were on a tour of this page. " : "New here? A tour of seven steps shows how a network reads a digit. ",
    h("button", { type: "button", class: "primary", onclick: () => go(goesOn ? last : 0) }, goesOn ? "Go on with it" : "Take the tour"),
    " ",
    h("button", { type: "button", onclick: leave }, "Not now"),
  );
  byId("tour-start").addEventListener("click", () => go(0));
  byId("tour-back").addEventListener("click", () => go(step - 1));
  byId("tour-next").addEventListener("click", () => go(step + 1));
  byId("tour-leave").addEventListener("click", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("tour").hidden) leave();
  });
}
