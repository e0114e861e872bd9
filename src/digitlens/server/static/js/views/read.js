// Read: lines of digits in a photo, boxed, with what else they may be; corrected by typing.

import { coalesce, post, send } from "../core/api.js";
import { byId } from "../core/dom.js";
import { announce, showProblem } from "../core/messages.js";
import { known, onNetworks } from "../networks.js";
import { cropDigit } from "../parts/cut.js";
import { bindDrop } from "../parts/drop.js";
import { makeExample } from "../parts/example.js";
import { refreshOwn } from "./own.js";
import { drawBoxes, renderLine } from "./lines.js";

/** @type {Blob | null} */
let file = null;
/** @type {any} the answer of /v1/read */
let result = null;
/** Digits that were corrected: "line.place" -> the right digit. @type {Map<string, string>} */
const corrected = new Map();
let hasShown = false;
let address = "";

export function init() {
  byId("read-file").addEventListener("change", (event) => {
    if (event.target.files.length) readPicture(event.target.files[0]);
    event.target.value = "";
  });
  for (const id of ["read-length", "read-line"])
    byId(id).addEventListener("change", () => file && read());
  byId("read-keep").addEventListener("click", saveDigits);
  byId("read-example").addEventListener("click", readExample);
  bindDrop(byId("view-read"), "read", readPicture);
  onNetworks(({ reader }) => showReader(reader));
}

export function show() {
  if (hasShown) return;
  hasShown = true;
  refreshOwn();
}

/** @param {boolean} here whether this installation reads lines */
function showReader(here) {
  const detail = "No reader of lines is installed. Everything else on this page works.";
  showProblem(byId("no-reader"), here ? null : { details: { detail } });
  for (const id of ["read-file", "read-length", "read-line", "read-example"])
    byId(id).disabled = !here;
  byId("read-empty").hidden = !here || Boolean(file);
}

async function readExample() {
  byId("read-state").textContent = "Writing numbers…";
  try {
    readPicture(await makeExample(known.data.mnist ? "mnist" : "uci"));
  } catch (problem) {
    byId("read-state").textContent = "";
    showProblem(byId("read-problem"), problem);
  }
}

/** Read a picture. @param {Blob} picture */
export function readPicture(picture) {
  if (byId("read-file").disabled) return;
  file = picture;
  read();
}

const read = coalesce(async () => {
  const picture = file;
  showProblem(byId("read-problem"), null);
  byId("read-empty").hidden = true;
  byId("read-state").textContent = "Reading…";
  byId("read-part").classList.add("waiting");
  try {
    const query = { length: byId("read-length").value, line: byId("read-line").checked || null };
    result = await send("/v1/read", picture, query);
  } catch (problem) {
    byId("read-state").textContent = "";
    byId("read-part").hidden = true;
    return showProblem(byId("read-problem"), problem);
  }
  byId("read-part").classList.remove("waiting");
  corrected.clear();
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(picture);
  byId("read-state").textContent = summarize(result);
  byId("read-part").hidden = false;
  showLines();
});

function summarize({ lines, turn }) {
  const quarter = (Math.round(turn / 90) + 4) % 4;
  const turned = [
    "",
    " The page was read turned to the left.",
    " The page was read upside down.",
    " The page was read turned to the right.",
  ][quarter];
  if (!lines.length) return "No digits were found.";
  return `${lines.length === 1 ? "One line was" : `${lines.length} lines were`} found.${turned}`;
}

function showLines() {
  const choose = (line, place) =>
    byId("lines").querySelector(`[data-place="${line}.${place}"]`)?.focus();
  byId("photo").replaceChildren(...drawBoxes(result, address, corrected, choose));
  byId("lines").replaceChildren(
    ...result.lines.map((line, index) => renderLine(line, index, corrected, correct, highlight)),
  );
  byId("lines-part").hidden = !result.lines.length;
  showKeep();
}

function showKeep() {
  byId("read-keep").hidden = !corrected.size;
  byId("read-keep").textContent =
    corrected.size === 1
      ? "Save the corrected digit"
      : `Save ${corrected.size} corrected digits`;
}

/** Mark on the photo the digit that is being looked at. */
function highlight(line, place) {
  for (const box of byId("photo").querySelectorAll(".digit-box")) {
    box.classList.toggle("chosen", box.dataset.box === `${line}.${place}`);
  }
}

/** @param {number} line @param {number} place @param {string} text */
function correct(line, place, text) {
  const key = `${line}.${place}`;
  if (text === result.lines[line].digits[place].text) corrected.delete(key);
  else corrected.set(key, text);
  const box = byId("photo").querySelector(`[data-box="${key}"]`);
  box?.classList.toggle("corrected", corrected.has(key));
  showKeep();
  announce(`corrected to ${text}`);
}

async function saveDigits() {
  const photo = byId("photo").querySelector("img");
  const digits = [...corrected].map(([key, text]) => {
    const [line, place] = key.split(".").map(Number);
    const { box } = result.lines[line].digits[place];
    return { picture: cropDigit(photo, result, box), label: Number(text) };
  });
  try {
    const own = await post("/v1/own", { digits });
    byId("read-state").textContent = `Saved: you have ${own.count} of your own.`;
    refreshOwn(own);
  } catch (problem) {
    showProblem(byId("read-problem"), problem);
  }
}
