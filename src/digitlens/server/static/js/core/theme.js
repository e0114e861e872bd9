// Light and dark, and the palette's colours for what is painted on canvases.

import { byId } from "./dom.js";

const KEY = "digitlens-colours";
/** @type {Map<string, [number, number, number]>} */
const known = new Map();
/** @type {(() => void)[]} */
const listeners = [];

/** Return a colour of the palette as red, green, blue. @param {string} name @returns {[number, number, number]} */
export function color(name) {
  const rgb = known.get(name);
  if (rgb) return rgb;
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  probe.style.forcedColorAdjust = "none"; // pictures keep their colours in high contrast
  document.body.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g) ?? ["0", "0", "0"];
  probe.remove();
  const [red, green, blue] = parts.map(Number);
  const value = /** @type {[number, number, number]} */ ([red, green, blue]);
  known.set(name, value);
  return value;
}

/** @param {string} name */
export const cssColor = (name, alpha = 1) => `rgb(${color(name).join(" ")} / ${alpha})`;

/** Call `callback` when the colours change. @param {() => void} callback */
export const onColors = (callback) => listeners.push(callback);

function changed() {
  known.clear();
  for (const callback of listeners) callback();
}

/** @param {string} theme */
function apply(theme) {
  document.documentElement.dataset.theme = theme;
  changed();
}

/** Follow the choice on the page, and the system's. */
export function bindTheme() {
  const select = byId("theme");
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
