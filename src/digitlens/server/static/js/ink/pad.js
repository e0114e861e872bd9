// Drawing with mouse, pen or finger.

import { simplifyStroke } from "./drawing.js";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} acts
 * @param {() => number} acts.width of the pen, of 256
 * @param {(stroke: import("./drawing.js").Stroke) => void} acts.grows a stroke is being drawn
 * @param {(stroke: import("./drawing.js").Stroke) => void} acts.ends it is done
 */
export function bindPad(canvas, { width, grows, ends }) {
  /** @type {import("./drawing.js").Stroke | null} */
  let stroke = null;

  /** @param {PointerEvent} event */
  const add = (event) => {
    const place = canvas.getBoundingClientRect();
    stroke?.points.push(
      (256 * (event.clientX - place.left)) / place.width,
      (256 * (event.clientY - place.top)) / place.height,
    );
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (stroke || event.button > 0) return; // a second finger, another button
    canvas.setPointerCapture(event.pointerId);
    stroke = { width: width(), points: [] };
    add(event);
    grows(stroke);
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || !canvas.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const item of between.length ? between : [event]) add(item);
    grows(stroke); // browsers tell of moves once a frame: waiting for another costs 16 ms
  });

  const end = () => {
    if (!stroke) return;
    const done = simplifyStroke(stroke);
    stroke = null;
    ends(done);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}
