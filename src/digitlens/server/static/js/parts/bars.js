// Ten bars that sum to 1; apart from them, whether there is a digit at all, against its limit.

import { formatConfidence } from "../core/numbers.js";
import { h, query, queryAll } from "../core/dom.js";
import { findThreshold } from "../networks.js";
import { explainTerm } from "./glossary.js";

/**
 * @param {HTMLElement} box
 * @param {Api.Answer | null} answer
 */
export function showBars(box, answer) {
  if (!box.firstChild) {
    box.append(
      ...Array.from({ length: 10 }, (_, digit) => line(String(digit))),
      h("p", { class: "refusal-words" }, " ", explainTerm("not a digit")),
      line("no digit", "refusal", h("em")),
    );
  }
  queryAll(".bar:not(.refusal)", box).forEach((row, digit) => {
    const share = answer ? answer.probabilities[digit] : 0;
    row.classList.toggle("first", answer?.digit === digit);
    row.classList.toggle("least", Boolean(answer) && share < 0.0001);
    fill(row, share, answer ? formatConfidence(share) : "");
  });
  showRefusal(box, answer);
}

/** "No digit" is no eleventh bar: it is compared to the network's limit, not to the ten. @param {HTMLElement} box @param {Api.Answer | null} answer */
function showRefusal(box, answer) {
  const share = answer?.no_digit ?? null;
  const limit = answer ? findThreshold(answer.network) : null;
  const row = query(".refusal", box);
  const words = query(".refusal-words", box);
  row.hidden = share === null;
  words.hidden = !answer;
  words.childNodes[0].textContent =
    share === null
      ? "Is it a digit at all? This network cannot tell. "
      : `Is it a digit at all? ${limit === null ? "" : `Rejected above ${formatConfidence(limit)}. `}`;
  if (!answer || share === null) return;
  row.classList.toggle("first", answer.digit === null);
  query("em", row).hidden = limit === null;
  query("em", row).style.left = `${100 * (limit ?? 0)}%`;
  fill(row, share, formatConfidence(share));
}

/** @param {HTMLElement} row @param {number} share @param {string} words */
function fill(row, share, words) {
  query("i", row).style.width = `${100 * share}%`;
  query("output", row).textContent = words;
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

/** The digit to show large: with a question mark where it is to be checked. @param {Api.Answer} answer */
export const nameDigit = ({ digit, likeliest, unsure }) =>
  digit === null || unsure ? `${likeliest}?` : String(digit);

/** What an answer says, in a sentence. @param {Api.Answer} answer */
export function describeAnswer(answer) {
  if (answer.digit === null) {
    const limit = findThreshold(answer.network);
    const figures = `${formatConfidence(answer.no_digit ?? 1)}${limit === null ? "" : `, limit ${formatConfidence(limit)}`}`;
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
