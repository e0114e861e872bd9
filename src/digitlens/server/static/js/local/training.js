// /v1/train and /v1/runs without a server: one run at a time, in a thread of its own.

import { Problem } from "../core/problem.js";
import { augmentBatch, findAmounts } from "./augment.js";
import { frameSmall, readDigits } from "./digits.js";
import { unknown } from "./layers.js";
import { needsServer } from "./pictures.js";
import { countValidation, findRun, keepRun, listRuns, removeRun } from "./runs.js";
import { toText, unpack } from "./tensors.js";
import * as trainer from "./trainer.js";

/** @typedef {import("../core/api.js").Ask} Ask */
/** @typedef {import("./runs.js").Run} Run */

const DEFAULT_LAYERS = "dense128";
const HELD = 0.2; // share of the generated digits that is held back; UCI's are parted already
const TOLD = 100; // milliseconds between two events about steps
const SPAN = 12; // milliseconds of work before requests are looked at
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_WEIGHTS_SHOWN = 16; // kernels, or values, of the first layer whose weights are shown

/** @type {{run: Run | null, events: import("../core/api.js").Told[], isStopped: boolean, isRunning: boolean}} */
const job = { run: null, events: [], isStopped: false, isRunning: false };

/**
 * @param {(name: string) => Promise<ArrayBuffer>} load a file of the exported lab
 * @param {(run: string, event: import("../core/api.js").Told) => void} tell an event as the server's events are
 */
export function makeTraining(load, tell) {
  /** @param {string} kind @param {any} values */
  function emit(kind, values) {
    const event = { event: kind, ...values };
    job.events = job.events.filter((item) => item.event !== kind || !["step", "weights"].includes(kind));
    job.events.push(event);
    tell(/** @type {Run} */ (job.run).name, event);
  }

  /** The digits of a source in two parts. @param {string} data */
  async function loadParts(data) {
    if (data !== "uci" && data !== "generated") throw needsServer(data === "own" ? "digits of your own" : "these digits");
    const rows = await unpack(await load(`digits/${data}.bin`));
    if (data === "generated") {
      const digits = readDigits(rows, 784);
      const count = Math.round(digits.labels.length * (1 - HELD));
      return { digits, train: range(0, count), held: range(count, digits.labels.length) };
    }
    const counts = JSON.parse(new TextDecoder().decode(await load("mistakes.json"))).tiny.uci.measured;
    const size = (/** @type {string} */ part) => counts[part].answers.length;
    const digits = readDigits(rows, 64, frameSmall);
    const first = size("test") + size("validation");
    return { digits, train: range(first, first + size("train")), held: range(size("test"), first) };
  }

  /** @param {any} wish */
  async function begin(wish) {
    if (job.isRunning) {
      throw new Problem({
        type: "urn:digitlens:run",
        status: 409,
        detail: "one network is trained at a time",
        seen: `${job.run?.name} is under way`,
        try: "wait for it to end, or stop it",
      });
    }
    const run = wish.resume ? await findRun(wish.resume) : await prepare(wish);
    Object.assign(job, { run, events: [], isStopped: false, isRunning: true });
    work(run, await loadParts(run.wish.data))
      .catch((error) => emit("failed", { problem: error instanceof Problem ? error.details : { detail: String(error) } }))
      .finally(() => (job.isRunning = false));
    return { run: run.name, events: `/v1/train/${run.name}/events`, stop: `/v1/train/${run.name}` };
  }

  /** @param {any} wish @returns {Promise<Run>} */
  async function prepare(wish) {
    if (wish.network !== "custom" || wish.from) throw needsServer(wish.from ? "fine-tuning" : `training ${wish.network}`);
    const { train } = await loadParts(wish.data);
    const digits = wish.share ? Math.min(train.length, Math.max(10, Math.round(wish.share * train.length))) : train.length;
    const steps = trainer.buildNetwork(wish.layers || DEFAULT_LAYERS, trainer.makeRandom(wish.seed ?? 0), wish);
    findAmounts(wish.augment); // a wrong one is told before anything is kept
    const recipe = trainer.fitRecipe(wish, digits);
    const names = (await listRuns()).map(({ name }) => name);
    let number = 1;
    while (names.includes(`custom-${number}`)) number += 1;
    const moments = trainer.makeMoments(steps);
    const name = `custom-${number}`;
    const created = new Date().toISOString();
    const rest = { history: [], finished: false, words: null, best: [], bestEpoch: 0 };
    return { name, wish, created, digits, epochs: recipe.epochs, recipe, steps, moments, ...rest };
  }

  /** Train until the end, or until somebody stops it; what is there after each epoch is kept. @param {Run} run @param {Awaited<ReturnType<typeof loadParts>>} parts */
  async function work(run, { digits, train, held }) {
    const { recipe, steps, moments, history } = run;
    const seed = run.wish.seed ?? 0;
    // The same share of the digits for the same seed, whenever it is resumed.
    const used = trainer.shuffle(train.length, trainer.makeRandom(seed + 1)).slice(0, run.digits).map((place) => train[place]);
    const total = recipe.stepsPerEpoch * run.epochs;
    const amounts = findAmounts(run.wish.augment);
    const note = `${run.wish.layers || DEFAULT_LAYERS}, ${run.digits.toLocaleString("en")} digits, in this browser`;
    emit("start", { steps: total, epochs: run.epochs, digits_per_epoch: run.digits, note });
    for (const epoch of history) emit("epoch", epoch);
    emit("weights", showWeights(steps));
    let told = 0;
    let rested = performance.now();
    while (history.length < run.epochs) {
      const random = trainer.makeRandom(seed + 1000 * (history.length + 1));
      const order = trainer.shuffle(used.length, random).map((place) => used[place]);
      const first = history.length * recipe.stepsPerEpoch;
      const began = performance.now();
      let rate = 0;
      for (let step = 0; step < recipe.stepsPerEpoch; step += 1) {
        rate = trainer.findRate(recipe.rate, first + step, total);
        const batch = order.slice(step * recipe.batch, (step + 1) * recipe.batch);
        const seen = amounts ? augmentBatch(digits, batch, amounts, random) : digits;
        const loss = trainer.trainStep(steps, moments, seen, batch, recipe, rate, random);
        if (!Number.isFinite(loss)) throw diverged(rate);
        if (performance.now() - rested < SPAN) continue;
        if (performance.now() - told > TOLD) {
          told = performance.now();
          emit("step", { done: first + step + 1, steps: total });
          emit("weights", showWeights(steps));
        }
        await rest();
        rested = performance.now();
        // An epoch that is not done is not kept: it begins anew where the run is resumed.
        if (job.isStopped) return end(run);
      }
      const seconds = (performance.now() - began) / 1000;
      history.push(measure(run, digits, used, held, rate, seconds));
      const best = findBest(history);
      if (best === history.length) [run.best, run.bestEpoch] = [trainer.finishSteps(steps), best];
      await keepRun(run);
      emit("epoch", history[history.length - 1]);
      emit("weights", showWeights(steps));
      if (job.isStopped && history.length < run.epochs) return end(run);
    }
    run.finished = true;
    run.words = describe(history);
    await keepRun(run);
    const { misses, count } = countValidation(run);
    job.isRunning = false;
    emit("end", { run: run.name, words: run.words, best_epoch: run.bestEpoch, misses, count });
  }

  /** Stopped: what an epoch left is kept, and can be resumed. @param {Run} run */
  async function end(run) {
    const kept = run.history.length;
    // A step of the epoch that was under way has changed the weights: back to its beginning.
    const last = kept ? await findRun(run.name) : null;
    if (last) Object.assign(run, last);
    job.isRunning = false;
    emit("stopped", { words: kept ? `stopped after epoch ${kept} of ${run.epochs}: “Resume” goes on from there` : "stopped before the first epoch was done: nothing was kept" });
  }

  /** @type {Record<string, (ask: Ask & {names: string[]}) => Promise<any>>} */
  const routes = {
    "GET /v1/train": async () => ({
      running: job.isRunning,
      run: job.run?.name ?? null,
      wish: job.run?.wish ?? null,
      last_step: job.events.find(({ event }) => event === "step") ?? null,
      events: job.events.filter(({ event }) => event !== "step"),
    }),
    "POST /v1/train": ({ body }) => begin(body),
    async "DELETE /v1/train/*"({ names: [name] }) {
      if (!job.isRunning || job.run?.name !== name) throw unknown(`${name} is not being trained`);
      job.isStopped = true;
      return routes["GET /v1/train"](/** @type {any} */ ({}));
    },
    "GET /v1/runs": async () => ({ runs: (await listRuns()).map(summarize) }),
    "GET /v1/runs/*": async ({ names: [name] }) => detail(await findRun(name)),
    async "POST /v1/runs/*"({ names: [name], body }) {
      checkIdle(name);
      const run = await findRun(name);
      const taken = (await listRuns()).some((other) => other.name === body.name);
      if (taken || !NAME.test(body.name)) {
        throw new Problem({ status: taken ? 409 : 400, detail: taken ? `there is a run called ${body.name} already` : `“${body.name}” cannot be a name`, try: "another name" });
      }
      const renamed = { ...run, name: body.name };
      await keepRun(renamed);
      await removeRun(name);
      return detail(renamed);
    },
    async "DELETE /v1/runs/*"({ names: [name] }) {
      checkIdle(name);
      await removeRun(name);
      return { runs: (await listRuns()).map(summarize) };
    },
  };
  return routes;
}

/** @param {string} name */
function checkIdle(name) {
  if (job.isRunning && job.run?.name === name) throw new Problem({ status: 409, detail: `${name} is being trained`, try: "stop it" });
}

/** @param {number} first @param {number} end */
const range = (first, end) => Array.from({ length: end - first }, (_, index) => first + index);

/** Let requests be answered: a message comes at once, a timer after 4 ms. */
const rest = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(0);
  });

/** @param {number} rate */
const diverged = (rate) =>
  new Problem({
    type: "urn:digitlens:diverged",
    status: 500,
    detail: "training stopped: the loss must stay a finite number",
    likely: "the learning rate is too high",
    try: `a learning rate of ${Number((rate / 3).toPrecision(2))}`,
  });

/** The figures after an epoch. @param {Run} run @param {import("./digits.js").Digits} digits @param {number[]} used @param {number[]} held @param {number} rate @param {number} seconds */
function measure({ steps, history }, digits, used, held, rate, seconds) {
  const [seen, unseen] = [used, held].map((which) => trainer.measureDigits(steps, digits, which));
  return {
    epoch: history.length + 1,
    train_loss: seen.loss,
    train_accuracy: 1 - seen.misses / used.length,
    validation_loss: unseen.loss,
    validation_accuracy: 1 - unseen.misses / held.length,
    validation_count: held.length,
    learning_rate: rate,
    seconds,
    digits_per_second: used.length / seconds,
  };
}

/** The epoch to keep: most validation digits right, then least loss. @param {import("./runs.js").Epoch[]} history */
export function findBest(history) {
  const order = history.slice().sort((a, b) => b.validation_accuracy - a.validation_accuracy || a.validation_loss - b.validation_loss || a.epoch - b.epoch);
  return order[0].epoch;
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** What the curves show: nothing finer than their ends and the lowest validation loss. @param {import("./runs.js").Epoch[]} history */
export function describe(history) {
  const last = history[history.length - 1];
  const lowest = history.reduce((best, epoch) => (epoch.validation_loss < best.validation_loss ? epoch : best));
  const ends = `At the end training accuracy is ${percent(last.train_accuracy)}, validation ${percent(last.validation_accuracy)} of ${last.validation_count} digits.`;
  const [then, now] = [lowest.validation_loss.toFixed(3), last.validation_loss.toFixed(3)];
  const fell = `the training loss went on falling, from ${lowest.train_loss.toFixed(3)} to ${last.train_loss.toFixed(3)}`;
  if (last.validation_loss > 1.1 * lowest.validation_loss && last.train_loss < lowest.train_loss) {
    return `It overfits: the validation loss was lowest at epoch ${lowest.epoch} (${then}) and is ${now} at the end, while ${fell}. ${ends} Kept is epoch ${findBest(history)}. Try: more digits, dropout, or fewer weights.`;
  }
  if (lowest === last) return `It is still learning: the validation loss is at its lowest at the end, ${now}. ${ends} Try more epochs.`;
  return `The validation loss was lowest at epoch ${lowest.epoch}, ${then}, and is ${now} at the end. ${ends}`;
}

/** The first layer's weights as pictures: bytes of -127..127, kernel after kernel. @param {import("./trainer.js").TrainStep[]} steps */
export function showWeights(steps) {
  const { weight } = /** @type {import("./trainer.js").TrainStep} */ (steps.find((step) => step.weight));
  const [count, ...shape] = weight.shape;
  const side = shape.length > 1 ? shape[1] : Math.sqrt(shape[0]);
  const size = weight.values.length / count;
  const shown = Math.min(count, MAX_WEIGHTS_SHOWN);
  const values = weight.values.subarray(0, shown * size);
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9);
  const bytes = Array.from(values, (value) => Math.round((value / most) * 127) & 255);
  return { side, count, shown, shades: toText(Uint8Array.from(bytes)) };
}

/** @param {Run} run */
const summarize = (run) => ({
  name: run.name,
  network: "custom",
  seed: run.wish.seed ?? 0,
  epochs: run.history.length,
  data: run.wish.data,
  created: run.created,
  finished: run.finished,
  validation: countValidation(run),
});

/** @param {Run} run */
const detail = (run) => ({
  ...summarize(run),
  config: { run: { network: "custom", layers: run.wish.layers, activation: run.wish.activation }, start: null },
  history: run.history,
  words: run.words,
  verdict: null,
  metrics: null,
});
