// From the last layer's logits to probabilities: the formula, and its numbers.

import { h } from "../core/dom.js";
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
 * @param {number[]} values the last layer's, one for each digit; an eleventh says "no digit"
 */
export function renderSoftmax(values) {
  const logits = values.slice(0, 10);
  const shares = softmax(logits);
  const best = shares.indexOf(Math.max(...shares));
  // e^z itself where that can be read; else of z less the largest, which leaves shares as they are.
  const isLarge = Math.max(...logits) > 12;
  const shift = isLarge ? logits[best] : 0;
  const powers = logits.map((logit) => Math.exp(logit - shift));
  const sum = powers.reduce((total, power) => total + power, 0);
  const less = shift ? ` − ${formatShort(shift)}` : "";
  const formula = `p(${best}) = e^(${formatShort(logits[best])}${less}) / sum of all ten = ${formatShort(powers[best])} / ${formatShort(sum)} = ${formatConfidence(shares[best])}`;
  const row = (digit) => {
    const bar = h("i");
    bar.style.width = `${100 * shares[digit]}%`;
    return h(
      "tr",
      { class: digit === best ? "first" : "" },
      h("th", { scope: "row" }, String(digit)),
      h("td", {}, logits[digit].toFixed(2)),
      h("td", {}, formatShort(powers[digit])),
      h("td", {}, h("span", { class: "share" }, bar)),
      h("td", {}, formatConfidence(shares[digit])),
    );
  };
  const heads = ["digit", "logit z", `e^(z${less})`, "", "share of the sum"];
  return h(
    "div",
    { class: "softmax" },
    h("p", { class: "formula small" }, formula),
    h("p", {}, "Logits ", explainTerm("logit"), " become probabilities by softmax ", explainTerm("softmax"), isLarge ? "; the largest is taken off first, which changes no share." : "."),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, ...logits.map((_, digit) => row(digit))),
    ),
    ...(values.length > 10
      ? [
          h(
            "p",
            {},
            `The eleventh number, ${values[10].toFixed(2)}, is for “no digit” and takes no part in these ten `,
            explainTerm("not a digit"),
          ),
        ]
      : []),
  );
}
