// Lines that were read: boxes on the photo, and beside it a field for each digit.

import { h, svg } from "../core/dom.js";
import { formatConfidence } from "../core/numbers.js";

const CONFIDENT = 0.9; // digits below are marked as doubtful

/**
 * Return the photo and the boxes over it.
 * @param {any} result the answer of /v1/read
 * @param {string} address of the picture
 * @param {Map<string, string>} corrected
 * @param {(line: number, place: number) => void} choose
 */
export function drawBoxes({ width, height, lines }, address, corrected, choose) {
  const boxes = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  lines.forEach((line, index) => {
    boxes.append(drawBox(line.box, "line-box"));
    line.digits.forEach((digit, place) => {
      const key = `${index}.${place}`;
      const kind = corrected.has(key) ? "corrected" : digit.confidence < CONFIDENT ? "doubtful" : "";
      const rect = drawBox(digit.box, `digit-box ${kind}`);
      rect.dataset.box = key;
      rect.addEventListener("click", () => choose(index, place));
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
      onerror: (event) => event.target.parentElement?.classList.add("unseen"),
      onload: (event) => event.target.parentElement?.classList.remove("unseen"),
    }),
    boxes,
  ];
}

const drawBox = ([left, top, right, bottom], kind) =>
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
 * @param {number} index which line
 * @param {Map<string, string>} corrected
 * @param {(line: number, place: number, text: string) => void} correct
 * @param {(line: number, place: number) => void} pointAt
 */
export function renderLine(line, index, corrected, correct, pointAt) {
  const fields = line.digits.map((digit, place) =>
    renderField(digit, index, place, corrected, correct, pointAt),
  );
  const others = line.alternatives
    .slice(0, 3)
    .map(({ text, probability }) => `${text || "nothing"} (${formatConfidence(probability)})`);
  return h(
    "li",
    {},
    h("div", { class: "line-digits" }, ...fields),
    h(
      "p",
      { class: "quiet" },
      `${formatConfidence(line.confidence)} sure`,
      others.length ? `; or ${others.join(", ")}` : "",
    ),
  );
}

function renderField(digit, index, place, corrected, correct, pointAt) {
  const others = digit.alternatives.filter(({ text }) => text).slice(0, 2);
  const words = others
    .map(({ text, probability }) => `${text} ${formatConfidence(probability)}`)
    .join(", ");
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    value: corrected.get(`${index}.${place}`) ?? digit.text,
    "data-place": `${index}.${place}`,
    class: digit.confidence < CONFIDENT ? "doubtful" : "",
    "aria-label": `line ${index + 1}, digit ${place + 1}, ${formatConfidence(digit.confidence)} sure${words && `; else ${words}`}`,
    title: `${formatConfidence(digit.confidence)} sure${words && `; else ${words}`}`,
    onfocus: (event) => {
      event.target.select();
      pointAt(index, place);
    },
    oninput(event) {
      // The last digit that was typed; anything else leaves the field as it was.
      const typed = (event.data ?? event.target.value).replace(/\D/g, "").slice(-1);
      const text = typed || (corrected.get(`${index}.${place}`) ?? digit.text);
      event.target.value = text;
      event.target.classList.toggle("corrected", text !== digit.text);
      correct(index, place, text);
      event.target.select();
    },
  });
  const alternative = others[0]?.probability >= 0.01 ? others[0].text : null;
  return h(
    "span",
    { class: "line-digit" },
    input,
    alternative && h("small", { "aria-hidden": "true" }, `or ${alternative}`),
  );
}
