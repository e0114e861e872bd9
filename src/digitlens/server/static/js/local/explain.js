// A look inside: why a network answers so, and all its layers.

import { cutWindow, nest, nestRows, SIDE, takeInputs } from "./layers.js";
import { logits, predict, runSteps } from "./network.js";
import { toAddress } from "./pictures.js";
import { roundEven } from "./scale.js";
import { toText } from "./tensors.js";

/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./network.js").Maps} Maps */

const WINDOW = 5; // of the occlusion: enough to cut a stroke
const STEP = 2; // from window to window
const MAX_LINKS = 4; // ribbons that lead to one number of the whole network's picture

/**
 * What /v1/explain tells.
 * @param {Network} network
 * @param {Uint8Array} pixels
 * @param {import("./framing.js").Step[]} steps of the framing
 * @param {((network: Network, pixels: Uint8Array, label: number) => Float32Array) | null} integrate gradients, where they are wanted
 */
export function explain(network, pixels, steps, integrate = null) {
  const maps = runSteps(network, pixels);
  const answer = predict(network, pixels, maps);
  const occlusion = occlude(network, pixels, Array.from(lastOf(maps).values).slice(0, 10));
  return {
    model: network.name,
    network: network.card.network,
    members: 1,
    member: 0,
    digit: answer.likeliest,
    confidence: answer.confidence,
    probabilities: answer.probabilities,
    no_digit: answer.no_digit,
    refused: answer.no_digit === null ? null : answer.digit === null,
    unsure: answer.no_digit === null ? null : answer.unsure,
    steps: steps.map(({ name, about, picture }) => ({
      name,
      about,
      picture: toAddress(picture),
      height: picture.height,
      width: picture.width,
    })),
    pixels: nestRows(pixels, 0, SIDE, SIDE),
    layers: describeLayers(network, maps),
    occlusion: {
      odds: occlusion.odds,
      window: WINDOW,
      fall: nestRows(occlusion.fall, 0, SIDE, SIDE),
      answers: nestRows(occlusion.answers, 0, SIDE, SIDE),
    },
    mattered: describeMattered(occlusion, answer.likeliest),
    shown: "",
    gradients: integrate && nestRows(integrate(network, pixels, answer.likeliest), 0, SIDE, SIDE),
    without_gradients: "",
  };
}

/** @param {Network} network @param {Maps[]} maps */
const describeLayers = (network, maps) =>
  network.layers.map((layer) => ({ ...layer, values: nest(maps[layer.output]) }));

/** What /v1/explain tells with `layers_only`: a part of it, while a digit is drawn. @param {Network} network @param {Uint8Array} pixels @param {Maps[]} [maps] of the pixels, if known */
export function explainLayers(network, pixels, maps = runSteps(network, pixels)) {
  return {
    ...describeLinks(network, pixels, maps, predict(network, pixels, maps).likeliest),
    pixels: nestRows(pixels, 0, SIDE, SIDE),
    layers: describeLayers(network, maps),
  };
}

/** The same with `shades`: a byte for each number of a map, and the answer. @param {Network} network @param {Uint8Array} pixels @param {(answer: any) => any} describePicture as /v1/predict tells it */
export function explainShades(network, pixels, describePicture) {
  const maps = runSteps(network, pixels);
  const answer = predict(network, pixels, maps);
  return {
    ...describeLinks(network, pixels, maps, answer.likeliest),
    picture: describePicture(answer),
    layers: network.layers.map((layer) => ({ ...layer, ...shadeMaps(maps[layer.output]) })),
  };
}

/** @param {Network} network @param {Uint8Array} pixels @param {Maps[]} maps @param {number} digit */
const describeLinks = (network, pixels, maps, digit) => ({
  model: network.name,
  digit,
  member: 0,
  shown: "",
  links: findLinks(network, maps, pixels, digit),
});

/** @param {Maps} maps */
function shadeMaps({ shape, values }) {
  if (shape.length === 1) return { values: Array.from(values) };
  const size = values.length / shape[0];
  const peaks = new Array(shape[0]).fill(0);
  let signed = false;
  for (let place = 0; place < values.length; place += 1) {
    const value = Math.abs(values[place]);
    const map = Math.floor(place / size);
    if (value > peaks[map]) peaks[map] = value;
    if (values[place] < 0) signed = true;
  }
  const most = Math.max(...peaks);
  const scale = (signed ? 127 : 255) / (most || 1);
  const bytes = new Uint8Array(values.length);
  for (let place = 0; place < values.length; place += 1) bytes[place] = roundEven(values[place] * scale) & 255;
  return { shades: toText(bytes), signed, most: toFour(most), peaks: peaks.map(toFour) };
}

/** @param {number} value in four figures */
const toFour = (value) => Number(value.toPrecision(4));

/** For each layer [input, output, product]: what added most, from the answer back to the pixels. @param {Network} network @param {Maps[]} maps @param {Uint8Array} pixels @param {number} answer */
function findLinks(network, maps, pixels, answer) {
  let targets = [answer];
  const links = network.layers.slice().reverse().map((layer) => {
    const inputs = takeInputs(network, layer, maps, pixels);
    const result = targets.flatMap((output) => {
      const parts = sumByInput(network, layer, inputs, maps[layer.output], output);
      return strongest(parts.map((amount, input) => [input, output, toFour(amount)])).filter(([, , amount]) => amount);
    });
    result.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
    targets = [...new Set(result.map(([input]) => input))].slice(0, MAX_LINKS);
    return result;
  });
  return links.reverse();
}

/** @param {number[][]} links */
const strongest = (links) =>
  links.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2])).slice(0, MAX_LINKS);

/** What each input, or channel, adds to a value, or to a map's largest number. @param {Network} network @param {import("./network.js").Layer} layer @param {Maps} inputs @param {Maps} outputs @param {number} output @returns {number[]} */
function sumByInput(network, layer, inputs, outputs, output) {
  const [count, rows = 1, columns = 1] = outputs.shape;
  const map = outputs.values.subarray(output * rows * columns, (output + 1) * rows * columns);
  const largest = map.indexOf(map.reduce((most, value) => Math.max(most, value), -Infinity));
  const [row, column] = [Math.floor(largest / columns), largest % columns];
  const parts = Array(inputs.shape[0]).fill(0);
  if (layer.kind === "pooling") {
    parts[output] = map[largest];
    return parts;
  }
  const { weight } = network.steps[layer.sums];
  const size = weight.values.length / count;
  const kernel = weight.values.subarray(output * size, (output + 1) * size);
  const isDense = layer.kind === "dense";
  const taken = isDense ? parts.length : weight.shape[1];
  const first = isDense ? 0 : Math.floor((output * layer.groups) / count) * taken;
  const window = isDense
    ? inputs.values
    : cutWindow(layer, inputs, first, taken, row, column).window.flat(2);
  window.forEach((value, place) => {
    parts[first + Math.floor((place * taken) / size)] += value * kernel[place];
  });
  return parts;
}

/** @param {Maps[]} maps */
const lastOf = (maps) => /** @type {Maps} */ (maps.at(-1));

/** log(p / (1 - p)) of a class, p not rounded to 1 first. @param {number[]} values @param {number} label */
function logOdds(values, label) {
  const others = values.filter((_, index) => index !== label);
  const most = Math.max(...others);
  return values[label] - most - Math.log(others.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** Turn the window around every second pixel to paper, and see what is lost. @param {Network} network @param {Uint8Array} pixels @param {number[]} whole logits of all of it */
function occlude(network, pixels, whole) {
  const label = whole.indexOf(Math.max(...whole));
  const odds = logOdds(whole, label);
  const fall = new Float32Array(SIDE * SIDE);
  const answers = new Uint8Array(SIDE * SIDE).fill(label);
  for (let row = 0; row < SIDE; row += STEP) {
    for (let column = 0; column < SIDE; column += STEP) {
      const covered = cover(pixels, row, column);
      if (!covered) continue;
      const left = logits(network, covered);
      // Pixels up to the next middle have its values.
      for (const place of [0, 1, SIDE, SIDE + 1].map((more) => row * SIDE + column + more)) {
        fall[place] = odds - logOdds(left, label);
        answers[place] = left.indexOf(Math.max(...left));
      }
    }
  }
  return { odds, fall, answers };
}

/** The digit without the window about a pixel; null where the window holds no ink. @param {Uint8Array} pixels @param {number} row @param {number} column */
function cover(pixels, row, column) {
  const reach = (WINDOW - 1) / 2;
  const covered = pixels.slice();
  let isInked = false;
  for (let y = Math.max(0, row - reach); y <= Math.min(SIDE - 1, row + reach); y += 1) {
    for (let x = Math.max(0, column - reach); x <= Math.min(SIDE - 1, column + reach); x += 1) {
      isInked ||= pixels[y * SIDE + x] > 0;
      covered[y * SIDE + x] = 0;
    }
  }
  return isInked ? covered : null;
}

/** @param {{odds: number, fall: Float32Array, answers: Uint8Array}} occlusion @param {number} label */
function describeMattered({ odds, fall, answers }, label) {
  const most = Math.max(...fall);
  if (most <= 0) return "no part of the ink speaks for the answer by itself";
  const place = fall.indexOf(most);
  const other = answers[place];
  const rest = 1 / (1 + Math.exp(most - odds));
  const after =
    other === label ? `it would still read ${other}, ${formatShare(rest)} sure` : `it would read ${other}`;
  const where = `row ${Math.floor(place / SIDE)}, column ${place % SIDE}`;
  return `without the ${WINDOW} x ${WINDOW} pixels about ${where} ${after}`;
}

/** @param {number} share */
function formatShare(share) {
  if (share > 0.9999) return "over 99.99 %";
  return share >= 0.0001 ? `${(100 * share).toFixed(2)} %` : "under 0.01 %";
}
