// Read: lines of digits in a photo, boxed, with what else they may be; corrected by typing.

import { newest, post, send } from "../core/api.js";
import { by } from "../core/dom.js";
import { say, show as showProblem } from "../core/say.js";
import { known, onNetworks } from "../networks.js";
import { cut } from "../parts/cut.js";
import { dropped } from "../parts/drop.js";
import { example } from "../parts/example.js";
import { refreshOwn } from "./own.js";
import { drawBoxes, lineItem } from "./lines.js";

/** @type {Blob | null} */
let file = null;
/** @type {any} what /v1/read told */
let found = null;
/** Digits that were corrected: "line.place" -> the right digit. @type {Map<string, string>} */
const corrected = new Map();
let asked = false;
let address = "";

export function init() {
  by("read-file").addEventListener("change", (event) => {
    if (event.target.files.length) take(event.target.files[0]);
    event.target.value = "";
  });
  for (const id of ["read-length", "read-line"])
    by(id).addEventListener("change", () => file && read());
  by("read-keep").addEventListener("click", keep);
  by("read-example").addEventListener("click", makeUp);
  dropped(by("view-read"), "read", take);
  onNetworks(({ reader }) => showReader(reader));
}

export function show() {
  if (asked) return;
  asked = true;
  refreshOwn();
}

/** @param {boolean} here whether this installation reads lines */
function showReader(here) {
  const detail = "No reader of lines is installed. Everything else on this page works.";
  showProblem(by("no-reader"), here ? null : { told: { detail } });
  for (const id of ["read-file", "read-length", "read-line", "read-example"])
    by(id).disabled = !here;
  by("read-empty").hidden = !here || Boolean(file);
}

async function makeUp() {
  by("read-state").textContent = "Writing numbers…";
  try {
    take(await example(known.data.mnist ? "mnist" : "uci"));
  } catch (problem) {
    by("read-state").textContent = "";
    showProblem(by("read-problem"), problem);
  }
}

/** Read a picture. @param {Blob} picture */
export function take(picture) {
  if (by("read-file").disabled) return;
  file = picture;
  read();
}

const read = newest(async () => {
  const picture = file;
  showProblem(by("read-problem"), null);
  by("read-empty").hidden = true;
  by("read-state").textContent = "Reading…";
  by("read-part").classList.add("waiting");
  try {
    const query = { length: by("read-length").value, line: by("read-line").checked || null };
    found = await send("/v1/read", picture, query);
  } catch (problem) {
    by("read-state").textContent = "";
    by("read-part").hidden = true;
    return showProblem(by("read-problem"), problem);
  }
  by("read-part").classList.remove("waiting");
  corrected.clear();
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(picture);
  by("read-state").textContent = summary(found);
  by("read-part").hidden = false;
  showLines();
});

function summary({ lines, turn }) {
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
    by("lines").querySelector(`[data-place="${line}.${place}"]`)?.focus();
  by("photo").replaceChildren(...drawBoxes(found, address, corrected, choose));
  by("lines").replaceChildren(
    ...found.lines.map((line, at) => lineItem(line, at, corrected, correct, pointAt)),
  );
  by("lines-part").hidden = !found.lines.length;
  showKeep();
}

function showKeep() {
  by("read-keep").hidden = !corrected.size;
  by("read-keep").textContent =
    corrected.size === 1
      ? "Keep the corrected digit"
      : `Keep ${corrected.size} corrected digits`;
}

/** Mark on the photo the digit that is being looked at. */
function pointAt(line, place) {
  for (const box of by("photo").querySelectorAll(".digit-box")) {
    box.classList.toggle("chosen", box.dataset.box === `${line}.${place}`);
  }
}

/** @param {number} line @param {number} place @param {string} text */
function correct(line, place, text) {
  const key = `${line}.${place}`;
  if (text === found.lines[line].digits[place].text) corrected.delete(key);
  else corrected.set(key, text);
  const box = by("photo").querySelector(`[data-box="${key}"]`);
  box?.classList.toggle("corrected", corrected.has(key));
  showKeep();
  say(`corrected to ${text}`);
}

async function keep() {
  const photo = by("photo").querySelector("img");
  const digits = [...corrected].map(([key, text]) => {
    const [line, place] = key.split(".").map(Number);
    const { box } = found.lines[line].digits[place];
    return { picture: cut(photo, found, box), label: Number(text) };
  });
  try {
    const own = await post("/v1/own", { digits });
    by("read-state").textContent = `Kept: you have ${own.count} of your own.`;
    refreshOwn(own);
  } catch (problem) {
    showProblem(by("read-problem"), problem);
  }
}
