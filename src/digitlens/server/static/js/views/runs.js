// The runs of this lab, the newest first.

import { get } from "../core/api.js";
import { by, el } from "../core/dom.js";
import { percent } from "../core/numbers.js";
import { set, state, watch } from "../core/store.js";

/** @type {() => void} */
let chosen = () => {};

/** @param {() => void} act called when the run that is shown already is chosen again */
export function initRuns(act) {
  chosen = act;
  watch(["run"], markRun);
}

export async function refreshRuns() {
  const box = by("runs");
  try {
    const { runs } = await get("/v1/runs");
    if (!runs.length) return box.replaceChildren(el("p", { class: "quiet" }, "None yet."));
    box.replaceChildren(...runs.map(line));
    markRun();
  } catch (problem) {
    box.replaceChildren(el("p", { class: "quiet" }, String(problem.message)));
  }
}

function line({ name, data, epochs, finished, validation }) {
  const right = validation?.count
    ? `${percent(1 - validation.misses / validation.count)} right`
    : "";
  const words = finished ? right : "not finished";
  const act = () => (state.run === name ? chosen() : set({ run: name }));
  return el(
    "button",
    { type: "button", class: "run", "data-run": name, onclick: act },
    el("b", {}, name),
    el(
      "span",
      {},
      `${/[\\/]/.test(data ?? "") ? "your own digits" : data}, ${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    ),
    el("span", {}, words),
  );
}

function markRun() {
  for (const button of by("runs").querySelectorAll("[data-run]")) {
    button.setAttribute("aria-pressed", String(button.dataset.run === state.run));
  }
}
