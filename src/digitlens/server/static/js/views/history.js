// The history of a run: two charts, and the same as a table.

import { byId, h } from "../core/dom.js";
import { drawChart } from "../parts/chart.js";

/** @type {[keyof Api.Epoch, string, (value: number) => string][]} */
const COLUMNS = [
  ["epoch", "epoch", String],
  ["train_loss", "loss", (value) => value.toFixed(4)],
  ["validation_loss", "validation loss", (value) => value.toFixed(4)],
  ["train_accuracy", "right", percent],
  ["validation_accuracy", "validation right", percent],
  ["seconds", "seconds", (value) => value.toFixed(1)],
];
const KINDS = /** @type {const} */ (["train", "validation"]);

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

/** @typedef {{name: string, history: Api.Epoch[]}} Other a run that is laid over the one on the page */

/**
 * @param {Api.Epoch[]} history
 * @param {number} epochs planned
 * @param {Other[]} others
 */
export function showHistory(history, epochs, others) {
  const runs = [{ name: "", history, series: "" }, ...others.map((other, index) => ({ ...other, series: `other-${index}` }))];
  const curves = (/** @type {"loss" | "accuracy"} */ what) =>
    runs.flatMap(({ name, history: one, series }) =>
      KINDS.map((kind) => ({
        kind: `${kind} ${series}`.trim(),
        name: `${name}${name && " "}${kind === "train" ? "training" : "validation"}`,
        values: one.map((epoch) => epoch[`${kind}_${what}`] ?? null),
      })),
    );
  drawChart(byId("chart-loss"), curves("loss"), {
    epochs,
    label: "loss",
    top: Infinity,
    write: (value) => value.toFixed(3),
  });
  drawChart(byId("chart-right"), curves("accuracy"), {
    epochs,
    label: "right answers",
    top: 1,
    write: (value) => `${(100 * value).toFixed(1)} %`,
  });
  byId("overlay-legend").replaceChildren(
    ...others.map(({ name }, index) => h("span", {}, h("span", { class: `key other-${index}` }), name)),
  );
  const some = history.length > 0 || epochs > 0 || others.length > 0;
  byId("no-curves").hidden = some;
  byId("charts").hidden = byId("curve-legend").hidden = !some;
  byId("key-held").hidden = !history.some((epoch) => epoch.validation_loss !== null);
  byId("run-table-part").hidden = !history.length;
  byId("run-table").replaceChildren(
    h(
      "thead",
      {},
      h("tr", {}, ...COLUMNS.map(([, name]) => h("th", { scope: "col" }, name))),
    ),
    h(
      "tbody",
      {},
      ...history.map((epoch) =>
        h(
          "tr",
          {},
          ...COLUMNS.map(([key, , write]) => {
            const value = epoch[key] ?? null;
            return h("td", {}, value === null ? "–" : write(value));
          }),
        ),
      ),
    ),
  );
}
