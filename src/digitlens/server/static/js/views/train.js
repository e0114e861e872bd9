// Train: choose, begin, follow, stop; the curves grow while a network learns.

import { get, post, remove } from "../core/api.js";
import { byId, setOptions } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { announce, showProblem } from "../core/messages.js";
import { setState, state, STRONGEST, watch } from "../core/store.js";
import { explainMissing, known, onNetworks, refreshNetworks } from "../networks.js";
import { showHistory } from "./history.js";
import { initRuns, refreshRuns } from "./runs.js";

/** @type {EventSource | null} */
let source = null;
/**
 * The run that was followed last, as its events told it: a model of its own, painted only while
 * that run is the one on the page.
 * @typedef {object} Live
 * @property {string} run
 * @property {string} words how it stands, in a word or two
 * @property {string} note
 * @property {number | null} share of the work that is done; null while that is not known
 * @property {number} epochs planned
 * @property {any[]} history
 * @property {string} result what it came to
 * @property {boolean} isOver
 * @property {boolean} isUsable its network can be asked
 */
/** @type {Live | null} */
let live = null;
let hasShown = false;

const isShown = () => live !== null && state.run === live.run;
const isRunning = () => live !== null && !live.isOver;

export function init() {
  byId("train-form").addEventListener("submit", begin);
  byId("train-stop").addEventListener("click", stop);
  byId("train-share").addEventListener("input", showShare);
  byId("train-network").addEventListener("change", showNetwork);
  byId("train-data").addEventListener("change", showNetwork);
  byId("train-show").addEventListener("click", () => setState({ run: live.run }));
  byId("run-use").addEventListener("click", () => {
    setState({ network: state.run, layer: 1, ...STRONGEST });
    announce(`${state.run} answers now`);
  });
  onNetworks(({ trainable, data }) => {
    showSources(data);
    const chosen = byId("train-network").value || "quick";
    setOptions(
      byId("train-network"),
      trainable.map(({ name }) => ({ value: name, text: name })),
      chosen,
    );
    showNetwork();
  });
  initRuns(showRun);
  watch(["run"], () => {
    if (state.tab === "train") showRun();
  });
  showShare();
  showHistory([], 0);
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
    if (result.running) follow(result.run, !state.run);
    if (state.run) showRun();
  } catch (problem) {
    showProblem(byId("train-problem"), problem);
  }
}

/** Offer the digits that are here, and say how the others are had. @param {Record<string, boolean>} data */
function showSources(data) {
  const select = byId("train-data");
  for (const option of select.options) option.disabled = data[option.value] === false;
  if (select.selectedOptions[0]?.disabled) select.value = data.mnist ? "mnist" : "uci";
  byId("train-missing").hidden = data.mnist !== false;
  byId("train-missing").textContent = explainMissing("mnist");
}

function showShare() {
  byId("share-out").textContent = `${byId("train-share").value} %`;
}

/** Offer the networks that can be gone on from: those of the same kind. */
function showNetwork() {
  const kind = byId("train-network").value;
  const chosen = byId("train-from").value;
  byId("train-about").textContent =
    known.trainable.find(({ name }) => name === kind)?.about ?? "";
  const same = known.networks
    .filter(({ network }) => network === kind)
    .map(({ name }) => ({ value: name, text: name }));
  setOptions(byId("train-from"), [{ value: "", text: "random weights" }, ...same], chosen);
  if (byId("train-from").selectedIndex < 0) byId("train-from").value = "";
}

/** Fill in the form to train a network from the start. @param {string} network */
export function chooseNetwork(network) {
  byId("train-network").value = network;
  showNetwork();
}

/** Fill in the form to go on from a network with one's own digits. @param {string} network */
export function continueFrom(network) {
  byId("train-network").value =
    known.networks.find(({ name }) => name === network)?.network ?? network;
  byId("train-data").value = "own";
  showNetwork();
  byId("train-from").value = network;
}

async function begin(event) {
  event.preventDefault();
  const share = Number(byId("train-share").value) / 100;
  const request = {
    network: byId("train-network").value,
    data: byId("train-data").value,
    epochs: Number(byId("train-epochs").value) || null,
    share: share < 1 ? share : null,
    seed: Number(byId("train-seed").value) || 0,
    from: byId("train-from").value || null,
  };
  showProblem(byId("train-problem"), null);
  try {
    follow((await post("/v1/train", request)).run);
  } catch (problem) {
    showProblem(byId("train-problem"), problem);
    if (problem.details?.status === 409) resume(); // begun in another window: shown here too
  }
}

async function stop() {
  byId("train-stop").disabled = true;
  update({ words: "saving" });
  await remove(`/v1/train/${live.run}`).catch((problem) =>
    showProblem(byId("train-problem"), problem),
  );
}

/** @param {Partial<Live>} change */
function update(change) {
  Object.assign(live, change);
  paintLive();
}

/** Follow a run as its events come. @param {string} run @param {boolean} [show] open it on the page */
function follow(run, show = true) {
  source?.close();
  live = {
    run,
    words: "starting",
    note: "torch is being loaded, and the digits",
    share: null,
    epochs: 0,
    history: [],
    result: "",
    isOver: false,
    isUsable: false,
  };
  byId("train-stop").disabled = false;
  if (show) setState({ run });
  paintLive();
  source = new EventSource(`/v1/train/${encodeURIComponent(run)}/events`);
  const handlers = {
    start: ({ epochs, note }) => update({ epochs, note, history: [], words: "training" }),
    step: ({ done, steps }) =>
      update({
        share: done / steps,
        words: `step ${formatCount(done)} of ${formatCount(steps)}`,
      }),
    epoch: addEpoch,
    end: showEnd,
    stopped: showEnd,
    failed: showFailure,
  };
  for (const [kind, callback] of Object.entries(handlers)) {
    source.addEventListener(kind, (event) => callback(JSON.parse(event.data)));
  }
}

function addEpoch(epoch) {
  const history = [...live.history, epoch];
  const words = `epoch ${history.length} of ${live.epochs}`;
  update({ history, share: history.length / live.epochs, words });
}

/** Paint the run under way where it is the one on the page; else say in a line that it runs. */
function paintLive() {
  byId("train-start").disabled = isRunning();
  byId("train-stop").hidden = !isRunning();
  byId("run-progress").hidden = !(isRunning() && isShown());
  byId("train-elsewhere").hidden = !isRunning() || isShown();
  if (!live) return;
  byId("train-elsewhere-words").textContent = `${live.run} is training: ${live.words}.`;
  if (!isShown()) return;
  showHead(live.run, live.words);
  byId("run-note").textContent = live.note;
  byId("run-use").hidden = !live.isUsable;
  if (live.share === null) byId("run-progress").removeAttribute("value");
  else byId("run-progress").value = live.share;
  showWords(live.result);
  showHistory(live.history, live.epochs);
}

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

async function showEnd({ words, run }) {
  closeStream();
  update({ isOver: true, isUsable: Boolean(run), result: words, words: run ? "done" : "stopped" });
  announce(words.split("\n").length > 1 || !isShown() ? `${live.run} is ${live.words}` : words);
  await Promise.all([refreshRuns(), refreshNetworks()]).catch(() => {});
}

function showFailure({ problem }) {
  closeStream();
  showProblem(byId("train-problem"), { details: problem });
  update({ isOver: true, words: "failed" });
  refreshRuns();
}

function closeStream() {
  source?.close();
  source = null;
}

/** Show how an earlier run went. */
async function showRun() {
  paintLive();
  const { run } = state;
  if (!run || (isShown() && isRunning())) return;
  try {
    const result = await get(`/v1/runs/${encodeURIComponent(run)}`);
    if (run !== state.run || (isShown() && isRunning())) return;
    showHead(run, result.finished ? "done" : "not finished");
    byId("run-note").textContent =
      `${result.network}, seed ${result.seed}, ${formatCount(result.history.length)} epochs`;
    showWords(result.words ?? "");
    byId("run-use").hidden = !result.finished;
    showHistory(result.history, result.history.length);
  } catch (problem) {
    showHead(run, "");
    byId("run-note").textContent = String(problem.message);
    showHistory([], 0);
  }
}
