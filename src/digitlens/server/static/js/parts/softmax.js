// From the last layer's logits to probabilities: the formula, and its numbers.

import { h, setText } from "../core/dom.js";
import { formatConfidence, formatShort } from "../core/numbers.js";
import { explainTerm } from "./glossary.js";

/** Probabilities of ten logits. @param {number[]} logits */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/**
 * A table: digit, logit, e to its power, share; above it the formula for the likeliest digit.
 * Made once, and filled in anew for each digit.
 * @returns {{element: HTMLElement, update: (values: number[]) => void}} values are the last layer's, one for each digit; an eleventh says "no digit"
 */
export function makeSoftmax() {
  const formula = h("p", { class: "formula small" });
  const [after, eleventh, power] = [h("span"), h("span"), h("th", { scope: "col" })];
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const cells = Array.from({ length: 4 }, () => h("td"));
    const bar = h("i");
    cells[2].append(h("span", { class: "share" }, bar));
    return { cells, bar, element: h("tr", {}, h("th", { scope: "row" }, String(digit)), ...cells) };
  });
  /** @param {string} name */
  const head = (name) => h("th", { scope: "col" }, name);
  const rest = h("p", {}, eleventh, explainTerm("not a digit"));
  const element = h(
    "div",
    { class: "softmax" },
    formula,
    h("p", {}, "Logits ", explainTerm("logit"), " become probabilities by softmax ", explainTerm("softmax"), after),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head("digit"), head("logit z"), power, h("td"), head("share of the sum"))),
      h("tbody", {}, ...rows.map((row) => row.element)),
    ),
    rest,
  );

  /** @param {number[]} values */
  function update(values) {
    const logits = values.slice(0, 10);
    const shares = softmax(logits);
    const best = shares.indexOf(Math.max(...shares));
    // e^z itself where that can be read; else of z less the largest, which leaves shares as they are.
    const isLarge = Math.max(...logits) > 12;
    const shift = isLarge ? logits[best] : 0;
    const powers = logits.map((logit) => Math.exp(logit - shift));
    const sum = powers.reduce((total, item) => total + item, 0);
    const less = shift ? ` − ${formatShort(shift)}` : "";
    setText(formula, `p(${best}) = e^(${formatShort(logits[best])}${less}) / sum of all ten = ${formatShort(powers[best])} / ${formatShort(sum)} = ${formatConfidence(shares[best])}`);
    setText(after, isLarge ? "; the largest is taken off first, which changes no share." : ".");
    setText(power, `e^(z${less})`);
    rows.forEach(({ cells, bar, element: line }, digit) => {
      line.className = digit === best ? "first" : "";
      setText(cells[0], logits[digit].toFixed(2));
      setText(cells[1], formatShort(powers[digit]));
      bar.style.width = `${100 * shares[digit]}%`;
      setText(cells[3], formatConfidence(shares[digit]));
    });
    rest.hidden = values.length < 11;
    if (!rest.hidden) setText(eleventh, `The eleventh number, ${values[10].toFixed(2)}, is for “no digit” and takes no part in these ten `);
  }
  return { element, update };
}

/** The same for numbers that do not change. @param {number[]} values */
export function renderSoftmax(values) {
  const { element, update } = makeSoftmax();
  update(values);
  return element;
}
