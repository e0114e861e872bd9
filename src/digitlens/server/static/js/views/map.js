// Map: where digits lie before a network's last layer, and one's own among them while it is drawn.

import { coalesce, get, makeSignals, post } from "../core/api.js";
import { byId, getBrush, h } from "../core/dom.js";
import { capitalize, describeProblem, showProblem } from "../core/messages.js";
import { formatPercent } from "../core/numbers.js";
import { setState, state, watch } from "../core/store.js";
import { cssColor } from "../core/theme.js";
import { currentDrawing, describeRequest, digit, isUnfinished, setPixels } from "../digit.js";
import { emptyDrawing, fromRows, isEmpty, SIDE } from "../ink/drawing.js";
import { rankOthers } from "../parts/bars.js";
import { paintPixels } from "../parts/paint.js";
import { bindPaper } from "../parts/paper.js";
import { makeInkRamp } from "../parts/ramps.js";

const MARGIN = 24; // pixels about the outermost digits
const NEIGHBOURS = 10; // looked at; half of them are shown as pictures
const REACH = 14; // pixels from a digit at which a click chooses it

let paintPad = () => {};
/** @type {Api.DigitMap | null} */
let map = null;
/** places that the digit has been at since the pen came down @type {number[][]} */
let trail = [];
let asked = "";
const askPictures = makeSignals();

export function init() {
  paintPad = bindPaper("map-pad", { grow: locate });
  byId("map-clear").addEventListener("click", () => setState({ drawing: emptyDrawing() }));
  byId("map-plot").addEventListener("click", (event) => {
    const place = findPoint(event);
    if (place !== null) showPictures([place], "The digit that was clicked");
  });
  new ResizeObserver(paint).observe(byId("map-plot"));
  watch(["drawing", "network"], () => state.tab === "map" && locate());
}

export function show() {
  paintPad();
  loadMap();
}

const loadMap = coalesce(async () => {
  const { network } = state;
  if (map?.network === network) return locate();
  byId("map-words").textContent = "Digits go through the network…";
  try {
    const result = await get("/v1/map", { network });
    if (network !== state.network) return;
    [map, trail, asked] = [result, [], ""];
    showProblem(byId("map-problem"), null);
    const where = result.layer ? `layer ${result.layer}, ${result.mean.length} numbers a digit` : "the pixels themselves";
    byId("map-words").textContent =
      `${result.points.length} digits (${result.source}) by ${where}. These two directions hold ${formatPercent(result.share)} of all their differences.`;
  } catch (problem) {
    map = null;
    showProblem(byId("map-problem"), problem);
  }
  paint();
  locate();
});

/** Ask where the drawing lies, the newest one always. */
const locate = coalesce(async () => {
  const drawing = currentDrawing();
  if (!map || map.network !== state.network) return;
  if (isEmpty(drawing)) {
    [trail, asked] = [[], ""];
    byId("map-near").replaceChildren();
    byId("map-near-words").textContent = "";
    return paint();
  }
  const { picture, how } = describeRequest(drawing);
  const key = `${map.network} ${picture}`;
  if (key !== asked) {
    const query = { network: map.network, ...how, layers_only: true };
    const result = await post("/v1/explain", { pictures: [picture] }, query).catch(() => null);
    if (!result || result.model !== map?.network) return;
    asked = key;
    const layers = /** @type {Api.LayerMaps[]} without shades */ (result.layers);
    const values = map.layer ? layers[map.layer - 1].values : (result.pixels ?? []);
    const place = project(map, values.flat(2));
    trail = isUnfinished() ? [...trail, place] : [...trail.slice(-200), place];
  }
  paint();
  if (!isUnfinished()) tellNeighbours();
});

/** @param {Api.DigitMap} space @param {number[]} values */
const project = (space, values) =>
  space.components.map((axis) =>
    axis.reduce((sum, weight, index) => sum + weight * (values[index] - space.mean[index]), 0),
  );

/**
 * From the map's numbers to the plot's pixels.
 * @param {number[][]} points
 * @param {number} width
 * @param {number} height
 * @returns {(point: number[]) => [number, number]}
 */
function makeScale(points, width, height) {
  const range = (/** @type {number} */ axis) => {
    const all = points.map((point) => point[axis]);
    return [Math.min(...all), Math.max(...all)];
  };
  const [[left, right], [bottom, top]] = [range(0), range(1)];
  const scale = Math.min((width - 2 * MARGIN) / (right - left || 1), (height - 2 * MARGIN) / (top - bottom || 1));
  const clamp = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(most - 8, Math.max(8, value));
  return ([x, y]) => [
    clamp(width / 2 + scale * (x - (left + right) / 2), width),
    clamp(height / 2 - scale * (y - (top + bottom) / 2), height),
  ];
}

function paint() {
  const canvas = byId("map-plot");
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!map || !width || state.tab !== "map") return;
  const { points, labels } = map;
  const sharp = Math.min(3, devicePixelRatio || 1);
  canvas.width = width * sharp;
  canvas.height = height * sharp;
  const brush = getBrush(canvas);
  brush.scale(sharp, sharp);
  brush.fillStyle = cssColor("digit-paper");
  brush.fillRect(0, 0, width, height);
  const scale = makeScale(points, width, height);
  const answer = trail.length ? digit.answer : null;
  const [likeliest, next] = answer ? [answer.likeliest, rankOthers(answer)[0].digit] : [-1, -1];
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  points.forEach((point, index) => {
    const label = labels[index];
    const isMarked = label === likeliest || label === next;
    brush.fillStyle = cssColor(label === likeliest ? "accent" : label === next ? "plus" : "quiet", isMarked || !answer ? 1 : 0.55);
    brush.font = `${isMarked ? "600 " : ""}13px system-ui, sans-serif`;
    brush.fillText(String(label), ...scale(point));
  });
  paintTrail(brush, trail.map(scale));
}

/** @param {CanvasRenderingContext2D} brush @param {number[][]} places */
function paintTrail(brush, places) {
  const last = places.at(-1);
  if (!last) return;
  const [x, y] = last;
  for (const { style, line } of [{ style: cssColor("digit-paper"), line: 5 }, { style: cssColor("mark"), line: 2 }]) {
    brush.strokeStyle = style;
    brush.lineWidth = line;
    brush.beginPath();
    places.forEach(([right, down]) => brush.lineTo(right, down));
    brush.stroke();
    brush.beginPath();
    brush.arc(x, y, 9, 0, 2 * Math.PI);
    brush.stroke();
  }
}

/** @param {MouseEvent} event */
function findPoint(event) {
  if (!map) return null;
  const canvas = byId("map-plot");
  const box = canvas.getBoundingClientRect();
  const scale = makeScale(map.points, canvas.clientWidth, canvas.clientHeight);
  const gaps = map.points.map((point) => {
    const [x, y] = scale(point);
    return Math.hypot(x - event.clientX + box.left, y - event.clientY + box.top);
  });
  const least = Math.min(...gaps);
  return least < REACH ? gaps.indexOf(least) : null;
}

function tellNeighbours() {
  const last = trail.at(-1);
  if (!map || !last) return;
  const [x, y] = last;
  const { points, labels } = map;
  const gaps = points.map(([right, up]) => Math.hypot(right - x, up - y));
  const near = gaps.map((_, index) => index).sort((a, b) => gaps[a] - gaps[b]).slice(0, NEIGHBOURS);
  /** @type {Record<string, number>} */
  const counts = {};
  for (const index of near) counts[labels[index]] = (counts[labels[index]] ?? 0) + 1;
  const parts = Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([label, count]) => `${count} ${count === 1 ? `is a ${label}` : `are ${label}s`}`);
  const words = `Of the ten digits nearest to yours ${parts.join(", ")}.`;
  byId("map-plot").setAttribute("aria-label", `The map. ${words}`);
  showPictures(near.slice(0, NEIGHBOURS / 2), words);
}

/** Show digits of the map as pictures that can be inspected. @param {number[]} places @param {string} words */
async function showPictures(places, words) {
  if (!map) return;
  const { answers, index: numbers } = map;
  const near = byId("map-near");
  byId("map-near-words").textContent = `${words}:`.replace(".:", ":");
  const signal = askPictures();
  const samples = await Promise.all(
    places.map((place) => get("/v1/sample", { index: numbers[place], part: "validation" }, signal)),
  ).catch((problem) => {
    if (signal.aborted) return null;
    byId("map-near-words").textContent = `${capitalize(describeProblem(problem))}.`;
    return /** @type {Api.Sample[]} */ ([]);
  });
  if (!samples) return;
  const buttons = samples.map(({ label, pixels }, index) => {
    const canvas = h("canvas");
    paintPixels(canvas, pixels.flat(), SIDE, makeInkRamp());
    const answer = answers[places[index]];
    const about = `a ${label}${answer === label ? "" : `, read as ${answer}`}`;
    const onclick = () => setPixels(fromRows(pixels));
    return h("button", { type: "button", "aria-label": `Inspect ${about}`, onclick }, canvas, h("span", {}, about));
  });
  near.replaceChildren(...buttons);
}
