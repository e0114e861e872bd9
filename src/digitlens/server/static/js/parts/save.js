// What can be taken away: a network as an .onnx file, a view as a picture.

import { get } from "../core/api.js";
import { byId, getBrush, h, query, queryAll, svg } from "../core/dom.js";
import { announce, showProblem } from "../core/messages.js";
import { state } from "../core/store.js";

const SHARP = 2; // pixels of a PNG file for one of the page's
const MAX_PIXELS = 32_000_000; // of a picture, that no phone runs out of memory
const MARGIN = 16;

/** @param {Blob} file @param {string} name */
function hand(file, name) {
  const href = URL.createObjectURL(file);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  announce(`Saved as ${name}`);
}

/** A network's file, its card inside, as Python loads it. @param {string} name */
export async function saveNetwork(name) {
  try {
    const path = `/v1/networks/${encodeURIComponent(name)}/file`;
    /** @type {any} a file, of a server or of this page's own worker */
    const file = await get(path);
    hand(new Blob([file], { type: "application/octet-stream" }), `${name}.onnx`);
  } catch (problem) {
    showProblem(byId("offline"), problem);
  }
}

/** The view on the page as a picture, without the text under it. @param {"png" | "svg"} kind */
export async function savePicture(kind) {
  const { text, width, height } = drawView();
  const name = `${state.tab}.${kind}`;
  if (kind === "svg") return hand(new Blob([text], { type: "image/svg+xml" }), name);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const scale = Math.min(SHARP, Math.sqrt(MAX_PIXELS / (width * height)));
  const canvas = h("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  getBrush(canvas).drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((file) => file && hand(file, name));
}

/** The view as SVG: its elements with their styles, pictures of its canvases among them. */
function drawView() {
  const view = byId(/** @type {"view-draw"} */ (`view-${state.tab}`));
  const copy = /** @type {HTMLElement} */ (view.cloneNode(true));
  keepValues(view, copy);
  keepPictures(view, copy);
  for (const lesson of queryAll(".lesson", copy)) lesson.remove();
  const { clientWidth: width } = view;
  const lesson = query(".lesson", view);
  const bottom = (lesson ?? view).getBoundingClientRect()[lesson ? "top" : "bottom"];
  const height = Math.ceil(bottom - view.getBoundingClientRect().top);
  const whole = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
  const { color, font } = getComputedStyle(document.body);
  const { backgroundColor: background } = getComputedStyle(document.body);
  const page = style(h("div", { id: "main" }, copy), `box-sizing:border-box;width:${whole.width}px;min-height:${whole.height}px;padding:${MARGIN}px;color:${color};font:${font};background:${background}`);
  const rules = [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules].map(({ cssText }) => cssText));
  const content = svg("foreignObject", { width: "100%", height: "100%" }, h("style", {}, rules.join("\n")), page);
  const root = svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${whole.width} ${whole.height}`, ...whole }, content);
  Object.assign(root.dataset, document.documentElement.dataset);
  // The system's own choice is not asked for again by whoever opens the picture.
  root.dataset.theme ||= matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return { text: new XMLSerializer().serializeToString(root), ...whole };
}

/** The page allows no style that comes as text, but for this way. @template {HTMLElement} E @param {E} element @param {string} text */
function style(element, text) {
  element.style.cssText = text;
  return element;
}

/** What was typed and chosen is no part of a copy, unless it stands in it. @param {HTMLElement} view @param {HTMLElement} copy */
function keepValues(view, copy) {
  const copies = queryAll("input", copy);
  queryAll("input", view).forEach(({ type, value, checked }, index) => {
    if (type !== "file") copies[index].setAttribute("value", value);
    copies[index].toggleAttribute("checked", checked);
  });
  const selects = queryAll("select", copy);
  queryAll("select", view).forEach(({ selectedIndex }, index) =>
    selects[index].options[selectedIndex]?.setAttribute("selected", ""),
  );
}

/** Canvases, and pictures that lie elsewhere, as pictures within the file. @param {HTMLElement} view @param {HTMLElement} copy */
function keepPictures(view, copy) {
  const all = "canvas, img";
  const copies = queryAll(all, copy);
  queryAll(all, view).forEach((element, index) => {
    const { width, height } = element.getBoundingClientRect();
    if (!width || !height) return;
    const { id, className } = element;
    const { imageRendering, display } = getComputedStyle(element);
    const picture = h("img", { id: id || null, class: className || null, src: toAddress(element) });
    copies[index].replaceWith(style(picture, `width:${width}px;height:${height}px;image-rendering:${imageRendering};display:${display}`));
  });
}

/** @param {HTMLCanvasElement | HTMLImageElement} element */
function toAddress(element) {
  if (element instanceof HTMLCanvasElement) return element.toDataURL();
  const canvas = h("canvas", { width: element.naturalWidth, height: element.naturalHeight });
  getBrush(canvas).drawImage(element, 0, 0);
  return canvas.toDataURL();
}
