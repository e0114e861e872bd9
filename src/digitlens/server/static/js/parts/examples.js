// Examples to choose from: drawn ones, and digits that people wrote.

import { get } from "../core/api.js";
import { bindRoving, byId, getBrush, h } from "../core/dom.js";
import { capitalize, describeProblem } from "../core/messages.js";
import { formatCount } from "../core/numbers.js";
import { color, onColors } from "../core/theme.js";
import { setPixels } from "../digit.js";
import { fromRows } from "../ink/drawing.js";
import { EXAMPLES, HARD } from "../ink/examples.js";
import { renderDrawing } from "../ink/render.js";

const SIDE = 80; // pixels of a small picture, shown at half of that
const MANY = 1_000_000; // more than any set of digits has

/**
 * Fill a box with the examples, one stop of the Tab key.
 * @param {HTMLElement} box
 * @param {(drawing: import("../core/store.js").Drawing) => void} choose
 */
export function bindExamples(box, choose) {
  const words = byId("example-words");
  const canvases = Object.keys(EXAMPLES).map(() => h("canvas", { width: SIDE, height: SIDE }));
  const buttons = Object.entries(EXAMPLES).map(([name, drawing], index) => {
    const label = HARD[name] ? `Example: ${name}` : `Example: a ${name}`;
    const callback = () => {
      choose({ ...drawing });
      words.textContent = HARD[name] ?? "";
    };
    return h("button", { type: "button", "aria-label": label, title: name, onclick: callback }, canvases[index]);
  });
  const paint = () =>
    Object.values(EXAMPLES).forEach((drawing, index) => {
      renderDrawing(getBrush(canvases[index]), drawing, SIDE, color("digit-paper"), color("digit-ink"));
    });
  box.append(...buttons);
  bindRoving(box);
  paint();
  onColors(paint);
  byId("example-other").addEventListener("click", takeOther);
}

/** Another digit that somebody wrote: of MNIST where it is at hand. */
async function takeOther() {
  const words = byId("example-words");
  try {
    const sample = await get("/v1/sample", { index: Math.floor(MANY * Math.random()) });
    setPixels(fromRows(sample.pixels));
    words.textContent = `Number ${formatCount(sample.index)} of ${sample.source}, labelled ${sample.label}.`;
  } catch (problem) {
    words.textContent = `${capitalize(describeProblem(problem))}.`;
  }
}
