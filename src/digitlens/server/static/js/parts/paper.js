// A sheet to write on: the same drawing on every view that has one.

import { byId, getBrush } from "../core/dom.js";
import { setState, state } from "../core/store.js";
import { color } from "../core/theme.js";
import { currentDrawing, endPreview, previewDrawing } from "../digit.js";
import { isEmpty } from "../ink/drawing.js";
import { addStroke, OPENING } from "../ink/examples.js";
import { bindPad } from "../ink/pad.js";
import { renderDrawing } from "../ink/render.js";

const PEN = 20; // of 256

/**
 * Let a canvas be written on, and return what paints it.
 * @param {"pad" | "map-pad" | "net-pad"} id of the canvas; its hint is called the same, with "-hint"
 * @param {object} [options]
 * @param {() => number} [options.width] of the pen
 * @param {(drawing: import("../core/store.js").Drawing) => void} [options.change] a stroke is done
 * @param {() => void} [options.grow] a stroke has grown
 */
export function bindPaper(
  id,
  { width = () => PEN, change = (drawing) => setState({ drawing }), grow = () => {} } = {},
) {
  const canvas = byId(id);
  const brush = getBrush(canvas);
  const hint = byId(`${id}-hint`);

  function paint() {
    const drawing = currentDrawing();
    const [paper, ink] = [color("digit-paper"), color("digit-ink")];
    renderDrawing(brush, drawing, canvas.width, paper, ink);
    const isExample = drawing === OPENING;
    hint.hidden = !isEmpty(drawing) && !isExample;
    hint.textContent = isExample ? "An example: draw over it" : "Write a digit here";
    hint.classList.toggle("low", isExample);
  }

  bindPad(canvas, {
    width,
    grows(stroke) {
      previewDrawing(addStroke(state.drawing, stroke));
      paint();
      grow();
    },
    ends(stroke) {
      endPreview();
      change(addStroke(state.drawing, stroke));
    },
  });
  return paint;
}
