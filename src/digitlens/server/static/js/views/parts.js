// The parts of a set of digits: what each is to a network, and a gate before the test digits.

import { get } from "../core/api.js";
import { byId, h } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { state } from "../core/store.js";
import { isPublished, known } from "../networks.js";

const NAMES = {
  test: "test",
  validation: "validation (held back)",
  train: "training",
  all: "all of them",
};

/** @type {{key: string, result: Promise<Api.Parts>}} */
let asked = { key: "", result: new Promise(() => {}) };
/** Runs whose test digits were opened on this page, with the digits' source. @type {Set<string>} */
const opened = new Set();

/** Digits that a network saw in training are not called held back. @param {Api.PartUse} item */
const isTrue = ({ part, seen }) => part !== "validation" || seen === "no";

/** What the parts are to the chosen network, asked for once. */
function loadParts() {
  const { network, data } = state;
  const key = `${network} ${data}`;
  // Digits of one's own come and go.
  if (key !== asked.key || data === "own") {
    asked = { key, result: get("/v1/mistakes/parts", { network, data }) };
    asked.result.catch(() => (asked.key = ""));
  }
  return asked.result;
}

/**
 * Offer the parts, say what the chosen one is, and return it; null while the test digits are to
 * be opened on purpose. It throws where the signal says that another part is asked for by now.
 * @param {() => void} onOpen called when the test digits were opened
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>}
 */
export async function choosePart(onOpen, signal) {
  const { network, data, part: wanted } = state;
  const { parts, opened: times } = await loadParts();
  signal.throwIfAborted();
  const held = parts.find(({ part }) => part === "validation");
  const initial = isPublished(network) || !held || !isTrue(held) ? "test" : "validation";
  const chosen =
    parts.find((item) => item.part === (wanted || initial) && isTrue(item)) ??
    parts.find(({ part }) => part === initial) ??
    parts[0];
  const select = byId("mistakes-part");
  select.replaceChildren(
    ...parts.map((item) =>
      h("option", { value: item.part, disabled: !isTrue(item) }, NAMES[item.part]),
    ),
  );
  select.value = chosen.part;
  select.disabled = parts.length < 2;
  byId("mistakes-part-note").textContent = describePart(chosen, held);
  const isClosed =
    chosen.part === "test" && !isPublished(network) && !opened.has(`${network} ${data}`);
  byId("mistakes-gate").hidden = !isClosed;
  if (!isClosed) return chosen.part === "all" ? "test" : chosen.part;
  byId("mistakes-gate").replaceChildren(
    h(
      "p",
      {},
      "The test digits are for the end: who chooses a network by them has no honest figure left.",
    ),
    h(
      "button",
      {
        type: "button",
        onclick() {
          opened.add(`${network} ${data}`);
          asked.key = ""; // its count grows
          onOpen();
        },
      },
      `Open the test set (opened ${times === 1 ? "once" : `${times} times`} for ${network})`,
    ),
  );
  return null;
}

/** @param {Api.PartUse} chosen @param {Api.PartUse} [held] */
function describePart({ part, count, words }, held) {
  const about = known.networks.find(({ name }) => name === state.network);
  const first = `${formatCount(count)} digits, ${words}.`;
  if (part !== "test" || !held || isTrue(held)) return first;
  const { misses, count: all } = about?.validation ?? {};
  const recorded = all
    ? ` Recorded when its recipe was chosen, on digits held back then: ${formatCount(misses)} wrong of ${formatCount(all)}.`
    : "";
  return `${first} Its validation digits cannot be measured: ${held.words}.${recorded}`;
}
