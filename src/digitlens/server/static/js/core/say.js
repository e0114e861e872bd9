// Words for who listens, and problems for who looks.

import { by, el } from "./dom.js";

let timer = 0;

/** Say something to a screen reader, when nothing newer comes within a moment. @param {string} words */
export function say(words) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    by("live").textContent = words;
  }, 250);
}

/**
 * Show a problem in its box, or hide the box.
 * @param {HTMLElement} box
 * @param {any} problem a Problem of the service, any other error, or null
 */
export function show(box, problem) {
  const told = problem && problem.kind !== "offline"; // that stands above every view already
  box.hidden = !told;
  if (!told) return box.replaceChildren();
  const {
    detail = String(problem.message ?? problem),
    seen,
    likely,
    try: hint,
  } = problem.told ?? {};
  box.replaceChildren(
    el("p", { class: "problem-head" }, capital(detail)),
    ...[seen, likely && `likely: ${likely}`, hint && `try: ${hint}`]
      .filter(Boolean)
      .map((words) => el("p", {}, words)),
  );
}

/** @param {string} words */
export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
