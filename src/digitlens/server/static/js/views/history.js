// The history of a run: two charts, and the same as a table.

import { by, el } from "../core/dom.js";
import { chart } from "../parts/chart.js";

/** @type {Record<string, [string, (value: number) => string]>} */
const COLUMNS = {
  epoch: ["epoch", String],
  train_loss: ["loss", (value) => value.toFixed(4)],
  validation_loss: ["held back", (value) => value.toFixed(4)],
  train_accuracy: ["right", percent],
  validation_accuracy: ["held back", percent],
  seconds: ["seconds", (value) => value.toFixed(1)],
};

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

/** @param {any[]} history epochs as /v1/runs tells them @param {number} epochs planned */
export function showHistory(history, epochs) {
  const curves = (what) =>
    ["train", "validation"].map((kind) => ({
      kind,
      values: history.map((epoch) => epoch[`${kind}_${what}`] ?? null),
    }));
  chart(by("chart-loss"), curves("loss"), {
    epochs,
    label: "loss",
    top: Infinity,
    write: (value) => value.toFixed(3),
  });
  chart(by("chart-right"), curves("accuracy"), {
    epochs,
    label: "right answers",
    top: 1,
    write: (value) => `${(100 * value).toFixed(1)} %`,
  });
  const some = history.length > 0 || epochs > 0;
  by("no-curves").hidden = some;
  by("charts").hidden = by("curve-legend").hidden = !some;
  by("key-held").hidden = !history.some((epoch) => epoch.validation_loss !== null);
  by("run-table-part").hidden = !history.length;
  by("run-table").replaceChildren(
    el(
      "thead",
      {},
      el("tr", {}, ...Object.values(COLUMNS).map(([name]) => el("th", { scope: "col" }, name))),
    ),
    el(
      "tbody",
      {},
      ...history.map((epoch) =>
        el(
          "tr",
          {},
          ...Object.entries(COLUMNS).map(([key, [, write]]) =>
            el(
              "td",
              {},
              epoch[key] === null || epoch[key] === undefined ? "–" : write(epoch[key]),
            ),
          ),
        ),
      ),
    ),
  );
}
