// The kernel by hand: its numbers, size, stride and padding, and the map they make.

import { get, coalesce, post } from "../core/api.js";
import { bindRoving, byId, h, setOptions } from "../core/dom.js";
import { showProblem } from "../core/messages.js";
import { formatBrief } from "../core/numbers.js";
import { setState, state } from "../core/store.js";
import { digit } from "../digit.js";
import { toRows } from "../ink/drawing.js";
import { Grid } from "../parts/grid.js";
import { makeInkRamp, makeSignedRamp, findStrongest } from "../parts/ramps.js";
import { kernelFromText, kernelToText, PRESETS } from "../parts/kernels.js";
import { findFirstChannel } from "./cell.js";

const INK = 255; // of full ink in the first layer's input: kernels are shown as for ink 0..1

/** @type {{into: Grid, before: Grid, after: Grid, pooled: Grid}} */
let grids;
/** @type {import("./cell.js").Place} */
let place;
/** @type {{kernel: number[][][], bias: number}} the learned one, for ink 0..1 */
let own = { kernel: [[[0]]], bias: 0 };
/** `alone`: channels beside the chosen one count nothing. */
const NOTHING = { stride: 1, padding: 0, channel: 0, divisor: 1, alone: false };
/** @type {{kernel: number[][][], bias: number} & typeof NOTHING} */
let draft = { ...own, ...NOTHING };
let ownKey = "";

export function initBench() {
  grids = {
    into: new Grid(byId("bench-into")),
    before: new Grid(byId("bench-before")),
    after: new Grid(byId("bench-after")),
    pooled: new Grid(byId("bench-pooled")),
  };
  const onChange = (callback) => (event) => {
    callback(Number(event.target.value));
    changed();
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
  byId("divisor").addEventListener(
    "input",
    onChange((divisor) => (draft.divisor = divisor || 1)),
  );
  byId("bench-channel").addEventListener(
    "change",
    onChange((channel) => {
      draft.channel = channel;
      makeInputs();
    }),
  );
  byId("kernel").addEventListener("keydown", moveByKey);
  byId("presets").append(
    h("button", { type: "button", id: "bench-own", onclick: reset }, "Reset to the learned kernel"),
    ...Object.entries(PRESETS).map(([name, preset]) =>
      h("button", { type: "button", onclick: () => applyPreset(preset) }, name),
    ),
  );
  bindRoving(byId("presets"));
}

/** The draft was changed by hand: it is shown, asked for, and kept in the address. */
function changed() {
  const { channel, alone, stride, padding, bias, divisor, kernel } = draft;
  const edit = { channel, alone, stride, padding, bias, divisor, kernel: kernel[channel] };
  setState({ kernel: kernelToText(edit) });
  showDraft();
  askMap();
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
    const scale = layer.number === 1 ? INK : 1;
    const kernel = result.kernels[0].map((rows) =>
      rows.map((row) => row.map((value) => value * scale)),
    );
    own = { kernel, bias: result.biases[0] };
    open(state.kernel ? kernelFromText(state.kernel) : null);
  } else askMap();
}

function reset() {
  setState({ kernel: "" });
  open(null);
}

/** Show the learned kernel, or one that was edited. @param {import("../parts/kernels.js").Edit | null} edit */
function open(edit) {
  const { layer } = place;
  draft = { ...own, ...NOTHING, stride: layer.stride, padding: layer.padding };
  if (edit) useKernel({ ...edit, channel: Math.min(edit.channel, own.kernel.length - 1) });
  const names = draft.kernel.map((_, index) => ({
    value: String(index),
    text: String(findFirstChannel(layer, place.map) + index),
  }));
  setOptions(byId("bench-channel"), names, String(draft.channel));
  byId("bench-channel-field").hidden = names.length < 2;
  byId("bench-activation").textContent = layer.activation
    ? `After ${layer.activation}`
    : "Activation: none";
  makeInputs();
  showDraft();
  askMap();
}

/** Lay a kernel over one channel. @param {import("../parts/kernels.js").Edit} edit */
function useKernel({ kernel, ...rest }) {
  const zeros = kernel.map((row) => row.map(() => 0));
  const others = (item) => (rest.alone ? zeros : resize(item, kernel.length));
  draft = {
    ...rest,
    kernel: own.kernel.map((item, index) => (index === rest.channel ? kernel : others(item))),
  };
}

/** A kernel of the books: in steps of 1, the map as large as the picture. */
function applyPreset({ kernel, divisor = 1 }) {
  const { channel } = draft;
  useKernel({ kernel, divisor, channel, alone: true, bias: 0, stride: 1, padding: 1 });
  makeInputs();
  changed();
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
          type: "text",
          inputmode: "decimal",
          tabindex: down || right ? "-1" : "0",
          value: Number(value.toFixed(Math.abs(value) < 10 ? 2 : 0)),
          "aria-label": `kernel, row ${down}, column ${right}`,
          oninput: (event) => editNumber(down, right, Number(event.target.value.replace(",", ".")) || 0),
        }),
      ),
    ),
  );
}

/** One stop of the Tab key for the kernel: arrows lead from number to number. */
function moveByKey(event) {
  const fields = [...byId("kernel").children];
  const side = draft.kernel[0].length;
  const { selectionStart, selectionEnd, value } = event.target;
  const isWhole = selectionEnd - selectionStart === value.length;
  const steps = {
    ArrowUp: -side,
    ArrowDown: side,
    ArrowLeft: isWhole || selectionEnd === 0 ? -1 : 0,
    ArrowRight: isWhole || selectionStart === value.length ? 1 : 0,
  };
  const next = steps[event.key] && fields[fields.indexOf(event.target) + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  for (const field of fields) field.tabIndex = field === next ? 0 : -1;
  next.focus();
  next.select();
}

function editNumber(row, column, value) {
  const edited = draft.kernel[draft.channel].map((item) => item.slice());
  edited[row][column] = value;
  draft.kernel = draft.kernel.map((item, index) => (index === draft.channel ? edited : item));
  changed();
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
  for (const name of ["bias", "divisor"]) {
    const field = byId(name);
    if (document.activeElement !== field) field.value = String(Number(draft[name].toPrecision(3)));
  }
}

/** The kernel for all channels, as the layer takes it: those of other groups are zero. */
function fillChannels() {
  const [count] = place.layer.into;
  const scale = 1 / (draft.divisor * (place.layer.number === 1 ? INK : 1));
  const kernel = draft.kernel.map((rows) => rows.map((row) => row.map((value) => value * scale)));
  if (kernel.length === count) return kernel;
  const first = findFirstChannel(place.layer, place.map);
  const zeros = kernel[0].map((row) => row.map(() => 0));
  return Array.from({ length: count }, (_, index) => kernel[index - first] ?? zeros);
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
    showMap(grids.into, place.into[findFirstChannel(layer, place.map) + draft.channel]);
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
