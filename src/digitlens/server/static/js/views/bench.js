// The kernel by hand: its numbers, size, stride and padding, and the map they make.

import { get, newest, post } from "../core/api.js";
import { by, el, fill } from "../core/dom.js";
import { show as showProblem } from "../core/say.js";
import { brief } from "../core/numbers.js";
import { state } from "../core/store.js";
import { digit } from "../digit.js";
import { rows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { inkRamp, signedRamp, strongest } from "../parts/ramps.js";
import { firstOfGroup } from "./cell.js";

/** Kernels of 3 x 3 that everybody should have seen at work. */
const PRESETS = {
  "edges across": [
    [-1, -1, -1],
    [0, 0, 0],
    [1, 1, 1],
  ],
  "edges down": [
    [-1, 0, 1],
    [-1, 0, 1],
    [-1, 0, 1],
  ],
  blur: [
    [1, 2, 1],
    [2, 4, 2],
    [1, 2, 1],
  ].map((row) => row.map((value) => value / 16)),
  sharpen: [
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
let wish = { ...own, stride: 1, padding: 0, channel: 0 };
let ownOf = "";

export function initBench() {
  grids = {
    before: new Grid(by("bench-before")),
    after: new Grid(by("bench-after")),
    pooled: new Grid(by("bench-pooled")),
  };
  const change = (act) => (event) => {
    act(Number(event.target.value));
    showWish();
    ask();
  };
  by("size").addEventListener(
    "input",
    change((size) => {
      wish.kernel = wish.kernel.map((each) => resized(each, size));
      makeInputs();
    }),
  );
  by("stride").addEventListener(
    "input",
    change((stride) => (wish.stride = stride)),
  );
  by("padding").addEventListener(
    "input",
    change((padding) => (wish.padding = padding)),
  );
  by("bias").addEventListener(
    "input",
    change((bias) => (wish.bias = bias)),
  );
  by("bench-channel").addEventListener(
    "change",
    change((channel) => {
      wish.channel = channel;
      makeInputs();
    }),
  );
  by("presets").append(
    el("button", { type: "button", id: "bench-own", onclick: reset }, "the network's own"),
    ...Object.entries(PRESETS).map(([name, kernel]) =>
      el("button", { type: "button", onclick: () => preset(kernel) }, name),
    ),
  );
}

/** @param {import("./cell.js").Place} wanted */
export async function showBench(wanted) {
  place = wanted;
  const { layer, map } = wanted;
  by("bench-part").hidden = layer.kind !== "convolution";
  if (by("bench-part").hidden) return;
  const key = `${state.network} ${layer.member} ${layer.number} ${map}`;
  if (key !== ownOf) {
    const path = `/v1/networks/${encodeURIComponent(state.network)}/layers/${layer.number}`;
    const found = await get(path, { kernel: map, member: layer.member }).catch(() => null);
    if (!found || place.layer !== layer || place.map !== map) return;
    ownOf = key;
    own = { kernel: found.kernels[0], bias: found.biases[0] };
    reset();
  } else ask();
}

function reset() {
  const { layer } = place;
  wish = { ...own, stride: layer.stride, padding: layer.padding, channel: 0 };
  const names = wish.kernel.map((_, at) => ({
    value: String(at),
    text: String(firstOfGroup(layer, place.map) + at),
  }));
  fill(by("bench-channel"), names, "0");
  by("bench-channel-field").hidden = names.length < 2;
  by("bench-activation").textContent = layer.activation
    ? `After ${layer.activation}`
    : "No activation follows";
  by("bias").value = String(Number(wish.bias.toPrecision(3)));
  makeInputs();
  showWish();
  ask();
}

function preset(kernel) {
  // The first layer takes in 0..255: a share of full ink is meant.
  const scale = place.layer.number === 1 ? 1 / 255 : 1;
  const zeros = kernel.map((row) => row.map(() => 0));
  wish.kernel = wish.kernel.map((_, at) =>
    at === wish.channel ? kernel.map((row) => row.map((value) => value * scale)) : zeros,
  );
  wish.bias = 0;
  by("bias").value = "0";
  makeInputs();
  showWish();
  ask();
}

/** A kernel of another size: cut or filled up with zeros, its middle in the middle. */
function resized(kernel, size) {
  const off = Math.floor((kernel.length - size) / 2);
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_unused, column) => kernel[row + off]?.[column + off] ?? 0),
  );
}

function makeInputs() {
  const kernel = wish.kernel[wish.channel];
  const box = by("kernel");
  box.style.gridTemplateColumns = `repeat(${kernel[0].length}, 1fr)`;
  box.replaceChildren(
    ...kernel.flatMap((row, down) =>
      row.map((value, right) =>
        el("input", {
          type: "number",
          step: "any",
          value: Number(value.toPrecision(2)),
          "aria-label": `kernel, row ${down}, column ${right}`,
          oninput: (event) => edit(down, right, Number(event.target.value)),
        }),
      ),
    ),
  );
}

function edit(row, column, value) {
  const changed = wish.kernel[wish.channel].map((each) => each.slice());
  changed[row][column] = value;
  wish.kernel = wish.kernel.map((each, at) => (at === wish.channel ? changed : each));
  ask();
}

function showWish() {
  const size = wish.kernel[0].length;
  by("size").max = String(Math.max(9, size));
  by("stride").max = String(Math.max(6, wish.stride));
  for (const [name, value] of Object.entries({
    size,
    stride: wish.stride,
    padding: wish.padding,
  })) {
    by(name).value = String(value);
    by(`${name}-out`).textContent = String(value);
  }
}

/** The kernel for all channels: those of other groups are zero. */
function whole() {
  const [count] = place.layer.into;
  if (wish.kernel.length === count) return wish.kernel;
  const first = firstOfGroup(place.layer, place.map);
  const zeros = wish.kernel[0].map((row) => row.map(() => 0));
  return Array.from({ length: count }, (_, at) => wish.kernel[at - first] ?? zeros);
}

const ask = newest(async () => {
  if (!digit.pixels) return;
  const { layer } = place;
  const { bias, stride, padding } = wish;
  const body = {
    picture: rows(digit.pixels),
    network: state.network,
    layer: layer.number,
    member: layer.member,
    frame: false,
    kernel: whole(),
    bias,
    stride,
    padding,
  };
  try {
    const found = await post("/v1/explain/kernel", body);
    showProblem(by("bench-problem"), null);
    by("arithmetic").textContent = found.arithmetic.height;
    showMap(grids.before, found.before);
    showMap(grids.after, found.map);
    showMap(grids.pooled, pool(found.map));
  } catch (problem) {
    showProblem(by("bench-problem"), problem);
  }
});

/** @param {Grid} grid @param {number[][]} map */
function showMap(grid, map) {
  const values = map.flat();
  const most = strongest(values);
  const ramp = values.some((value) => value < 0) ? signedRamp(most) : inkRamp(most);
  grid.show({
    rows: map.length,
    columns: map[0].length,
    at: (row, column) => map[row][column],
    ramp,
    text: brief,
  });
}

/** The largest of each 2 x 2 numbers; what is left over at an edge is left out. */
function pool(map) {
  const pairs = (count) => Array.from({ length: Math.max(1, count >> 1) }, (_, at) => at * 2);
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
