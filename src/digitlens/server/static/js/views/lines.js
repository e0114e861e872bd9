// Lines that were read: boxes on the photo, and beside it a field for each digit.

import { el, svg } from "../core/dom.js";
import { sureness } from "../core/numbers.js";

const SURE = 0.9; // digits below are marked as doubtful

/**
 * Return the photo and the boxes over it.
 * @param {any} found what /v1/read told
 * @param {string} address of the picture
 * @param {Map<string, string>} corrected
 * @param {(line: number, place: number) => void} choose
 */
export function drawBoxes({ width, height, lines }, address, corrected, choose) {
  const boxes = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  lines.forEach((line, at) => {
    boxes.append(box(line.box, "line-box"));
    line.digits.forEach((digit, place) => {
      const key = `${at}.${place}`;
      const kind = corrected.has(key) ? "corrected" : digit.confidence < SURE ? "doubtful" : "";
      const made = box(digit.box, `digit-box ${kind}`);
      made.dataset.box = key;
      made.addEventListener("click", () => choose(at, place));
      boxes.append(made);
    });
  });
  const words = lines.map(({ text }) => text).join(", ") || "no digits";
  return [
    el("img", {
      src: address,
      alt: `The picture; read: ${words}`,
      width,
      height,
      onerror: (event) => event.target.parentElement?.classList.add("unseen"),
      onload: (event) => event.target.parentElement?.classList.remove("unseen"),
    }),
    boxes,
  ];
}

const box = ([left, top, right, bottom], kind) =>
  svg("rect", {
    x: left,
    y: top,
    width: Math.max(1, right - left),
    height: Math.max(1, bottom - top),
    class: kind,
  });

/**
 * Return one line as a list item: its digits as fields that can be typed over.
 * @param {any} line
 * @param {number} at which line
 * @param {Map<string, string>} corrected
 * @param {(line: number, place: number, text: string) => void} correct
 * @param {(line: number, place: number) => void} pointAt
 */
export function lineItem(line, at, corrected, correct, pointAt) {
  const fields = line.digits.map((digit, place) =>
    field(digit, at, place, corrected, correct, pointAt),
  );
  const others = line.alternatives
    .slice(0, 3)
    .map(({ text, probability }) => `${text || "nothing"} (${sureness(probability)})`);
  return el(
    "li",
    {},
    el("div", { class: "line-digits" }, ...fields),
    el(
      "p",
      { class: "quiet" },
      `${sureness(line.confidence)} sure`,
      others.length ? `; or ${others.join(", ")}` : "",
    ),
  );
}

function field(digit, at, place, corrected, correct, pointAt) {
  const others = digit.alternatives.filter(({ text }) => text).slice(0, 2);
  const words = others
    .map(({ text, probability }) => `${text} ${sureness(probability)}`)
    .join(", ");
  const input = el("input", {
    type: "text",
    inputmode: "numeric",
    value: corrected.get(`${at}.${place}`) ?? digit.text,
    "data-place": `${at}.${place}`,
    class: digit.confidence < SURE ? "doubtful" : "",
    "aria-label": `line ${at + 1}, digit ${place + 1}, ${sureness(digit.confidence)} sure${words && `; else ${words}`}`,
    title: `${sureness(digit.confidence)} sure${words && `; else ${words}`}`,
    onfocus: (event) => {
      event.target.select();
      pointAt(at, place);
    },
    oninput(event) {
      // The last digit that was typed; anything else leaves the field as it was.
      const typed = (event.data ?? event.target.value).replace(/\D/g, "").slice(-1);
      const text = typed || (corrected.get(`${at}.${place}`) ?? digit.text);
      event.target.value = text;
      event.target.classList.toggle("corrected", text !== digit.text);
      correct(at, place, text);
      event.target.select();
    },
  });
  const alternative = others[0]?.probability >= 0.01 ? others[0].text : null;
  return el(
    "span",
    { class: "line-digit" },
    input,
    alternative && el("small", { "aria-hidden": "true" }, `or ${alternative}`),
  );
}
