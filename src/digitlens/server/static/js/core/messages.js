// Announcements to screen readers, and problems shown in boxes.

import { byId, h } from "./dom.js";

let timer = 0;

/** Announce something to a screen reader, unless something newer follows at once. @param {string} words */
export function announce(words) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    byId("live").textContent = words;
  }, 250);
}

/**
 * Show a problem in its box, or hide the box.
 * @param {HTMLElement} box
 * @param {any} problem a Problem of the service, any other error, or null
 */
export function showProblem(box, problem) {
  const isShown = problem && problem.kind !== "offline"; // that stands above every view already
  box.hidden = !isShown;
  if (!isShown) return box.replaceChildren();
  const {
    detail = String(problem.message ?? problem),
    seen,
    likely,
    try: hint,
  } = problem.details ?? {};
  box.replaceChildren(
    h("p", { class: "problem-head" }, capitalize(detail)),
    ...[seen, likely && `likely: ${likely}`, hint && `try: ${hint}`]
      .filter(Boolean)
      .map((words) => h("p", {}, words)),
  );
}

/** @param {string} words */
export const capitalize = (words) => words.charAt(0).toUpperCase() + words.slice(1);
