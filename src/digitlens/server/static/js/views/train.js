// Train: choose, begin, follow, stop; the curves grow while a network learns.

import { follow, get, isStatic, post, remove } from "../core/api.js";
import { byId, h, queryAll } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { announce, describeProblem, showProblem } from "../core/messages.js";
import { Problem } from "../core/problem.js";
import { setState, state, STRONGEST, watch } from "../core/store.js";
import { refreshNetworks } from "../networks.js";
import { fromBase64, paintShades } from "../parts/paint.js";
import { makeShades } from "../parts/ramps.js";
import { showHistory } from "./history.js";
import { initActions, initRuns, refreshRuns, showActions } from "./runs.js";
import { initForm, readForm } from "./train-form.js";

/** ends following a run */
let unfollow = () => {};
/**
 * The run that was followed last, as its events told it: a model of its own, painted only while
 * that run is the one on the page.
 * @typedef {object} Live
 * @property {string} run
 * @property {string} words how it stands, in a word or two
 * @property {string} note
 * @property {number | null} share of the work that is done; null while that is not known
 * @property {number} epochs planned
 * @property {Api.Epoch[]} history
 * @property {string} result what it came to
 * @property {boolean} isOver
 * @property {boolean} isUsable its network can be asked
 * @property {Api.WeightsEvent | null} weights of its first layer, as they are now
 */
/** @type {Live | null} */
let live = null;
let hasShown = false;
/** the curves on the page: those of `live`, or of an earlier run @type {Pick<Live, "history" | "epochs">} */
let shown = { history: [], epochs: 0 };

const isShown = () => live !== null && state.run === live.run;
const isRunning = () => live !== null && !live.isOver;

export function init() {
  initForm(() => begin());
  byId("train-stop").addEventListener("click", stop);
  byId("train-show").addEventListener("click", () => live && setState({ run: live.run }));
  byId("run-use").addEventListener("click", () => {
    setState({ network: state.run, layer: 1, ...STRONGEST });
    announce(`${state.run} answers now`);
  });
  initActions({
    resume: (run) => begin({ resume: run }),
    gone: () => setState({ run: "" }),
    renamed(run) {
      const overlay = state.overlay.map((name) => (name === state.run ? run : name));
      setState({ run, overlay, ...(state.network === state.run ? { network: run } : {}) });
    },
  });
  initRuns(showRun);
  watch(["run"], () => {
    if (state.tab === "train") showRun();
  });
  watch(["overlay"], () => state.tab === "train" && paintHistory());
  showHistory([], 0, []);
}

export function show() {
  if (hasShown) return;
  hasShown = true;
  refreshRuns();
  resume();
}

/** A run may be under way already: begun before this page was opened, or in another one. */
async function resume() {
  try {
    const result = await get("/v1/train");
    // What an address names stays on the page; of the run under way a line tells.
    if (result.running && result.run) track(result.run, !state.run);
    if (state.run) showRun();
  } catch (problem) {
    showProblem(byId("train-problem"), problem);
  }
}

/** @param {Api.TrainWish} [request] */
async function begin(request = readForm()) {
  showProblem(byId("train-problem"), null);
  try {
    track((await post("/v1/train", request)).run);
  } catch (problem) {
    showProblem(byId("train-problem"), problem);
    const isTaken = problem instanceof Problem && problem.details.status === 409;
    if (isTaken) resume(); // begun in another window: shown here too
  }
}

async function stop() {
  if (!live) return;
  byId("train-stop").disabled = true;
  update({ words: "saving" });
  await remove(`/v1/train/${live.run}`).catch((problem) =>
    showProblem(byId("train-problem"), problem),
  );
}

/** @param {Partial<Live>} change */
function update(change) {
  if (live) Object.assign(live, change);
  paintLive();
}

/** What an event changes. @param {Live} run @param {import("../core/api.js").Told} event @returns {Partial<Live> | null} null of one that ends it */
function findChange({ history, epochs: planned }, event) {
  if (event.event === "start") {
    const { epochs, note } = event;
    return { epochs, note, history: [], words: "training" };
  }
  if (event.event === "step") {
    const { done, steps } = event;
    return { share: done / steps, words: `step ${formatCount(done)} of ${formatCount(steps)}` };
  }
  if (event.event === "weights") return { weights: event };
  if (event.event !== "epoch") return null;
  const count = history.length + 1;
  return { history: [...history, event], share: count / planned, words: `epoch ${count} of ${planned}` };
}

/** Follow a run as its events come. @param {string} run @param {boolean} [show] open it on the page */
function track(run, show = true) {
  unfollow();
  live = {
    run,
    words: "starting",
    note: isStatic ? "the digits are being loaded" : "torch is being loaded, and the digits",
    share: null,
    epochs: 0,
    history: [],
    result: "",
    isOver: false,
    isUsable: false,
    weights: null,
  };
  byId("train-stop").disabled = false;
  if (show) setState({ run });
  paintLive();
  unfollow = follow(run, (event) => {
    const change = live && findChange(live, event);
    if (change) update(change);
    else if (event.event === "failed") showFailure(event);
    else if ("words" in event) showEnd(event);
  });
}

/** Paint the run under way where it is the one on the page; else say in a line that it runs. */
function paintLive() {
  byId("train-start").disabled = isRunning();
  byId("train-stop").hidden = !isRunning();
  if (live && isRunning() && isShown()) showActions(live.run, null);
  byId("run-progress").hidden = !(isRunning() && isShown());
  byId("train-elsewhere").hidden = !isRunning() || isShown();
  paintWeights();
  if (!live) return;
  byId("train-elsewhere-words").textContent = `${live.run} is training: ${live.words}.`;
  if (!isShown()) return;
  showHead(live.run, live.words);
  byId("run-note").textContent = live.note;
  byId("run-use").hidden = !live.isUsable;
  if (live.share === null) byId("run-progress").removeAttribute("value");
  else byId("run-progress").value = live.share;
  showWords(live.result);
  shown = live;
  paintHistory();
}

/** The first layer's weights of the run under way: orange above zero, blue below. */
function paintWeights() {
  const weights = isShown() ? (live?.weights ?? null) : null;
  byId("run-weights-part").hidden = !weights;
  if (!weights) return;
  const { side, count, shown: seen, shades } = weights;
  const box = byId("run-weights");
  while (box.childElementCount > seen) box.lastElementChild?.remove();
  while (box.childElementCount < seen) box.append(h("canvas", { role: "img" }));
  const bytes = fromBase64(shades);
  queryAll("canvas", box).forEach((canvas, index) => {
    paintShades(canvas, bytes.subarray(index * side * side, (index + 1) * side * side), side, makeShades(true));
    canvas.setAttribute("aria-label", `weights of value ${index} of the first layer`);
  });
  byId("run-weights-words").textContent = `${seen < count ? `the first ${seen} of ${count}` : count}, each ${side} x ${side}`;
}

/** Draw the curves of the run on the page, and those that are laid over them. */
async function paintHistory() {
  const { history, epochs } = shown;
  const names = state.overlay.filter((name) => name !== state.run);
  const others = await Promise.all(names.map(loadHistory));
  if (shown.history !== history) return;
  showHistory(history, epochs, others.filter(({ history: one }) => one.length));
}

/** @type {Map<string, Promise<import("./history.js").Other>>} the histories of runs that are over */
const histories = new Map();

/** @param {string} name @returns {Promise<import("./history.js").Other>} */
function loadHistory(name) {
  const load = async () => {
    const { history, finished } = await get(`/v1/runs/${encodeURIComponent(name)}`);
    if (!finished) histories.delete(name);
    return { name, history };
  };
  const known = histories.get(name) ?? load().catch(() => ({ name, history: [] }));
  histories.set(name, known);
  return known;
}

/** @param {string} run @param {string} words */
function showHead(run, words) {
  byId("run-title").textContent = run;
  byId("run-state").textContent = words;
  byId("run-use").hidden = true;
}

/** What a run came to: a sentence or two, or a table of its own. @param {string} words */
function showWords(words) {
  const box = byId("run-words");
  box.hidden = !words;
  box.textContent = words;
  const isTable = words.includes("\n");
  box.classList.toggle("code", isTable);
  if (isTable) box.tabIndex = 0; // it may be wider than the page: arrow keys scroll it
  else box.removeAttribute("tabindex");
}

/** @param {Api.EndEvent | Api.StoppedEvent} event */
async function showEnd(event) {
  const { words } = event;
  const run = "run" in event ? event.run : "";
  unfollow();
  update({ isOver: true, isUsable: Boolean(run), result: words, words: run ? "done" : "stopped" });
  announce(words.split("\n").length > 1 || !isShown() ? `${live?.run} is ${live?.words}` : words);
  await Promise.all([refreshRuns(), refreshNetworks(), offerActions()]).catch(() => {});
}

/** A run has ended: it can be resumed, renamed, deleted. */
async function offerActions() {
  const { run } = state;
  const details = await get(`/v1/runs/${encodeURIComponent(run)}`);
  if (run === state.run && !isRunning()) showActions(run, details);
}

/** @param {Api.FailedEvent} event */
function showFailure({ problem }) {
  unfollow();
  showProblem(byId("train-problem"), { details: problem });
  update({ isOver: true, words: "failed" });
  refreshRuns();
}

/** Show how an earlier run went. */
async function showRun() {
  paintLive();
  const { run } = state;
  showActions(run, null);
  if (!run) {
    showHead("No run yet", "");
    byId("run-note").textContent = "";
    showWords("");
    shown = { history: [], epochs: 0 };
    return paintHistory();
  }
  if (isShown() && isRunning()) return;
  try {
    const result = await get(`/v1/runs/${encodeURIComponent(run)}`);
    if (run !== state.run || (isShown() && isRunning())) return;
    showHead(run, result.finished ? "done" : "not finished");
    byId("run-note").textContent =
      `${result.network}, seed ${result.seed}, ${formatCount(result.history.length)} epochs`;
    showWords(result.words ?? "");
    byId("run-use").hidden = !result.finished;
    showActions(run, result);
    shown = { history: result.history, epochs: result.history.length };
    paintHistory();
  } catch (problem) {
    showHead(run, "");
    byId("run-note").textContent = describeProblem(problem);
    shown = { history: [], epochs: 0 };
    paintHistory();
  }
}
