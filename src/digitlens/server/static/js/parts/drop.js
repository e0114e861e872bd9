// Pictures that are dropped on a view or pasted while it is open.

import { state } from "../core/store.js";

/**
 * @param {HTMLElement} view
 * @param {string} tab
 * @param {(file: File) => void} take called with the first picture, or the first file if none is one
 */
export function bindDrop(view, tab, take) {
  /** @param {FileList | undefined} files */
  const picture = (files) =>
    [...(files ?? [])].find(({ type }) => type.startsWith("image/")) ?? files?.[0];
  view.addEventListener("dragover", (event) => {
    event.preventDefault();
    view.classList.add("dropping");
  });
  view.addEventListener("dragleave", (event) => {
    if (!view.contains(/** @type {Node | null} */ (event.relatedTarget)))
      view.classList.remove("dropping");
  });
  view.addEventListener("drop", (event) => {
    event.preventDefault();
    view.classList.remove("dropping");
    const file = picture(event.dataTransfer?.files);
    if (file) take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = state.tab === tab ? picture(event.clipboardData?.files) : undefined;
    if (file) take(file);
  });
}
