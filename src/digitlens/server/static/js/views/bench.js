// The kernel by hand: its numbers, size, stride and padding, and the map they make.

import { get, coalesce, makeSignals, post } from "../core/api.js";
import { bindRoving, byId, h, queryAll, setOptions } from "../core/dom.js";
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
const askKernel = makeSignals();

export function initBench() {
  grids = {
    into: new Grid(byId("bench-into")),
    before: new Grid(byId("bench-before")),
    after: new Grid(byId("bench-after")),
    pooled: new Grid(byId("bench-pooled")),
  };
  /** @param {HTMLInputElement | HTMLSelectElement} field @param {(value: number) => void} callback */
  const bind = (field, callback, kind = "input") =>
    field.addEventListener(kind, () => {
      callback(Number(field.value));
      changed();
    });
  bind(byId("size"), (size) => {
    draft.kernel = draft.kernel.map((item) => resize(item, size));
    makeInputs();
  });
  bind(byId("stride"), (stride) => (draft.stride = stride));
  bind(byId("padding"), (padding) => (draft.padding = padding));
  bind(byId("bias"), (bias) => (draft.bias = bias));
  bind(byId("divisor"), (divisor) => (draft.divisor = divisor || 1));
  bind(byId("bench-channel"), (channel) => {
    draft.channel = channel;
    makeInputs();
  }, "change");
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
    const name = encodeURIComponent(state.network);
    const result = await get(`/v1/networks/${name}/layers/${layer.number}`, { kernel: map, member: layer.member }, askKernel()).catch(() => null);
    if (!result) return;
    ownKey = key;
    const scale = layer.number === 1 ? INK : 1;
    own = { kernel: multiply(result.kernels[0], scale), bias: result.biases[0] };
    open(state.kernel ? kernelFromText(state.kernel) : null);
  } else askMap();
}

/** @param {number[][][]} kernel @param {number} scale */
const multiply = (kernel, scale) => kernel.map((rows) => rows.map((row) => row.map((value) => value * scale)));

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
  const others = (/** @type {number[][]} */ item) => (rest.alone ? zeros : resize(item, kernel.length));
  draft = {
    ...rest,
    kernel: own.kernel.map((item, index) => (index === rest.channel ? kernel : others(item))),
  };
}

/** A kernel of the books: in steps of 1, the map as large as the picture. @param {{kernel: number[][], divisor?: number}} preset */
function applyPreset({ kernel, divisor = 1 }) {
  const { channel } = draft;
  useKernel({ kernel, divisor, channel, alone: true, bias: 0, stride: 1, padding: 1 });
  makeInputs();
  changed();
}

/** A kernel of another size: cut or filled up with zeros, its middle in the middle. @param {number[][]} kernel @param {number} size */
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
          oninput: ({ currentTarget: { value: text } }) => editNumber(down, right, Number(text.replace(",", ".")) || 0),
        }),
      ),
    ),
  );
}

/** One stop of the Tab key for the kernel: arrows lead from number to number. @param {KeyboardEvent} event */
function moveByKey(event) {
  const fields = queryAll("input", byId("kernel"));
  const index = fields.findIndex((field) => field === event.target);
  if (index < 0) return;
  const side = draft.kernel[0].length;
  const { value } = fields[index];
  const [start, end] = [fields[index].selectionStart ?? 0, fields[index].selectionEnd ?? 0];
  const isWhole = end - start === value.length;
  /** @type {Record<string, number>} */
  const steps = {
    ArrowUp: -side,
    ArrowDown: side,
    ArrowLeft: isWhole || end === 0 ? -1 : 0,
    ArrowRight: isWhole || start === value.length ? 1 : 0,
  };
  const next = steps[event.key] && fields[index + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  for (const field of fields) field.tabIndex = field === next ? 0 : -1;
  next.focus();
  next.select();
}

/** @param {number} row @param {number} column @param {number} value */
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
  const values = { size, stride: draft.stride, padding: draft.padding };
  for (const name of /** @type {const} */ (["size", "stride", "padding"])) {
    byId(name).value = String(values[name]);
    byId(`${name}-out`).textContent = String(values[name]);
  }
  for (const name of /** @type {const} */ (["bias", "divisor"])) {
    const field = byId(name);
    if (document.activeElement !== field) field.value = String(Number(draft[name].toPrecision(3)));
  }
}

/** The kernel for all channels, as the layer takes it: those of other groups are zero. */
function fillChannels() {
  const [count] = place.layer.into;
  const scale = 1 / (draft.divisor * (place.layer.number === 1 ? INK : 1));
  const kernel = multiply(draft.kernel, scale);
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

/** The largest of each 2 x 2 numbers; what is left over at an edge is left out. @param {number[][]} map */
function maxPool(map) {
  const pairs = (/** @type {number} */ count) => Array.from({ length: Math.max(1, count >> 1) }, (_, index) => index * 2);
  const at = (/** @type {number} */ row, /** @type {number} */ column) => map[row]?.[column] ?? -Infinity;
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
