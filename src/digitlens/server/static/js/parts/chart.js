// Curves of training, as SVG that grows.

import { h, svg } from "../core/dom.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [320, 216, 58, 40, 10, 8];
const TICKS = 7; // numbers below the chart, at most, and the last epoch

/** @typedef {(value: number) => number} Scale from a number to its place */
/** @typedef {(value: number) => string} Write */
/**
 * @typedef {object} Curve
 * @property {string} kind "train" or "validation", and its series where it is another run's
 * @property {string} name
 * @property {(number | null)[]} values one for each epoch
 */

/**
 * @param {HTMLElement} box
 * @param {Curve[]} curves
 * @param {object} options
 * @param {number} options.epochs how many are planned
 * @param {number} options.top what no value is above
 * @param {Write} options.write
 * @param {string} options.label
 */
export function drawChart(box, curves, { epochs, top, write, label }) {
  const values = curves.flatMap((curve) => curve.values).filter((value) => value !== null);
  const [low, height, step] = span(values, top);
  const across = Math.max(2, epochs, ...curves.map((curve) => curve.values.length));
  const x = (/** @type {number} */ epoch) => LEFT + ((WIDTH - LEFT - RIGHT) * (epoch - 1)) / (across - 1);
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (height - low));
  const root = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": words(curves, label, write),
  });
  for (let value = low; value <= height + step / 2; value += step) {
    root.append(
      svg("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      svg(
        "text",
        { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" },
        values.length ? write(value) : "",
      ),
    );
  }
  for (const epoch of listTicks(across)) {
    root.append(
      svg("text", { x: x(epoch), y: HEIGHT - 24, "text-anchor": "middle" }, String(epoch)),
    );
  }
  root.append(svg("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "epoch"));
  for (const { kind, values: line } of curves) root.append(...drawn(kind, line, x, y));
  box.replaceChildren(root, bindHover(root, curves, across, x, write));
}

/** Epochs that are named: the first, the last, and some between. @param {number} across */
export function listTicks(across) {
  const step = Math.ceil(across / TICKS);
  const ticks = Array.from({ length: Math.ceil(across / step) }, (_, index) => 1 + index * step);
  return [...ticks.filter((epoch) => across - epoch >= step / 2), across];
}

/**
 * A line under the pointer, and below the chart what the curves are there.
 * @param {SVGElement} root
 * @param {Curve[]} curves
 * @param {number} across epochs
 * @param {Scale} x
 * @param {Write} write
 */
function bindHover(root, curves, across, x, write) {
  const mark = svg("line", { class: "at", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const told = h("p", { class: "chart-values" });
  root.append(mark);
  root.addEventListener("pointermove", (event) => {
    const place = root.getBoundingClientRect();
    const share = (((event.clientX - place.left) / place.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    const epoch = Math.min(across, Math.max(1, 1 + Math.round(share * (across - 1))));
    mark.setAttribute("x1", String(x(epoch)));
    mark.setAttribute("x2", String(x(epoch)));
    mark.setAttribute("visibility", "visible");
    const parts = curves
      .map(({ name, values }) => ({ name, value: values[epoch - 1] ?? null }))
      .flatMap(({ name, value }) => (value === null ? [] : `${name} ${write(value)}`));
    told.textContent = `Epoch ${epoch}: ${parts.join(", ") || "nothing yet"}`;
  });
  root.addEventListener("pointerleave", () => {
    mark.setAttribute("visibility", "hidden");
    told.textContent = "";
  });
  return told;
}

/** @param {string} kind @param {(number | null)[]} line @param {Scale} x @param {Scale} y */
function drawn(kind, line, x, y) {
  const points = line.flatMap((value, index) => (value === null ? [] : [[x(index + 1), y(value)]]));
  if (!points.length) return [];
  return [
    svg("polyline", { class: `curve ${kind}`, points: points.join(" ") }),
    ...points.map(([cx, cy]) =>
      svg("circle", { class: `dot ${kind}`, cx, cy, r: points.length > 24 ? 1.5 : 3.5 }),
    ),
  ];
}

/** Round limits about all values, and the step between lines: 1, 2 or 5 times a power of ten. @param {number[]} values @param {number} top */
export function span(values, top) {
  if (!values.length) return [0, 1, 0.5];
  const [low, height] = [Math.min(...values), Math.max(...values)];
  const rough = (height - low || height / 4 || 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((item) => item * power >= rough) ?? 10);
  const last = Math.min(top, Math.max(step, Math.ceil(height / step) * step));
  return [Math.max(0, Math.min(Math.floor(low / step) * step, last - step)), last, step];
}

/** @param {Curve[]} curves @param {string} label @param {Write} write */
function words(curves, label, write) {
  const last = curves
    .map(({ name, values }) => ({ name, value: values.findLast((value) => value !== null) ?? null }))
    .flatMap(({ name, value }) => (value === null ? [] : `${name} ${write(value)}`));
  return last.length
    ? `${label} by epoch, last: ${last.join(", ")}`
    : `${label} by epoch: nothing yet`;
}
