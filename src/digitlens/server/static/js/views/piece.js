// A piece of mail on the page: why a person must look, its pictures, its likeliest ZIPs.

import { by, el, svg } from "../core/dom.js";
import { percent } from "../core/numbers.js";
import { capital } from "../core/say.js";

const ROOM = 0.18; // of a line's height: between its ink and the box about it

const address = ({ piece, token }, part) =>
  `/v1/mail/pieces/${piece}/picture?token=${token}&part=${part}`;

/** The town of a guess or of a looked-up ZIP. */
export const town = ({ city, state }) => (city ? `${city} ${state}` : "no such ZIP is known");

/**
 * Show a piece; resolves when its pictures can be seen.
 * @param {any} task as /v1/mail/claim told
 * @param {(at: number) => void} choose
 */
export async function showPiece(task, choose) {
  by("piece-title").replaceChildren(
    `Piece ${task.piece} `,
    el("span", { class: "quiet" }, task.name),
  );
  by("piece-why").textContent = whyOf(task);
  by("guesses").replaceChildren(...task.guesses.map((each, at) => guess(each, at, choose)));
  by("guesses").hidden = !task.guesses.length;
  by("zip-label").firstChild.textContent = task.guesses.length
    ? "Or type the ZIP "
    : "Type the ZIP ";
  await showPictures(task);
}

function whyOf({ why, text, problem }) {
  if (problem) return "Its picture cannot be shown.";
  const read = text && !why.includes(text) ? ` The reader saw ${text}.` : "";
  return `${capital(why)}.${read}`;
}

async function showPictures(task) {
  const { picture, problem } = task;
  const close = by("piece-close");
  const whole = by("piece-whole");
  close.hidden = !picture?.view && !problem;
  whole.hidden = !picture;
  close.classList.toggle("none", !picture);
  if (!picture) {
    const words = [`${capital(problem)}.`, "Look at the piece itself, then type its ZIP."];
    whole.replaceChildren();
    return close.replaceChildren(...words.map((each) => el("p", {}, each)));
  }
  const { width, height, box, view } = picture;
  const seen = task.text ? `The reader saw ${task.text}` : "No line was found";
  const all = image(address(task, "whole"), `The piece ${task.name}. ${seen}`, width, height);
  const link = { href: all.src, target: "_blank", title: "Open it in a tab of its own" };
  whole.replaceChildren(el("a", link, all, overlay(box, [0, 0, width, height])));
  const images = [all];
  if (view) {
    const [left, top, right, bottom] = view;
    const line = image(
      address(task, "line"),
      `The line of the ZIP, close. ${seen}`,
      right - left,
      bottom - top,
    );
    close.replaceChildren(line, overlay(box, view));
    images.push(line);
  } else close.replaceChildren();
  await Promise.all(images.map((each) => each.decode().catch(() => {})));
}

const image = (src, alt, width, height) => el("img", { src, alt, width, height });

/** The box of the ZIP over a part of the picture. */
function overlay(box, [left, top, right, bottom]) {
  const over = svg("svg", {
    viewBox: `${left} ${top} ${right - left} ${bottom - top}`,
    "aria-hidden": "true",
  });
  if (!box) return over;
  const room = ROOM * (box[3] - box[1]);
  over.append(
    svg("rect", {
      x: box[0] - room,
      y: box[1] - room,
      width: box[2] - box[0] + 2 * room,
      height: box[3] - box[1] + 2 * room,
      rx: room,
      class: "zip-box",
    }),
  );
  return over;
}

function guess(each, at, choose) {
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: each.city ? "" : "unlisted", onclick: () => choose(at) },
      el("kbd", {}, String(at + 1)),
      el("b", {}, each.zip),
      el("span", { class: "guess-town" }, town(each)),
      el("span", { class: "guess-share" }, percent(each.probability)),
    ),
  );
}

/** A piece as a sentence, for who does not see it. @param {any} task */
export function pieceInWords(task) {
  const guesses = task.guesses.map(
    (each, at) => `${at + 1}: ${each.zip.split("").join(" ")}, ${town(each)}`,
  );
  return [
    `Piece ${task.piece}. ${whyOf(task)}`,
    guesses.length ? `${guesses.join("; ")}.` : "No guesses: type the ZIP.",
  ].join(" ");
}
