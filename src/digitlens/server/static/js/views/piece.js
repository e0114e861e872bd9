// A piece of mail on the page: why a person must look, its pictures, its likeliest ZIPs.

import { byId, h, query, svg } from "../core/dom.js";
import { formatPercent } from "../core/numbers.js";
import { capitalize } from "../core/messages.js";

const BOX_MARGIN = 0.18; // of a line's height: between its ink and the box about it

/** @param {Api.MailTask} task @param {"whole" | "line"} part */
const pictureUrl = ({ piece, token }, part) =>
  `/v1/mail/pieces/${piece}/picture?token=${token}&part=${part}`;

/** The town of a guess or of a looked-up ZIP. @param {{city: string | null, state: string | null}} place */
export const formatTown = ({ city, state }) => (city ? `${city} ${state}` : "no such ZIP is known");

/**
 * Show a piece; resolves when its pictures can be seen.
 * @param {Api.MailTask} task
 * @param {(index: number) => void} choose
 */
export async function showPiece(task, choose) {
  byId("piece-title").replaceChildren(
    `Piece ${task.piece} `,
    h("span", { class: "quiet" }, task.name),
  );
  byId("piece-why").textContent = explainReason(task);
  byId("guesses").replaceChildren(...task.guesses.map((item, index) => renderGuess(item, index, choose)));
  byId("guesses").hidden = !task.guesses.length;
  /** @type {Node} */ (byId("zip-label").firstChild).textContent = task.guesses.length
    ? "Or type the ZIP "
    : "Type the ZIP ";
  await showPictures(task);
}

/** @param {Api.MailTask} task */
function explainReason({ why, text, problem }) {
  if (problem) return "Its picture cannot be shown.";
  const read = text && !why.includes(text) ? ` The reader saw ${text}.` : "";
  return `${capitalize(why)}.${read}`;
}

let quarters = 0; // by which a person has turned the pictures, clockwise

/** Turn the pictures by a quarter: what no digits were read of may lie on its side or head. */
export function turnPiece() {
  quarters = (quarters + 1) % 4;
  showTurn();
}

function showTurn() {
  for (const figure of [byId("piece-whole"), byId("piece-close")]) {
    const image = figure.querySelector("img");
    figure.dataset.turn = String(quarters);
    const [width, height] = [Number(image?.width) || 1, Number(image?.height) || 1];
    figure.style.aspectRatio = quarters % 2 ? `${height} / ${width}` : "auto";
  }
}

/** @param {Api.MailTask} task */
async function showPictures(task) {
  quarters = 0;
  const { picture, problem } = task;
  const close = byId("piece-close");
  const whole = byId("piece-whole");
  close.hidden = !picture?.view && !problem;
  whole.hidden = !picture;
  close.classList.toggle("none", !picture);
  if (!picture) {
    const words = [`${capitalize(problem ?? "its picture cannot be shown")}.`, "Look at the piece itself, then type its ZIP."];
    whole.replaceChildren();
    return close.replaceChildren(...words.map((item) => h("p", {}, item)));
  }
  const { width, height, box, view } = picture;
  const seen = task.text ? `The reader saw ${task.text}` : "No line was found";
  const all = makeImage(pictureUrl(task, "whole"), `The piece ${task.name}. ${seen}`, width, height);
  const link = { href: all.src, target: "_blank", title: "Open it in a tab of its own" };
  whole.replaceChildren(h("a", link, all, drawOverlay(box, [0, 0, width, height])));
  const images = [all];
  if (view) {
    const [left, top, right, bottom] = view;
    const line = makeImage(
      pictureUrl(task, "line"),
      `The line of the ZIP, close. ${seen}`,
      right - left,
      bottom - top,
    );
    close.replaceChildren(h("div", {}, line, drawOverlay(box, view)));
    images.push(line);
  } else close.replaceChildren();
  showTurn();
  await Promise.all(images.map((item) => item.decode().catch(() => {})));
}

/** @param {string} src @param {string} alt @param {number} width @param {number} height */
const makeImage = (src, alt, width, height) => h("img", { src, alt, width, height });

/** The box of the ZIP over a part of the picture. @param {number[] | null} box @param {number[]} part */
function drawOverlay(box, [left, top, right, bottom]) {
  const over = svg("svg", {
    viewBox: `${left} ${top} ${right - left} ${bottom - top}`,
    "aria-hidden": "true",
  });
  if (!box) return over;
  const margin = BOX_MARGIN * (box[3] - box[1]);
  over.append(
    svg("rect", {
      x: box[0] - margin,
      y: box[1] - margin,
      width: box[2] - box[0] + 2 * margin,
      height: box[3] - box[1] + 2 * margin,
      rx: margin,
      class: "zip-box",
    }),
  );
  return over;
}

/** @param {Api.TrayGuess} item @param {number} index @param {(index: number) => void} choose */
function renderGuess(item, index, choose) {
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: item.city ? "" : "unlisted", onclick: () => choose(index) },
      h("kbd", {}, String(index + 1)),
      h("b", {}, item.zip),
      h("span", { class: "guess-town" }, formatTown(item)),
      h("span", { class: "guess-share" }, formatPercent(item.probability)),
    ),
  );
}

/** A piece as a sentence, for who does not see it. @param {Api.MailTask} task */
export function describePiece(task) {
  const guesses = task.guesses.map(
    (item, index) => `${index + 1}: ${item.zip.split("").join(" ")}, ${formatTown(item)}`,
  );
  return [
    `Piece ${task.piece}. ${explainReason(task)}`,
    guesses.length ? `${guesses.join("; ")}.` : "No guesses: type the ZIP.",
  ].join(" ");
}
