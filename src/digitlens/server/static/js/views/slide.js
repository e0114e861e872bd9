// The kernel slides over the picture, place by place, and the map grows behind it.

import { byId } from "../core/dom.js";
import { state, watch } from "../core/store.js";

/**
 * @typedef {object} Slide
 * @property {() => {rows: number, columns: number}} size of the map
 * @property {(row: number, column: number) => void} go to a place
 * @property {() => void} finish show all of the map again
 */

/** @type {Slide} */
let slide;
/** the place that the kernel has come to; null while the whole map is shown @type {number | null} */
let reached = null;
let timer = 0;

/** Up to which place the map is there already; undefined: all of it. */
export const findReached = () => reached ?? undefined;

/** @param {Slide} made */
export function initSlide(made) {
  slide = made;
  byId("play").addEventListener("click", () => (timer ? pause() : play()));
  byId("play-step").addEventListener("click", () => {
    pause();
    step();
  });
  byId("play-all").addEventListener("click", endSlide);
  byId("play-speed").addEventListener("input", () => timer && play());
  watch(["tab", "layer", "map", "drawing", "network"], endSlide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && pause());
}

function play() {
  clearInterval(timer);
  timer = setInterval(step, 1000 / Number(byId("play-speed").value));
  step();
  showButtons();
}

function pause() {
  clearInterval(timer);
  timer = 0;
  showButtons();
}

function step() {
  const { rows, columns } = slide.size();
  if (state.tab !== "convolution" || reached === rows * columns - 1) return endSlide();
  reached = (reached ?? -1) + 1;
  slide.go(Math.floor(reached / columns), reached % columns);
  showButtons();
}

/** Show the whole map. */
export function endSlide() {
  if (reached === null && !timer) return;
  reached = null;
  pause();
  slide.finish();
}

function showButtons() {
  byId("play").textContent = timer ? "Pause" : reached === null ? "Play" : "Go on";
  byId("play-all").hidden = reached === null;
}
