// Lines that were read: boxes on the photo, a field for each digit, and what can be done with one.

import { bindRoving, byId, h, query, queryAll, svg } from "../core/dom.js";
import { announce } from "../core/messages.js";
import { formatConfidence } from "../core/numbers.js";

const CONFIDENT = 0.9; // digits below are marked as doubtful

/** @typedef {{line: number, index: number}} Place of a digit: its line, and the place in it */

/** @type {Api.Lines} */
let result;
/** @type {import("../parts/edits.js").Edits} */
let edits;
/** @type {Place} the digit that is being looked at */
let chosen = { line: 0, index: 0 };
/** lines that are less sure are hidden */
let least = 0;
let refreshTools = () => {};
/** @type {() => void} */
let onChange = () => {};

/** @param {() => void} changed called whenever a number is not what it was */
export function initLines(changed) {
  onChange = changed;
  const act = (/** @type {keyof PageIds} */ id, /** @type {(place: Place) => void} */ callback) => byId(id).addEventListener("click", () => change(callback));
  act("digit-before", ({ line, index }) => edits.insert(line, index));
  act("digit-after", ({ line, index }) => {
    edits.insert(line, index + 1);
    chosen = { line, index: index + 1 };
  });
  act("digit-delete", removeDigit);
  const field = byId("read-least");
  field.addEventListener("change", () => {
    least = Number(field.value);
    renderLines();
    onChange();
  });
  byId("lines").addEventListener("keydown", moveByKey);
  refreshTools = bindRoving(byId("digit-tools"));
}

/** @param {Api.Lines} answer @param {import("../parts/edits.js").Edits} made */
export function showLines(answer, made) {
  [result, edits, chosen] = [answer, made, { line: 0, index: 0 }];
  renderLines();
}

/** The lines that are not hidden. */
export const listShown = () =>
  result.lines.map((_, line) => line).filter((line) => result.lines[line].confidence >= least);

/** Change a number where the chosen digit is. @param {(place: Place) => void} callback */
function change(callback) {
  callback(chosen);
  renderLines();
  focusChosen();
  announce(`now ${edits.text(chosen.line) || "empty"}`);
  onChange();
}

/** @param {Place} place */
function removeDigit({ line, index }) {
  if (edits.items[line].length) edits.remove(line, index);
  chosen = { line, index: Math.max(0, Math.min(index, edits.items[line].length - 1)) };
}

const focusChosen = () =>
  query(`input[data-place="${chosen.line}.${chosen.index}"]`, byId("lines"))?.focus();

function renderLines() {
  const shown = listShown();
  if (!shown.includes(chosen.line)) chosen = { line: shown[0] ?? 0, index: 0 };
  byId("lines").replaceChildren(...shown.map(renderLine));
  const hidden = result.lines.length - shown.length;
  byId("read-hidden").textContent = hidden ? `${hidden} ${hidden === 1 ? "line is" : "lines are"} hidden.` : "";
  for (const box of queryAll("[data-line]", byId("photo"))) {
    box.classList.toggle("hidden-line", !shown.includes(Number(box.dataset.line)));
  }
  choose(chosen.line, chosen.index);
}

/** One line: its digits as fields that can be typed over; one stop of the Tab key for all lines. @param {number} line */
function renderLine(line) {
  const { confidence } = result.lines[line];
  const fields = edits.items[line].map((item, index) => renderField(line, item, index));
  return h(
    "li",
    { value: line + 1 },
    h("div", { class: "line-digits", role: "group", "aria-label": `line ${line + 1}` }, ...fields),
    h("p", { class: "quiet" }, `${formatConfidence(confidence)} sure as it was read`),
  );
}

/** @param {number} line @param {import("../parts/edits.js").Item} item @param {number} index */
function renderField(line, item, index) {
  const digit = item.place === null ? null : result.lines[line].digits[item.place];
  const others = digit ? digit.alternatives.filter(({ text }) => text).slice(0, 2) : [];
  const doubts = others.map(({ text, probability }) => `${text} ${formatConfidence(probability)}`).join(", ");
  const words = digit ? `${formatConfidence(digit.confidence)} sure${doubts && `; else ${doubts}`}` : "added by hand";
  const isDoubtful = digit && digit.confidence < CONFIDENT;
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    tabindex: line === chosen.line && index === chosen.index ? "0" : "-1",
    value: item.text,
    "data-place": `${line}.${index}`,
    class: `${isDoubtful ? "doubtful" : ""} ${edits.isChanged(line, item) ? "corrected" : ""}`,
    "aria-label": `line ${line + 1}, digit ${index + 1}, ${words}`,
    title: words,
    onfocus: ({ currentTarget: field }) => {
      field.select();
      choose(line, index);
    },
    oninput(event) {
      const field = event.currentTarget;
      // The last digit that was typed; anything else leaves the field as it was.
      const data = event instanceof InputEvent ? event.data : null;
      const typed = (data ?? field.value).replace(/\D/g, "").slice(-1);
      field.value = typed || item.text;
      field.select();
      if (!typed) return;
      edits.set(line, index, typed);
      field.classList.toggle("corrected", edits.isChanged(line, item));
      announce(`corrected to ${typed}`);
      markPhoto();
      onChange();
    },
  });
  const alternative = others[0]?.probability >= 0.01 ? others[0].text : null;
  return h("span", { class: "line-digit" }, input, alternative && h("small", { "aria-hidden": "true" }, `or ${alternative}`));
}

/** Look at a digit: mark it on the photo, and say what else it and its line may be. @param {number} line @param {number} index */
function choose(line, index) {
  chosen = { line, index };
  for (const field of queryAll("input", byId("lines"))) {
    field.tabIndex = field.dataset.place === `${line}.${index}` ? 0 : -1;
  }
  markPhoto();
  const place = edits.items[line]?.[index]?.place ?? null;
  const digit = place === null ? null : result.lines[line].digits[place];
  const take = (/** @type {string} */ text, /** @type {(place: Place) => void} */ callback) => h("button", { type: "button", onclick: () => change(callback) }, text);
  const describe = (/** @type {Api.Alternative} */ { text, probability }) => `${text || "nothing"} (${formatConfidence(probability)})`;
  const digits = (digit?.alternatives ?? [])
    .slice(0, 3)
    .map((other) => take(describe(other), (place) => (other.text ? edits.set(line, index, other.text) : removeDigit(place))));
  const lines = (result.lines[line]?.alternatives ?? [])
    .slice(0, 3)
    .map((other) => take(describe(other), () => {
      edits.replace(line, other.text);
      chosen = { line, index: 0 };
    }));
  const isThere = Boolean(edits.items[line]?.[index]);
  byId("digit-chosen").textContent = isThere ? `Line ${line + 1}, digit ${index + 1}` : "";
  byId("digit-others").replaceChildren(
    ...(digits.length ? [h("span", {}, "This digit may be"), ...digits] : []),
    ...(lines.length ? [h("span", {}, "The number may be"), ...lines] : []),
  );
  byId("digit-delete").disabled = !isThere;
  byId("digit-inspect").disabled = place === null;
  refreshTools();
}

/** The chosen digit as it was read: which line, which of its digits; null of one that was added. */
export function findChosen() {
  const { line, index } = chosen;
  const place = edits?.items[line]?.[index]?.place ?? null;
  return place === null ? null : { line, place };
}

function markPhoto() {
  const read = findChosen();
  const key = read && `${read.line}.${read.place}`;
  const corrected = new Set(edits.listCorrected().map(({ line, place }) => `${line}.${place}`));
  for (const box of queryAll(".digit-box", byId("photo"))) {
    box.classList.toggle("chosen", box.dataset.box === key);
    box.classList.toggle("corrected", corrected.has(box.dataset.box ?? ""));
  }
}

/** Arrows lead from digit to digit and from line to line; Insert adds one, Delete takes it out. @param {KeyboardEvent} event */
function moveByKey(event) {
  const { line, index } = chosen;
  const shown = listShown();
  const count = edits.items[line].length;
  const row = shown.indexOf(line);
  const at = (/** @type {number} */ next) => ({ line: shown[next], index: Math.min(index, edits.items[shown[next]].length - 1) });
  /** @type {Record<string, Place | null>} */
  const places = {
    ArrowLeft: index > 0 ? { line, index: index - 1 } : null,
    ArrowRight: index < count - 1 ? { line, index: index + 1 } : null,
    ArrowUp: row > 0 ? at(row - 1) : null,
    ArrowDown: row < shown.length - 1 ? at(row + 1) : null,
  };
  const next = places[event.key];
  if (next) {
    event.preventDefault();
    choose(next.line, next.index);
    focusChosen();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    change(removeDigit);
  } else if (event.key === "Insert") {
    event.preventDefault();
    change((place) => edits.insert(place.line, place.index));
  }
}

/**
 * Return the photo and the boxes over it.
 * @param {Api.Lines} answer
 * @param {string} address of the picture
 */
export function drawBoxes({ width, height, lines }, address) {
  const boxes = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  lines.forEach((line, index) => {
    boxes.append(drawBox(line.box, "line-box", index));
    line.digits.forEach((digit, place) => {
      const kind = digit.confidence < CONFIDENT ? "doubtful" : "";
      const rect = drawBox(digit.box, `digit-box ${kind}`, index);
      rect.dataset.box = `${index}.${place}`;
      rect.addEventListener("click", () => {
        choose(index, Math.max(0, edits.items[index].findIndex((item) => item.place === place)));
        focusChosen();
      });
      boxes.append(rect);
    });
  });
  const words = lines.map(({ text }) => text).join(", ") || "no digits";
  return [
    h("img", {
      src: address,
      alt: `The picture; read: ${words}`,
      width,
      height,
      onerror: (event) => event.currentTarget.parentElement?.classList.add("unseen"),
      onload: (event) => event.currentTarget.parentElement?.classList.remove("unseen"),
    }),
    boxes,
  ];
}

/** @param {number[]} box @param {string} kind @param {number} line */
function drawBox([left, top, right, bottom], kind, line) {
  const size = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
  return svg("rect", { ...size, class: kind, "data-line": line });
}
