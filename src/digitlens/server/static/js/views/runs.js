// The runs of this lab, the newest first.

import { get } from "../core/api.js";
import { byId, h } from "../core/dom.js";
import { formatPercent } from "../core/numbers.js";
import { setState, state, watch } from "../core/store.js";

/** @type {() => void} */
let onChosen = () => {};

/** @param {() => void} onClick called when the run that is shown already is chosen again */
export function initRuns(onClick) {
  onChosen = onClick;
  watch(["run"], markRun);
}

export async function refreshRuns() {
  const box = byId("runs");
  try {
    const { runs } = await get("/v1/runs");
    if (!runs.length) return box.replaceChildren(h("p", { class: "quiet" }, "None yet."));
    box.replaceChildren(...runs.map(renderRun));
    markRun();
  } catch (problem) {
    box.replaceChildren(h("p", { class: "quiet" }, String(problem.message)));
  }
}

function renderRun({ name, data, epochs, finished, validation }) {
  const right = validation?.count
    ? `${formatPercent(1 - validation.misses / validation.count)} right`
    : "";
  const words = finished ? right : "not finished";
  const onClick = () => (state.run === name ? onChosen() : setState({ run: name }));
  return h(
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
}

function markRun() {
  for (const button of byId("runs").querySelectorAll("[data-run]")) {
    button.setAttribute("aria-pressed", String(button.dataset.run === state.run));
  }
}
