// The kernel by hand: its numbers, size, stride and padding, and the map they make.

import { get, coalesce, post } from "../core/api.js";
import { byId, h, setOptions } from "../core/dom.js";
import { showProblem } from "../core/messages.js";
import { formatBrief } from "../core/numbers.js";
import { state } from "../core/store.js";
import { digit } from "../digit.js";
import { toRows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { makeInkRamp, makeSignedRamp, findStrongest } from "../parts/ramps.js";
import { findFirstChannel } from "./cell.js";

/** Kernels of 3 x 3 that everybody should have seen at work. */
const PRESETS = {
  "Horizontal edges": [
    [-1, -1, -1],
    [0, 0, 0],
    [1, 1, 1],
  ],
  "Vertical edges": [
    [-1, 0, 1],
    [-1, 0, 1],
    [-1, 0, 1],
  ],
  Blur: [
    [1, 2, 1],
    [2, 4, 2],
    [1, 2, 1],
  ].map((row) => row.map((value) => value / 16)),
  Sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
};

/** @type {{before: Grid, after: Grid, pooled: Grid}} */
let grids;
/** @type {import("./cell.js").Place} */
let place;
/** @type {{kernel: number[][][], bias: number}} the network's own */
let own = { kernel: [[[0]]], bias: 0 };
/** @type {{kernel: number[][][], bias: number, stride: number, padding: number, channel: number}} */
let draft = { ...own, stride: 1, padding: 0, channel: 0 };
let ownKey = "";

export function initBench() {
  grids = {
    before: new Grid(byId("bench-before")),
    after: new Grid(byId("bench-after")),
    pooled: new Grid(byId("bench-pooled")),
  };
  const onChange = (callback) => (event) => {
    callback(Number(event.target.value));
    showDraft();
    askMap();
  };
  byId("size").addEventListener(
    "input",
    onChange((size) => {
      draft.kernel = draft.kernel.map((item) => resize(item, size));
      makeInputs();
    }),
  );
  byId("stride").addEventListener(
    "input",
    onChange((stride) => (draft.stride = stride)),
  );
  byId("padding").addEventListener(
    "input",
    onChange((padding) => (draft.padding = padding)),
  );
  byId("bias").addEventListener(
    "input",
    onChange((bias) => (draft.bias = bias)),
  );
  byId("bench-channel").addEventListener(
    "change",
    onChange((channel) => {
      draft.channel = channel;
      makeInputs();
    }),
  );
  byId("presets").append(
    h("button", { type: "button", id: "bench-own", onclick: reset }, "Reset to the learned kernel"),
    ...Object.entries(PRESETS).map(([name, kernel]) =>
      h("button", { type: "button", onclick: () => applyPreset(kernel) }, name),
    ),
  );
}

/** @param {import("./cell.js").Place} chosen */
export async function showBench(chosen) {
  place = chosen;
  const { layer, map } = chosen;
  byId("bench-part").hidden = layer.kind !== "convolution";
  if (byId("bench-part").hidden) return;
  const key = `${state.network} ${layer.member} ${layer.number} ${map}`;
  if (key !== ownKey) {
    const path = `/v1/networks/${encodeURIComponent(state.network)}/layers/${layer.number}`;
    const result = await get(path, { kernel: map, member: layer.member }).catch(() => null);
    if (!result || place.layer !== layer || place.map !== map) return;
    ownKey = key;
    own = { kernel: result.kernels[0], bias: result.biases[0] };
    reset();
  } else askMap();
}

function reset() {
  const { layer } = place;
  draft = { ...own, stride: layer.stride, padding: layer.padding, channel: 0 };
  const names = draft.kernel.map((_, index) => ({
    value: String(index),
    text: String(findFirstChannel(layer, place.map) + index),
  }));
  setOptions(byId("bench-channel"), names, "0");
  byId("bench-channel-field").hidden = names.length < 2;
  byId("bench-activation").textContent = layer.activation
    ? `After ${layer.activation}`
    : "Activation: none";
  byId("bias").value = String(Number(draft.bias.toPrecision(3)));
  makeInputs();
  showDraft();
  askMap();
}

function applyPreset(kernel) {
  // The first layer takes in 0..255: a share of full ink is meant.
  const scale = place.layer.number === 1 ? 1 / 255 : 1;
  const zeros = kernel.map((row) => row.map(() => 0));
  draft.kernel = draft.kernel.map((_, index) =>
    index === draft.channel ? kernel.map((row) => row.map((value) => value * scale)) : zeros,
  );
  draft.bias = 0;
  byId("bias").value = "0";
  makeInputs();
  showDraft();
  askMap();
}

/** A kernel of another size: cut or filled up with zeros, its middle in the middle. */
function resize(kernel, size) {
  const offset = Math.floor((kernel.length - size) / 2);
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_unused, column) => kernel[row + offset]?.[column + offset] ?? 0),
  );
}

function makeInputs() {
  const kernel = draft.kernel[draft.channel];
  const box = byId("kernel");
  box.style.gridTemplateColumns = `repeat(${kernel[0].length}, 1fr)`;
  box.replaceChildren(
    ...kernel.flatMap((row, down) =>
      row.map((value, right) =>
        h("input", {
          type: "number",
          step: "any",
          value: Number(value.toPrecision(2)),
          "aria-label": `kernel, row ${down}, column ${right}`,
          oninput: (event) => editNumber(down, right, Number(event.target.value)),
        }),
      ),
    ),
  );
}

function editNumber(row, column, value) {
  const changed = draft.kernel[draft.channel].map((item) => item.slice());
  changed[row][column] = value;
  draft.kernel = draft.kernel.map((item, index) => (index === draft.channel ? changed : item));
  askMap();
}

function showDraft() {
  const size = draft.kernel[0].length;
  byId("size").max = String(Math.max(9, size));
  byId("stride").max = String(Math.max(6, draft.stride));
  for (const [name, value] of Object.entries({
    size,
    stride: draft.stride,
    padding: draft.padding,
  })) {
    byId(name).value = String(value);
    byId(`${name}-out`).textContent = String(value);
  }
}

/** The kernel for all channels: those of other groups are zero. */
function fillChannels() {
  const [count] = place.layer.into;
  if (draft.kernel.length === count) return draft.kernel;
  const first = findFirstChannel(place.layer, place.map);
  const zeros = draft.kernel[0].map((row) => row.map(() => 0));
  return Array.from({ length: count }, (_, index) => draft.kernel[index - first] ?? zeros);
}

const askMap = coalesce(async () => {
  if (!digit.pixels) return;
  const { layer } = place;
  const { bias, stride, padding } = draft;
  const body = {
    picture: toRows(digit.pixels),
    network: state.network,
    layer: layer.number,
    member: layer.member,
    frame: false,
    kernel: fillChannels(),
    bias,
    stride,
    padding,
  };
  try {
    const result = await post("/v1/explain/kernel", body);
    showProblem(byId("bench-problem"), null);
    byId("arithmetic").textContent = result.arithmetic.height;
    showMap(grids.before, result.before);
    showMap(grids.after, result.map);
    showMap(grids.pooled, maxPool(result.map));
  } catch (problem) {
    showProblem(byId("bench-problem"), problem);
  }
});

/** @param {Grid} grid @param {number[][]} map */
function showMap(grid, map) {
  const values = map.flat();
  const most = findStrongest(values);
  const ramp = values.some((value) => value < 0) ? makeSignedRamp(most) : makeInkRamp(most);
  grid.show({
    rows: map.length,
    columns: map[0].length,
    at: (row, column) => map[row][column],
    ramp,
    text: formatBrief,
  });
}

/** The largest of each 2 x 2 numbers; what is left over at an edge is left out. */
function maxPool(map) {
  const pairs = (count) => Array.from({ length: Math.max(1, count >> 1) }, (_, index) => index * 2);
  const at = (row, column) => map[row]?.[column] ?? -Infinity;
  return pairs(map.length).map((row) =>
    pairs(map[0].length).map((column) =>
      Math.max(
        at(row, column),
        at(row, column + 1),
        at(row + 1, column),
        at(row + 1, column + 1),
      ),
    ),
  );
}
