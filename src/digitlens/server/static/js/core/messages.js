// Announcements to screen readers, and problems shown in boxes.

import { byId, h } from "./dom.js";
import { Problem } from "./problem.js";

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
 * @param {unknown} problem a Problem of the service, any other error, `{details}` alone, or null
 */
export function showProblem(box, problem) {
  const isOffline = problem instanceof Problem && problem.kind === "offline"; // that stands above every view already
  box.hidden = !problem || isOffline;
  if (box.hidden) return box.replaceChildren();
  const { details = {} } = /** @type {{details?: import("./problem.js").Details}} */ (problem);
  const { detail = describeProblem(problem), seen, likely, try: hint } = details;
  box.replaceChildren(
    h("p", { class: "problem-head" }, capitalize(detail)),
    ...[seen, likely && `likely: ${likely}`, hint && `try: ${hint}`]
      .flatMap((words) => (words ? h("p", {}, words) : [])),
  );
}

/** What was thrown, in words. @param {unknown} problem */
export const describeProblem = (problem) => (problem instanceof Error ? problem.message : String(problem));

/** @param {string} words */
export const capitalize = (words) => words.charAt(0).toUpperCase() + words.slice(1);
