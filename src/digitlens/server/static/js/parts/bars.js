// Ten bars, and "no digit" where the network can tell.

import { formatConfidence } from "../core/numbers.js";
import { h } from "../core/dom.js";

/**
 * @param {HTMLElement} box
 * @param {any} answer one of /v1/predict, or null
 */
export function showBars(box, answer) {
  if (!box.firstChild) box.append(...Array.from({ length: 11 }, (_, digit) => line(digit)));
  [...box.children].forEach((row, digit) => {
    const none = digit === 10;
    const share = answer ? (none ? answer.no_digit : answer.probabilities[digit]) : 0;
    const said = share ?? 0;
    row.classList.toggle(
      "first",
      Boolean(answer) && (none ? answer.digit === null : answer.digit === digit),
    );
    row.querySelector("i").style.width = `${100 * said}%`;
    row.querySelector("output").textContent = !answer
      ? ""
      : share === null
        ? "cannot tell"
        : formatConfidence(share);
  });
}

function line(digit) {
  const name = digit === 10 ? "no digit" : String(digit);
  return h(
    "div",
    { class: "bar" },
    h("b", {}, name),
    h("span", {}, h("i")),
    h("output", { "aria-label": name }),
  );
}

/** The digit to show large: with a question mark where it is to be checked. @param {any} answer */
export const nameDigit = ({ digit, likeliest, unsure }) =>
  digit === null || unsure ? `${likeliest}?` : String(digit);

/** What an answer says, in a sentence. @param {any} answer */
export function describeAnswer(answer) {
  if (answer.digit === null) {
    const guess = `a ${answer.likeliest} with ${formatConfidence(answer.confidence)}`;
    return `${answer.network} sees no digit; if it is one, ${guess}. Check this.`;
  }
  const order = answer.probabilities.map((share, digit) => ({ share, digit }));
  const [next] = order
    .filter((item) => item.digit !== answer.digit)
    .sort((a, b) => b.share - a.share);
  const first = `${answer.network} is ${formatConfidence(answer.confidence).replace(">", "more than")} sure`;
  const other = next.share >= 0.005 ? `; a ${next.digit} has ${formatConfidence(next.share)}` : "";
  return `${first}${other}.${answer.unsure ? " Check this." : ""}`;
}
