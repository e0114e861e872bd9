// The runs of this lab, the newest first; each can be laid over another, renamed, removed.

import { get, post, remove } from "../core/api.js";
import { bindRoving, byId, h, queryAll } from "../core/dom.js";
import { announce, describeProblem, showProblem } from "../core/messages.js";
import { formatPercent } from "../core/numbers.js";
import { setState, state, watch } from "../core/store.js";
import { refreshNetworks } from "../networks.js";

const MAX_OVERLAY = 3; // runs laid over another: as many as have colours of their own

let refreshStops = () => {};
/** @type {() => void} */
let onChosen = () => {};
/**
 * @typedef {object} Actions
 * @property {(run: string) => void} resume go on with a run that was stopped
 * @property {() => void} gone the run on the page was removed
 * @property {(run: string) => void} renamed
 */

/** @param {() => void} onClick called when the run that is shown already is chosen again */
export function initRuns(onClick) {
  onChosen = onClick;
  watch(["run", "overlay"], markRun);
  refreshStops = bindRoving(byId("runs"), "button, input");
}

/** @param {Actions} actions */
export function initActions({ resume, gone, renamed }) {
  byId("run-resume").addEventListener("click", () => resume(state.run));
  byId("run-rename").addEventListener("click", () => {
    byId("rename-part").hidden = !byId("rename-part").hidden;
    byId("run-name").value = state.run;
    byId("run-name").focus();
  });
  byId("rename-part").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byId("run-name").value;
    change(() => post(`/v1/runs/${encodeURIComponent(state.run)}`, { name }), () => renamed(name), `Renamed to ${name}`);
  });
  byId("run-delete").addEventListener("click", () => (byId("delete-part").hidden = false));
  byId("delete-no").addEventListener("click", () => (byId("delete-part").hidden = true));
  byId("delete-yes").addEventListener("click", () => {
    const { run } = state;
    const overlay = state.overlay.filter((name) => name !== run);
    const done = () => {
      setState({ overlay });
      gone();
    };
    change(() => remove(`/v1/runs/${encodeURIComponent(run)}`), done, `${run} was deleted`);
  });
}

/** @param {() => Promise<unknown>} ask @param {() => void} done @param {string} words */
async function change(ask, done, words) {
  try {
    await ask();
    await refreshNetworks();
    done();
    announce(words);
    await refreshRuns();
  } catch (problem) {
    showProblem(byId("train-problem"), problem);
  }
}

/** Offer what can be done with a run. @param {string} run @param {Api.RunDetails | null} details null while it trains */
export function showActions(run, details) {
  byId("run-actions").hidden = !run || !details;
  byId("rename-part").hidden = byId("delete-part").hidden = true;
  if (!details) return;
  byId("run-resume").hidden = details.finished || Boolean(details.config.start);
  byId("delete-words").textContent = `Delete ${run}, its network with it?`;
}

export async function refreshRuns() {
  const box = byId("runs");
  try {
    const { runs } = await get("/v1/runs");
    if (!runs.length) return box.replaceChildren(h("p", { class: "quiet" }, "None yet."));
    box.replaceChildren(...runs.map(renderRun));
    markRun();
    refreshStops();
  } catch (problem) {
    box.replaceChildren(h("p", { class: "quiet" }, describeProblem(problem)));
  }
}

/** @param {Api.Run} run */
function renderRun({ name, data, epochs, finished, validation }) {
  const right = validation?.count
    ? `${formatPercent(1 - validation.misses / validation.count)} right`
    : "";
  const words = finished ? right : "not finished";
  const onClick = () => (state.run === name ? onChosen() : setState({ run: name }));
  const button = h(
    "button",
    { type: "button", class: "run", "data-run": name, onclick: onClick },
    h("b", {}, name),
    h(
      "span",
      {},
      `${/[\\/]/.test(data ?? "") ? "your own digits" : data}, ${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    ),
    h("span", {}, words),
  );
  const overlay = h("input", { type: "checkbox", "data-overlay": name, onchange: (event) => lay(name, event.currentTarget.checked) });
  return h("div", { class: "run-item" }, button, h("label", { class: "check" }, overlay, h("span", {}, "Lay over")));
}

/** @param {string} name @param {boolean} on */
function lay(name, on) {
  const rest = state.overlay.filter((item) => item !== name);
  setState({ overlay: on ? [...rest, name].slice(-MAX_OVERLAY) : rest });
}

function markRun() {
  for (const button of queryAll("button[data-run]", byId("runs"))) {
    button.setAttribute("aria-pressed", String(button.dataset.run === state.run));
  }
  for (const box of queryAll("input[data-overlay]", byId("runs"))) {
    box.checked = state.overlay.includes(box.dataset.overlay ?? "");
  }
}
