// Ten bars that sum to 1; apart from them, whether there is a digit at all, against its limit.

import { formatConfidence } from "../core/numbers.js";
import { h } from "../core/dom.js";
import { findThreshold } from "../networks.js";
import { explainTerm } from "./glossary.js";

/**
 * @param {HTMLElement} box
 * @param {any} answer one of /v1/predict, or null
 */
export function showBars(box, answer) {
  if (!box.firstChild) {
    box.append(
      ...Array.from({ length: 10 }, (_, digit) => line(String(digit))),
      h("p", { class: "refusal-words" }, " ", explainTerm("not a digit")),
      line("no digit", "refusal", h("em")),
    );
  }
  [...box.querySelectorAll(".bar:not(.refusal)")].forEach((row, digit) => {
    const share = answer ? answer.probabilities[digit] : 0;
    row.classList.toggle("first", answer?.digit === digit);
    row.classList.toggle("least", Boolean(answer) && share < 0.0001);
    fill(row, share, answer ? formatConfidence(share) : "");
  });
  showRefusal(box, answer);
}

/** "No digit" is no eleventh bar: it is compared to the network's limit, not to the ten. @param {any} box @param {any} answer */
function showRefusal(box, answer) {
  const share = answer?.no_digit ?? null;
  const limit = answer ? findThreshold(answer.network) : null;
  const row = box.querySelector(".refusal");
  const words = box.querySelector(".refusal-words");
  row.hidden = share === null;
  words.hidden = !answer;
  words.firstChild.textContent =
    share === null
      ? "Is it a digit at all? This network cannot tell. "
      : `Is it a digit at all? ${limit === null ? "" : `Rejected above ${formatConfidence(limit)}. `}`;
  if (share === null) return;
  row.classList.toggle("first", answer.digit === null);
  row.querySelector("em").hidden = limit === null;
  row.querySelector("em").style.left = `${100 * (limit ?? 0)}%`;
  fill(row, share, formatConfidence(share));
}

/** @param {any} row @param {number} share @param {string} words */
function fill(row, share, words) {
  row.querySelector("i").style.width = `${100 * share}%`;
  row.querySelector("output").textContent = words;
}

/** @param {string} name @param {string} [kind] @param {...Node} marks */
function line(name, kind = "", ...marks) {
  return h(
    "div",
    { class: `bar ${kind}` },
    h("b", {}, name),
    h("span", {}, h("i"), ...marks),
    h("output", { "aria-label": name }),
  );
}

/** The digit to show large: with a question mark where it is to be checked. @param {any} answer */
export const nameDigit = ({ digit, likeliest, unsure }) =>
  digit === null || unsure ? `${likeliest}?` : String(digit);

/** What an answer says, in a sentence. @param {any} answer */
export function describeAnswer(answer) {
  if (answer.digit === null) {
    const limit = findThreshold(answer.network);
    const figures = `${formatConfidence(answer.no_digit)}${limit === null ? "" : `, limit ${formatConfidence(limit)}`}`;
    return `${answer.network}: rejected as “not a digit” (${figures}). Best guess: ${answer.likeliest} with ${formatConfidence(answer.confidence)}. Check this.`;
  }
  const [next] = rankOthers(answer);
  const first = `${answer.network} is ${formatConfidence(answer.confidence).replace(">", "more than")} sure`;
  const other = next.share >= 0.005 ? `; a ${next.digit} has ${formatConfidence(next.share)}` : "";
  return `${first}${other}.${answer.unsure ? " Check this." : ""}`;
}

/** The nine other digits, the likeliest first. @param {{probabilities: number[], likeliest: number}} answer */
export const rankOthers = ({ probabilities, likeliest }) =>
  probabilities
    .map((share, digit) => ({ share, digit }))
    .filter((item) => item.digit !== likeliest)
    .sort((a, b) => b.share - a.share);
