// Networks that were trained in this browser: kept in its own database, for all threads of the page.

import { unknown } from "./layers.js";

/** @typedef {import("./network.js").Network} Network */

/** Some digits are always held back. @typedef {Api.Epoch & {validation_loss: number, validation_accuracy: number, validation_count: number}} Epoch */

/**
 * @typedef {object} Run
 * @property {string} name
 * @property {Api.TrainWish & {data: string}} wish what was asked for
 * @property {string} created
 * @property {number} digits it learns from
 * @property {number} epochs planned
 * @property {Epoch[]} history
 * @property {boolean} finished
 * @property {string | null} words what it came to
 * @property {any} recipe as trainer.js fits it
 * @property {import("./trainer.js").TrainStep[]} steps as training left them
 * @property {import("./trainer.js").Moments} moments
 * @property {import("./network.js").Step[]} best the network of the best epoch
 * @property {number} bestEpoch
 * @property {Record<string, number>} [openings] how often the test digits of a source were opened
 */

const [DATABASE, STORE] = ["digitlens", "runs"];

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settle = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @type {Promise<IDBDatabase> | null} */
let database = null;

/** @param {IDBTransactionMode} mode */
async function open(mode) {
  if (!database) {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "name" });
    database = settle(request);
  }
  return (await database).transaction(STORE, mode).objectStore(STORE);
}

/** @returns {Promise<Run[]>} the newest first */
export async function listRuns() {
  if (typeof indexedDB === "undefined") return []; // scripts outside a browser
  const runs = await settle((await open("readonly")).getAll());
  return runs.sort((a, b) => (a.created < b.created ? 1 : -1));
}

/** @param {string} name @returns {Promise<Run>} */
export async function findRun(name) {
  const run = await settle((await open("readonly")).get(name));
  if (!run) throw unknown(`there is no run called ${JSON.stringify(name)} here`);
  return run;
}

/** @param {Run} run */
export const keepRun = async (run) => settle((await open("readwrite")).put(run));

/** The test digits were opened once more. @param {Run} run @param {string} data */
export const countOpening = (run, data) =>
  keepRun({ ...run, openings: { ...run.openings, [data]: (run.openings?.[data] ?? 0) + 1 } });

/** @param {string} name */
export const removeRun = async (name) => settle((await open("readwrite")).delete(name));

/** @param {Run} run */
const countWeights = ({ best }) =>
  best.reduce((sum, { weight, bias }) => sum + (weight ? weight.values.length + bias.values.length : 0), 0);

/** Misses on the digits held back, of the epoch that is kept. @param {Run} run */
export function countValidation({ history, bestEpoch }) {
  const epoch = history[bestEpoch - 1];
  const count = epoch?.validation_count ?? 0;
  return count ? { misses: Math.round((1 - epoch.validation_accuracy) * count), count } : { misses: 0, count: 0 };
}

/** A run as /v1/networks lists it. @param {Run} run */
export const asNetwork = (run) => ({
  name: run.name,
  kind: "run",
  network: "custom",
  weights: countWeights(run),
  multiply_adds: 0,
  members: 1,
  tells_no_digit: false,
  validation: countValidation(run),
  test: { misses: 0, count: 0 },
  trained_on: run.digits,
  data: run.wish.data,
  created: run.created,
  threshold: 1,
});

/** The network of a run. @param {Run} run @returns {Network} */
export function asModel(run) {
  const layers = describeLayers(run.best);
  return { name: run.name, steps: run.best, layers, card: makeCard(run, layers), threshold: 1, unsureAbove: 1, unsureBelow: 0 };
}

/** What a run says of itself, as digitlens.models.card has it. @param {Run} run @param {any[]} layers */
function makeCard(run, layers) {
  const { misses, count } = countValidation(run);
  const places = (/** @type {any} */ { kind, shape }) => (kind === "convolution" ? shape[1] * shape[2] : 1);
  return {
    name: run.name,
    network: "custom",
    data: run.wish.data,
    split: `${count} digits that training did not see`,
    trained_on: run.digits,
    seed: run.wish.seed ?? 0,
    epochs: run.epochs,
    best_epoch: run.bestEpoch,
    weights: countWeights(run),
    multiply_adds: layers.reduce((sum, layer) => sum + layer.weights * places(layer), 0),
    created: run.created,
    validation: count ? { misses, count } : {},
    versions: { "the lab's page": "trained in a browser" },
  };
}

const NAMES = { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid" };
const KINDS = { conv: "convolution", dense: "dense", pool: "pooling" };

/** Steps -> layers as /v1/networks/NAME tells them. @param {import("./network.js").Step[]} steps */
function describeLayers(steps) {
  /** @type {any[]} */
  const layers = [];
  let shape = [1, 28, 28];
  steps.forEach((step, sums) => {
    const kind = KINDS[/** @type {keyof typeof KINDS} */ (step.op)];
    if (!kind) return;
    const activation = NAMES[/** @type {keyof typeof NAMES} */ (steps[sums + 1]?.op)] ?? "";
    const number = layers.length + 1;
    const into = shape;
    const window = kind === "dense" ? 0 : kind === "pooling" ? step.window : step.weight.shape[2];
    const stride = kind === "dense" ? 1 : kind === "pooling" ? step.window : step.stride[0];
    const side = (into[1] - window) / stride + 1;
    const [count, whole] = [step.weight?.shape[0] ?? into[0], Math.floor(side)];
    shape = kind === "dense" ? [count] : [count, whole, whole];
    const size = kind === "dense" ? `${count} values` : `${count} maps of ${whole} x ${whole}`;
    const isLast = sums === steps.length - 1;
    const what = {
      convolution: `kernels of ${window} x ${window}${stride > 1 ? ` in steps of ${stride}` : ""}`,
      pooling: `windows of ${window} x ${window} in steps of ${stride}`,
      dense: "each from all inputs",
    }[kind];
    layers.push({
      number,
      member: 0,
      kind,
      window,
      stride,
      padding: 0,
      groups: 1,
      shortcut: false,
      activation,
      into,
      shape,
      arithmetic:
        kind === "dense" ? null : `(${into[1]} + 2 x 0 - ${window}) / ${stride} + 1 = ${whole}${side === whole ? "" : ", rounded down"}`,
      weights: step.weight?.values.length ?? 0,
      name: `layer ${number}, ${kind}`,
      about: `${size}${isLast ? ", one for each digit from 0 to 9" : ""}: ${what}${activation && `, then ${activation}`}`,
      sums,
      output: activation ? sums + 1 : sums,
    });
  });
  return layers;
}
