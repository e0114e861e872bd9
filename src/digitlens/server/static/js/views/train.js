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
/** the run under way */
let running = "";
/** @type {{epochs: number, history: any[], steps: number}} its events so far */
let progress = { epochs: 0, history: [], steps: 0 };
let hasShown = false;

export function init() {
  byId("train-form").addEventListener("submit", begin);
  byId("train-stop").addEventListener("click", stop);
  byId("train-share").addEventListener("input", showShare);
  byId("train-network").addEventListener("change", showNetwork);
  byId("train-data").addEventListener("change", showNetwork);
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
    if (result.running) follow(result.run);
    else if (state.run) showRun();
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
  setOptions(byId("train-from"), [{ value: "", text: "the start" }, ...same], chosen);
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
  }
}

async function stop() {
  byId("train-stop").disabled = true;
  byId("run-state").textContent = "saving";
  await remove(`/v1/train/${running}`).catch((problem) =>
    showProblem(byId("train-problem"), problem),
  );
}

function setRunning(run) {
  running = run;
  byId("train-start").disabled = Boolean(run);
  byId("train-stop").hidden = byId("run-progress").hidden = !run;
  byId("train-stop").disabled = false;
}

/** Follow a run as its events come. @param {string} run */
function follow(run) {
  source?.close();
  setRunning(run);
  progress = { epochs: 0, history: [], steps: 0 };
  setState({ run });
  showHead(run, "starting");
  byId("run-note").textContent = "torch is being loaded, and the digits";
  showWords("");
  byId("run-progress").removeAttribute("value");
  showHistory([], 0);
  source = new EventSource(`/v1/train/${encodeURIComponent(run)}/events`);
  const handlers = {
    start: showStart,
    step: showStep,
    epoch: showEpoch,
    end: showEnd,
    stopped: showEnd,
    failed: showFailure,
  };
  for (const [kind, callback] of Object.entries(handlers)) {
    source.addEventListener(kind, (event) => callback(JSON.parse(event.data)));
  }
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

function showStart({ steps, epochs, note }) {
  progress = { epochs, history: [], steps };
  byId("run-note").textContent = note;
  byId("run-state").textContent = "training";
  showHistory([], epochs);
}

function showStep({ done, steps }) {
  byId("run-progress").value = done / steps;
  byId("run-state").textContent = `step ${formatCount(done)} of ${formatCount(steps)}`;
}

function showEpoch(epoch) {
  progress.history.push(epoch);
  byId("run-progress").value = progress.history.length / progress.epochs;
  byId("run-state").textContent = `epoch ${progress.history.length} of ${progress.epochs}`;
  showHistory(progress.history, progress.epochs);
}

async function showEnd({ words, run }) {
  closeStream();
  showWords(words);
  byId("run-state").textContent = run ? "done" : "stopped";
  byId("run-use").hidden = !run;
  announce(words.split("\n").length > 1 ? `${run ?? running} is done` : words);
  await Promise.all([refreshRuns(), refreshNetworks()]).catch(() => {});
}

function showFailure({ problem }) {
  closeStream();
  showProblem(byId("train-problem"), { details: problem });
  byId("run-state").textContent = "failed";
  refreshRuns();
}

function closeStream() {
  source?.close();
  source = null;
  setRunning("");
}

/** Show how an earlier run went. */
async function showRun() {
  const { run } = state;
  if (!run || run === running) return;
  try {
    const result = await get(`/v1/runs/${encodeURIComponent(run)}`);
    if (run !== state.run || run === running) return;
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
