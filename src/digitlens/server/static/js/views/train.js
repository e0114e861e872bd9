// Train: choose, begin, follow, stop; the curves grow while a network learns.

import { get, post, remove } from "../core/api.js";
import { by, fill } from "../core/dom.js";
import { grouped } from "../core/numbers.js";
import { say, show as showProblem } from "../core/say.js";
import { set, state, STRONGEST, watch } from "../core/store.js";
import { howToGet, known, onNetworks, refreshNetworks } from "../networks.js";
import { showHistory } from "./history.js";
import { initRuns, refreshRuns } from "./runs.js";

/** @type {EventSource | null} */
let source = null;
/** the run under way */
let running = "";
/** @type {{epochs: number, history: any[], steps: number}} what was told of it */
let told = { epochs: 0, history: [], steps: 0 };
let opened = false;

export function init() {
  by("train-form").addEventListener("submit", begin);
  by("train-stop").addEventListener("click", stop);
  by("train-share").addEventListener("input", showShare);
  by("train-network").addEventListener("change", showNetwork);
  by("train-data").addEventListener("change", showNetwork);
  by("run-use").addEventListener("click", () => {
    set({ network: state.run, layer: 1, ...STRONGEST });
    say(`${state.run} answers now`);
  });
  onNetworks(({ trainable, data }) => {
    showSources(data);
    const chosen = by("train-network").value || "quick";
    fill(
      by("train-network"),
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
  if (opened) return;
  opened = true;
  refreshRuns();
  resume();
}

/** A run may be under way already: begun before this page was opened, or in another one. */
async function resume() {
  try {
    const found = await get("/v1/train");
    if (found.running) follow(found.run);
    else if (state.run) showRun();
  } catch (problem) {
    showProblem(by("train-problem"), problem);
  }
}

/** Offer the digits that are here, and say how the others are had. @param {Record<string, boolean>} data */
function showSources(data) {
  const select = by("train-data");
  for (const option of select.options) option.disabled = data[option.value] === false;
  if (select.selectedOptions[0]?.disabled) select.value = data.mnist ? "mnist" : "uci";
  by("train-missing").hidden = data.mnist !== false;
  by("train-missing").textContent = howToGet("mnist");
}

function showShare() {
  by("share-out").textContent = `${by("train-share").value} %`;
}

/** Offer the networks that can be gone on from: those of the same kind. */
function showNetwork() {
  const kind = by("train-network").value;
  const chosen = by("train-from").value;
  by("train-about").textContent =
    known.trainable.find(({ name }) => name === kind)?.about ?? "";
  const same = known.networks
    .filter(({ network }) => network === kind)
    .map(({ name }) => ({ value: name, text: name }));
  fill(by("train-from"), [{ value: "", text: "the start" }, ...same], chosen);
  if (by("train-from").selectedIndex < 0) by("train-from").value = "";
}

/** Fill in the form to train a network from the start. @param {string} network */
export function wishFor(network) {
  by("train-network").value = network;
  showNetwork();
}

/** Fill in the form to go on from a network with one's own digits. @param {string} network */
export function goOnFrom(network) {
  by("train-network").value =
    known.networks.find(({ name }) => name === network)?.network ?? network;
  by("train-data").value = "own";
  showNetwork();
  by("train-from").value = network;
}

async function begin(event) {
  event.preventDefault();
  const share = Number(by("train-share").value) / 100;
  const wish = {
    network: by("train-network").value,
    data: by("train-data").value,
    epochs: Number(by("train-epochs").value) || null,
    share: share < 1 ? share : null,
    seed: Number(by("train-seed").value) || 0,
    from: by("train-from").value || null,
  };
  showProblem(by("train-problem"), null);
  try {
    follow((await post("/v1/train", wish)).run);
  } catch (problem) {
    showProblem(by("train-problem"), problem);
  }
}

async function stop() {
  by("train-stop").disabled = true;
  by("run-state").textContent = "saving";
  await remove(`/v1/train/${running}`).catch((problem) =>
    showProblem(by("train-problem"), problem),
  );
}

function setRunning(run) {
  running = run;
  by("train-start").disabled = Boolean(run);
  by("train-stop").hidden = by("run-progress").hidden = !run;
  by("train-stop").disabled = false;
}

/** Follow a run as its events come. @param {string} run */
function follow(run) {
  source?.close();
  setRunning(run);
  told = { epochs: 0, history: [], steps: 0 };
  set({ run });
  showHead(run, "starting");
  by("run-note").textContent = "torch is being loaded, and the digits";
  showWords("");
  by("run-progress").removeAttribute("value");
  showHistory([], 0);
  source = new EventSource(`/v1/train/${encodeURIComponent(run)}/events`);
  const heard = {
    start: started,
    step: stepped,
    epoch: epochDone,
    end: ended,
    stopped: ended,
    failed,
  };
  for (const [kind, act] of Object.entries(heard)) {
    source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  }
}

function showHead(run, words) {
  by("run-title").textContent = run;
  by("run-state").textContent = words;
  by("run-use").hidden = true;
}

/** What a run came to: a sentence or two, or a table of its own. @param {string} words */
function showWords(words) {
  const box = by("run-words");
  box.hidden = !words;
  box.textContent = words;
  const isTable = words.includes("\n");
  box.classList.toggle("code", isTable);
  if (isTable) box.tabIndex = 0; // it may be wider than the page: arrow keys scroll it
  else box.removeAttribute("tabindex");
}

function started({ steps, epochs, note }) {
  told = { epochs, history: [], steps };
  by("run-note").textContent = note;
  by("run-state").textContent = "training";
  showHistory([], epochs);
}

function stepped({ done, steps }) {
  by("run-progress").value = done / steps;
  by("run-state").textContent = `step ${grouped(done)} of ${grouped(steps)}`;
}

function epochDone(epoch) {
  told.history.push(epoch);
  by("run-progress").value = told.history.length / told.epochs;
  by("run-state").textContent = `epoch ${told.history.length} of ${told.epochs}`;
  showHistory(told.history, told.epochs);
}

async function ended({ words, run }) {
  over();
  showWords(words);
  by("run-state").textContent = run ? "done" : "stopped";
  by("run-use").hidden = !run;
  say(words.split("\n").length > 1 ? `${run ?? running} is done` : words);
  await Promise.all([refreshRuns(), refreshNetworks()]).catch(() => {});
}

function failed({ problem }) {
  over();
  showProblem(by("train-problem"), { told: problem });
  by("run-state").textContent = "failed";
  refreshRuns();
}

function over() {
  source?.close();
  source = null;
  setRunning("");
}

/** Show how an earlier run went. */
async function showRun() {
  const { run } = state;
  if (!run || run === running) return;
  try {
    const found = await get(`/v1/runs/${encodeURIComponent(run)}`);
    if (run !== state.run || run === running) return;
    showHead(run, found.finished ? "done" : "not finished");
    by("run-note").textContent =
      `${found.network}, seed ${found.seed}, ${grouped(found.history.length)} epochs`;
    showWords(found.words ?? "");
    by("run-use").hidden = !found.finished;
    showHistory(found.history, found.history.length);
  } catch (problem) {
    showHead(run, "");
    by("run-note").textContent = String(problem.message);
    showHistory([], 0);
  }
}
