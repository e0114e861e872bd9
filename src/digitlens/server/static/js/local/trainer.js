// Training in plain JavaScript: layers in the words of the command line, a step, an epoch.
//
// The rules are those of digitlens.training: the same layers and first weights (other random
// numbers), AdamW or SGD, a learning rate that rises and falls, the cross-entropy of the label.

import { Problem } from "../core/problem.js";
import { goBack } from "./backward.js";
import { runStep, softmax } from "./network.js";

/** @typedef {import("./network.js").Step} Step */
/** @typedef {import("./network.js").Maps} Maps */
/** @typedef {import("./backward.js").Slopes} Slopes */
/** @typedef {() => number} Random 0..1, each call another */

/** A step of training: dropout is one too, and none of the network that is used. @typedef {Step & {share?: number}} TrainStep */

const CLASSES = 10;
const SIDE = 28;
const LAYER = /^(?:conv(?<maps>\d+)(?:x(?<kernel>\d+))?(?:\/(?<stride>\d+))?|pool(?<pool>\d*)|dense(?<values>\d+)|drop(?<share>0?\.\d+))$/;
const EXAMPLE = "conv8,pool,conv16,pool,dense32";
const ACTIVATIONS = ["relu", "tanh", "sigmoid", "none"];
const MAX_WEIGHTS = 500_000; // in a browser: with more an epoch takes minutes
/** What a recipe is where nothing is asked for; `sgd` wants a larger rate than Adam. */
const RECIPE = { epochs: 4, batch: 256, rate: 0.003, sgdRate: 0.1, decay: 0.02, warmup: 0.25, betas: [0.9, 0.99] };
const [FULL_SIZE, MIN_STEPS, MIN_BATCHES] = [10_000, 400, 20]; // below so many digits, smaller batches and more epochs
const EPSILON = 1e-8;

/** Whole numbers and a seed: the same seed, the same network. Mulberry32. @param {number} seed @returns {Random} */
export function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {string} detail @param {string} [seen] @returns {Problem} */
const refuse = (detail, seen) => new Problem({ type: "urn:digitlens:usage", status: 400, detail, seen, try: EXAMPLE });

/** @param {Partial<TrainStep>} step @returns {TrainStep} */
const makeStep = (step) =>
  /** @type {TrainStep} */ ({ stride: [1, 1], padding: [0, 0], groups: 1, window: 0, ...step });

/**
 * The steps of a list of layers; the ten logits follow by themselves.
 * @param {string} layers @param {Random} random draws the first weights
 * @param {{dropout?: number | null, activation?: string | null}} [wish] behind dense hidden layers, behind each layer
 */
export function buildNetwork(layers, random, { dropout, activation } = {}) {
  const bend = activation ?? ACTIVATIONS[0];
  if (!ACTIVATIONS.includes(bend)) throw refuse(`“${bend}” is no activation`, `known: ${ACTIVATIONS.join(", ")}`);
  const bends = bend === "none" ? [] : [makeStep({ op: /** @type {any} */ (bend) })];
  /** @type {TrainStep[]} */
  const steps = [];
  let [shape, weights] = [[1, SIDE, SIDE], 0];
  // torch's own first weights: uniform, up to the root of one by what a number takes in.
  const draw = (/** @type {number[]} */ ...sizes) => {
    const taken = sizes.slice(1).reduce((product, size) => product * size, 1);
    const spread = (/** @type {number} */ count) =>
      Float32Array.from({ length: count }, () => (2 * random() - 1) / Math.sqrt(taken));
    weights += sizes[0] * taken + sizes[0];
    if (weights > MAX_WEIGHTS) throw refuse(`too many weights for a browser: over ${MAX_WEIGHTS.toLocaleString("en")}`, layers);
    return { weight: { shape: sizes, values: spread(sizes[0] * taken) }, bias: { shape: [sizes[0]], values: spread(sizes[0]) } };
  };
  const words = [...layers.replaceAll(" ", "").split(","), `dense${CLASSES}`];
  words.forEach((word, index) => {
    const parts = LAYER.exec(word)?.groups;
    if (!parts) throw refuse(`“${word}” is no layer`, layers);
    if (parts.share) return steps.push(makeStep({ op: /** @type {any} */ ("drop"), share: Number(parts.share) }));
    const sizes = [parts.maps, parts.values, parts.kernel, parts.stride, parts.pool].filter(Boolean).map(Number);
    if (sizes.some((size) => size < 1 || size > 10_000)) throw refuse(`${word} must have sizes of 1 to 10,000`);
    if (parts.values) {
      if (shape.length > 1) steps.push(makeStep({ op: "flatten" }));
      steps.push(makeStep({ op: "dense", ...draw(Number(parts.values), shape.reduce((product, size) => product * size, 1)) }));
      shape = [Number(parts.values)];
      if (index === words.length - 1) return;
      steps.push(...bends);
      if (dropout) steps.push(makeStep({ op: /** @type {any} */ ("drop"), share: dropout }));
      return;
    }
    if (shape.length === 1) throw refuse(`${word} must come before the dense layers`, layers);
    const kernel = parts.maps ? Number(parts.kernel ?? 3) : Number(parts.pool || 2);
    const stride = parts.maps ? Number(parts.stride ?? 1) : kernel;
    if (kernel > shape[1]) throw refuse(`${word} must fit into the maps before it`, `maps of ${shape[1]} x ${shape[1]}`);
    const side = Math.floor((shape[1] - kernel) / stride) + 1;
    if (!parts.maps) steps.push(makeStep({ op: "pool", window: kernel }));
    else {
      const drawn = draw(Number(parts.maps), shape[0], kernel, kernel);
      steps.push(makeStep({ op: "conv", stride: [stride, stride], ...drawn }), ...bends);
    }
    shape = [parts.maps ? Number(parts.maps) : shape[0], side, side];
  });
  return steps;
}

/** The numbers that are trained, in order. @param {Step[]} steps */
export const listTensors = (steps) => steps.flatMap(({ weight, bias }) => (weight ? [weight, bias] : []));

/**
 * What training is to do, every number known; of few digits batches are smaller and epochs more.
 * @param {{epochs?: number | null, batch?: number | null, learning_rate?: number | null, optimizer?: string | null}} wish
 * @param {number} digits
 */
export function fitRecipe(wish, digits) {
  const optimizer = wish.optimizer ?? "adamw";
  if (!["adamw", "adam", "sgd"].includes(optimizer)) throw refuse(`“${optimizer}” is no optimizer`, "known: adamw, adam, sgd");
  // what fits so few digits -> what was asked for instead
  const isSmall = digits < FULL_SIZE;
  const fit = isSmall ? Math.min(RECIPE.batch, digits, Math.max(16, Math.floor(digits / MIN_BATCHES))) : RECIPE.batch;
  const epochs = isSmall ? Math.max(RECIPE.epochs, Math.ceil(MIN_STEPS / Math.max(1, Math.floor(digits / fit)))) : RECIPE.epochs;
  const batch = Math.min(digits, wish.batch ?? fit);
  const usual = optimizer === "sgd" ? RECIPE.sgdRate : RECIPE.rate * Math.sqrt(fit / RECIPE.batch);
  return {
    optimizer,
    batch,
    stepsPerEpoch: Math.max(1, Math.floor(digits / batch)),
    epochs: wish.epochs ?? epochs,
    rate: wish.learning_rate ?? usual,
    decay: optimizer === "adam" ? 0 : RECIPE.decay,
  };
}

/** The learning rate of a step: it rises over a quarter of all, and then falls to zero. @param {number} peak @param {number} step @param {number} steps */
export function findRate(peak, step, steps) {
  const rising = RECIPE.warmup * steps;
  return step < rising ? peak * Math.min(1, (step + 1) / rising) : (peak * (steps - step)) / (steps - rising);
}

/** A step's running moments, one of each for every tensor. @typedef {{means: Float32Array[], squares: Float32Array[], count: number}} Moments */

/** @param {Step[]} steps @returns {Moments} */
export function makeMoments(steps) {
  const zeros = () => listTensors(steps).map(({ values }) => new Float32Array(values.length));
  return { means: zeros(), squares: zeros(), count: 0 };
}

/** Change the weights by their slopes, as torch does. @param {Step[]} steps @param {Float32Array[]} slopes @param {Moments} moments @param {{optimizer: string, decay: number}} recipe @param {number} rate */
export function applySlopes(steps, slopes, moments, { optimizer, decay }, rate) {
  moments.count += 1;
  const [beta, second] = RECIPE.betas;
  const scale = rate / (1 - beta ** moments.count);
  const root = Math.sqrt(1 - second ** moments.count);
  listTensors(steps).forEach(({ shape, values }, tensor) => {
    const pull = shape.length > 1 ? decay : 0; // biases are not drawn to zero
    const [slope, means, squares] = [slopes[tensor], moments.means[tensor], moments.squares[tensor]];
    for (let place = 0; place < values.length; place += 1) {
      if (optimizer === "sgd") {
        means[place] = beta * means[place] + slope[place] + pull * values[place];
        values[place] -= rate * means[place];
      } else {
        means[place] += (1 - beta) * (slope[place] - means[place]);
        squares[place] += (1 - second) * (slope[place] ** 2 - squares[place]);
        values[place] = values[place] * (1 - rate * pull) - (scale * means[place]) / (Math.sqrt(squares[place]) / root + EPSILON);
      }
    }
  });
}

/** @type {WeakMap<Uint8Array, Maps>} each is asked for in every epoch */
const inputs = new WeakMap();

/** Digits as a network takes them in training: 0..1. @param {Uint8Array} pixels @returns {Maps} */
function asInput(pixels) {
  const known = inputs.get(pixels) ?? { shape: [1, SIDE, SIDE], values: Float32Array.from(pixels, (value) => value / 255) };
  inputs.set(pixels, known);
  return known;
}

/** What each step takes in, and gives; some values are left out where there is dropout. @param {TrainStep[]} steps @param {Uint8Array} pixels @param {Random} random */
function runTraining(steps, pixels, random) {
  const taken = [asInput(pixels)];
  /** @type {(Float32Array | null)[]} */
  const masks = [];
  for (const step of steps) {
    const maps = taken[taken.length - 1];
    const share = step.share ?? 0;
    const mask = share ? Float32Array.from(maps.values, () => (random() < share ? 0 : 1 / (1 - share))) : null;
    masks.push(mask);
    taken.push(mask ? { shape: maps.shape, values: maps.values.map((value, place) => value * mask[place]) } : runStep(step, maps));
  }
  return { taken, masks };
}

/**
 * One step: the mean loss of some digits, whose slopes change the weights.
 * @param {TrainStep[]} steps @param {Moments} moments
 * @param {{pixels: Uint8Array[], labels: number[]}} digits
 * @param {number[]} batch which of them
 * @param {{optimizer: string, decay: number}} recipe @param {number} rate @param {Random} random
 */
export function trainStep(steps, moments, digits, batch, recipe, rate, random) {
  const slopes = steps.map(({ weight, bias }) =>
    weight ? { weight: new Float32Array(weight.values.length), bias: new Float32Array(bias.values.length) } : null,
  );
  let loss = 0;
  for (const index of batch) {
    const { taken, masks } = runTraining(steps, digits.pixels[index], random);
    const shares = softmax(taken[taken.length - 1].values);
    loss -= Math.log(Math.max(shares[digits.labels[index]], 1e-30)) / batch.length;
    shares[digits.labels[index]] -= 1;
    /** @type {Float32Array} */
    let slope = Float32Array.from(shares, (share) => share / batch.length);
    // Between two masks all steps at once; the first step's input needs no slope.
    for (let end = steps.length; end > 0; ) {
      let dropped = end - 1;
      while (dropped >= 0 && !masks[dropped]) dropped -= 1;
      const part = steps.slice(dropped + 1, end);
      slope = goBack(part, taken.slice(dropped + 1, end + 1), slope, slopes.slice(dropped + 1, end), dropped >= 0);
      const mask = masks[dropped];
      if (mask) slope = slope.map((value, place) => value * mask[place]);
      end = dropped;
    }
  }
  const flat = slopes.flatMap((item) => (item ? [item.weight, item.bias] : []));
  applySlopes(steps, flat, moments, recipe, rate);
  return loss;
}

/** The steps of the network that is used: no dropout, and pixels 0..255. @param {TrainStep[]} steps @returns {Step[]} */
export function finishSteps(steps) {
  let isFirst = true;
  return steps.filter(({ share }) => !share).map((step) => {
    if (!step.weight) return { ...step };
    const scale = isFirst ? 1 / 255 : 1;
    isFirst = false;
    const weight = { shape: step.weight.shape, values: step.weight.values.map((value) => value * scale) };
    return { ...step, weight, bias: { shape: step.bias.shape, values: step.bias.values.slice() } };
  });
}

/** Misses and mean loss on some digits. @param {TrainStep[]} steps @param {{pixels: Uint8Array[], labels: number[]}} digits @param {number[]} which */
export function measureDigits(steps, digits, which) {
  let [loss, misses] = [0, 0];
  for (const index of which) {
    let maps = asInput(digits.pixels[index]);
    for (const step of steps) if (!step.share) maps = runStep(step, maps);
    const shares = softmax(maps.values);
    loss -= Math.log(Math.max(shares[digits.labels[index]], 1e-30)) / which.length;
    misses += Number(shares.indexOf(Math.max(...shares)) !== digits.labels[index]);
  }
  return { loss, misses };
}

/** An order of so many. @param {number} count @param {Random} random */
export function shuffle(count, random) {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [order[index], order[other]] = [order[other], order[index]];
  }
  return order;
}
