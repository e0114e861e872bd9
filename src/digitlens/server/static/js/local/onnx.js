// A network of this page as an .onnx file with its card, which digitlens in Python loads, and any
// engine of ONNX runs: the bytes that digitlens.models.onnx_writer would write, but for names.
//
// Protocol buffers are fields one after the other: a number with the kind of the field, and its
// content. Two kinds occur: whole numbers (0), and bytes with their length before them (2).

/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./network.js").Step} Step */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const [FLOAT, UINT8, INT64] = [1, 2, 7]; // ONNX's numbers of types
const [IR_VERSION, OPSET] = [8, 17];
const SIDE = 28;
const CLASSES = 10;
const encoder = new TextEncoder();

/** @param {Bytes[]} parts @returns {Bytes} */
function join(parts) {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    result.set(part, place);
    place += part.length;
  }
  return result;
}

/** Seven bits a byte, the lowest first; below zero as 64 bits. @param {number} value @returns {Bytes} */
function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** @param {number} number @param {Bytes | string} content */
function field(number, content) {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return join([varint(8 * number + 2), varint(bytes.length), bytes]);
}

/** @param {number} number @param {number} value */
const integer = (number, value) => join([varint(8 * number), varint(value)]);

/** @param {string} key @param {string} value */
const entry = (key, value) => field(14, join([field(1, key), field(2, value)]));

/** Type and shape of an input or output; `N` is any number. @param {number} number @param {string} name @param {number} type @param {(number | "N")[]} shape */
function describeValue(number, name, type, shape) {
  const sides = shape.map((side) => field(1, side === "N" ? field(2, side) : integer(1, side)));
  const tensor = join([integer(1, type), field(2, join(sides))]);
  return field(number, join([field(1, name), field(2, field(1, tensor))]));
}

/** A whole number, or a list of them. @param {string} name @param {number | number[]} value */
function describeAttribute(name, value) {
  const [numbers, type] = Array.isArray(value) ? [join(value.map((item) => integer(8, item))), 7] : [integer(3, value), 2];
  return field(5, join([field(1, name), numbers, integer(20, type)]));
}

/** Nodes and constants of a graph under construction. */
function makeGraph() {
  /** @type {Bytes[]} */
  const nodes = [];
  /** @type {Bytes[]} */
  const constants = [];
  /** @param {number[]} shape @param {number} type @param {Float32Array | BigInt64Array} values */
  function constant(shape, type, values) {
    const bytes = new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));
    const name = `c${constants.length}`;
    const sides = join(shape.map((side) => integer(1, side)));
    constants.push(field(5, join([sides, integer(2, type), field(8, name), field(9, /** @type {Bytes} */ (bytes))])));
    return name;
  }
  return {
    nodes,
    constants,
    /** @param {import("./tensors.js").Tensor} tensor */
    weights: ({ shape, values }) => constant(shape, FLOAT, values),
    /** @param {...number} numbers */
    integers: (...numbers) => constant([numbers.length], INT64, BigInt64Array.from(numbers, BigInt)),
    /** @param {string} kind @param {string[]} inputs @param {Record<string, number | number[]>} [attributes] @param {string} [output] @returns {string} */
    add(kind, inputs, attributes = {}, output = `${kind.toLowerCase()}${nodes.length}`) {
      const listed = Object.entries(attributes).map(([name, value]) => describeAttribute(name, value));
      const names = inputs.map((name) => field(1, name));
      nodes.push(field(1, join([...names, field(2, output), field(4, kind), ...listed])));
      return output;
    },
  };
}

/** @param {ReturnType<typeof makeGraph>} graph @param {Step} step @param {string} value */
function addStep(graph, { op, weight, bias, stride, padding, groups, window }, value) {
  const { add, weights } = graph;
  const scalar = () => weights({ shape: [1], values: Float32Array.of(1) });
  if (op === "conv") {
    return add("Conv", [value, weights(weight), weights(bias)], { strides: stride, pads: [...padding, ...padding], group: groups });
  }
  if (op === "dense") return add("Gemm", [value, weights(weight), weights(bias)], { transB: 1 });
  if (op === "pool") return add("MaxPool", [value], { kernel_shape: [window, window], strides: [window, window] });
  // Python writes tanh with an amplitude and a slope; here both are 1.
  if (op === "tanh") return add("Mul", [add("Tanh", [add("Mul", [value, scalar()])]), scalar()]);
  return add({ relu: "Relu", sigmoid: "Sigmoid", flatten: "Flatten" }[op], [value]);
}

/** The same with its checksum at the end, where the browser counts one: over HTTPS, or on this machine. @param {Bytes} content @returns {Promise<Bytes>} */
async function sign(content) {
  if (!globalThis.crypto?.subtle) return content; // Python reads files without one, too
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const letters = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return join([content, entry("digitlens.sha256", letters)]);
}

/**
 * The file of a network, `card` inside it as JSON.
 * @param {Network} network @param {object} card as digitlens.models.card has it
 */
export function writeOnnx({ name, steps }, card) {
  const graph = makeGraph();
  const { add, integers } = graph;
  const isFlat = steps[0].op !== "conv" && steps[0].op !== "pool";
  const shape = isFlat ? [-1, SIDE * SIDE] : [-1, 1, SIDE, SIDE];
  let value = add("Reshape", [add("Cast", ["pixels"], { to: FLOAT }), integers(...shape)]);
  for (const step of steps[0].op === "flatten" ? steps.slice(1) : steps) value = addStep(graph, step, value);
  const outputs = [describeValue(12, "logits", FLOAT, ["N", CLASSES]), describeValue(12, "probabilities", FLOAT, ["N", CLASSES])];
  // Its share of all eleven is the probability of "no digit"; the ten others go on without it.
  if (steps[steps.length - 1].bias.values.length > CLASSES) {
    const share = add("Softmax", [value], { axis: 1 });
    const last = add("Slice", [share, integers(CLASSES), integers(CLASSES + 1), integers(1)]);
    add("Reshape", [last, integers(-1)], {}, "no_digit");
    value = add("Slice", [value, integers(0), integers(CLASSES), integers(1)]);
    outputs.push(describeValue(12, "no_digit", FLOAT, ["N"]));
  }
  add("Identity", [value], {}, "logits");
  add("Softmax", [value], { axis: 1 }, "probabilities");
  const input = describeValue(11, "pixels", UINT8, ["N", SIDE, SIDE]);
  const whole = join([...graph.nodes, field(2, name), ...graph.constants, input, ...outputs]);
  const opset = field(8, join([field(1, ""), integer(2, OPSET)]));
  const told = entry("digitlens.card", JSON.stringify({ format: 1, ...card, name }));
  return sign(join([integer(1, IR_VERSION), field(2, "digitlens"), field(7, whole), opset, told]));
}
