// Read: lines of digits in a photo, boxed, with what else they may be; corrected by typing.

import { post, send } from "../core/api.js";
import { by } from "../core/dom.js";
import { say, show as showProblem } from "../core/say.js";
import { dropped } from "../parts/drop.js";
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
  dropped(by("view-read"), "read", take);
}

export function show() {
  if (asked) return;
  asked = true;
  probe();
  refreshOwn();
}

/** Say before a picture is chosen when no reader is there: a small bare one is asked about. */
async function probe() {
  const bare = Array.from({ length: 32 }, () => new Array(64).fill(255));
  try {
    await post("/v1/read", { pictures: [bare] }, { line: true });
  } catch (problem) {
    if (problem.told?.status === 503) noReader(problem);
  }
}

function noReader({ told }) {
  const detail = "No reader of lines is installed. Everything else on this page works.";
  showProblem(by("no-reader"), { told: { detail, seen: told.seen } });
  for (const id of ["read-file", "read-length", "read-line"]) by(id).disabled = true;
}

async function take(picture) {
  if (by("read-file").disabled) return;
  file = picture;
  await read();
}

async function read() {
  const picture = file;
  showProblem(by("read-problem"), null);
  by("read-state").textContent = "Reading…";
  try {
    const query = { length: by("read-length").value, line: by("read-line").checked || null };
    found = await send("/v1/read", picture, query);
  } catch (problem) {
    by("read-state").textContent = "";
    by("read-part").hidden = true;
    return showProblem(by("read-problem"), problem);
  }
  corrected.clear();
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(picture);
  const { lines } = found;
  const words =
    lines.length === 1 ? "One line was found." : `${lines.length || "No"} lines were found.`;
  by("read-state").textContent = words;
  by("read-part").hidden = false;
  showLines();
}

function showLines() {
  const choose = (line, place) =>
    by("lines").querySelector(`[data-place="${line}.${place}"]`)?.focus();
  by("photo").replaceChildren(...drawBoxes(found, address, corrected, choose));
  by("lines").replaceChildren(
    ...found.lines.map((line, at) => lineItem(line, at, corrected, correct, pointAt)),
  );
  by("read-keep").hidden = !corrected.size;
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
  by("read-keep").hidden = !corrected.size;
  by("read-keep").textContent =
    corrected.size === 1
      ? "Keep the corrected digit"
      : `Keep ${corrected.size} corrected digits`;
  say(`corrected to ${text}`);
}

async function keep() {
  const picture = await asBase64(file);
  const digits = [...corrected].map(([key, text]) => {
    const [line, place] = key.split(".").map(Number);
    return { picture, label: Number(text), box: found.lines[line].digits[place].box };
  });
  try {
    const own = await post("/v1/own", { digits });
    by("read-state").textContent = `Kept: you have ${own.count} digits of your own.`;
    refreshOwn(own);
  } catch (problem) {
    showProblem(by("read-problem"), problem);
  }
}

/** @param {Blob} blob @returns {Promise<string>} a data: address */
function asBase64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}
