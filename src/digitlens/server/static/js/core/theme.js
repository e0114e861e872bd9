// Light and dark, and the palette's colours for what is painted on canvases.

import { by } from "./dom.js";

const KEY = "digitlens-colours";
/** @type {Map<string, [number, number, number]>} */
const known = new Map();
/** @type {(() => void)[]} */
const listeners = [];

/** Return a colour of the palette as red, green, blue. @param {string} name @returns {[number, number, number]} */
export function colour(name) {
  const found = known.get(name);
  if (found) return found;
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g) ?? ["0", "0", "0"];
  probe.remove();
  /** @type {any} */
  const value = parts.slice(0, 3).map(Number);
  known.set(name, value);
  return value;
}

/** @param {string} name */
export const css = (name, alpha = 1) => `rgb(${colour(name).join(" ")} / ${alpha})`;

/** Call `act` when the colours change. @param {() => void} act */
export const onColours = (act) => listeners.push(act);

function changed() {
  known.clear();
  for (const act of listeners) act();
}

function apply(wish) {
  document.documentElement.dataset.theme = wish;
  changed();
}

/** Follow the choice on the page, and the system's. */
export function bindTheme() {
  const select = by("theme");
  try {
    select.value = localStorage.getItem(KEY) ?? "";
  } catch {
    select.value = "";
  }
  select.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, select.value);
    } catch {
      // Kept for this visit alone.
    }
    apply(select.value);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply(select.value);
}
