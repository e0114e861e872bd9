// Read: lines of digits in a photo, boxed, with what else they may be; corrected by typing.

import { coalesce, post, send } from "../core/api.js";
import { bindFile, byId, h, query } from "../core/dom.js";
import { showProblem } from "../core/messages.js";
import { openTab } from "../core/url.js";
import { openPicture } from "../digit.js";
import { onNetworks } from "../networks.js";
import { cropDigit } from "../parts/cut.js";
import { bindDrop } from "../parts/drop.js";
import { Edits, toCsv } from "../parts/edits.js";
import { makeExample } from "../parts/example.js";
import { shrinkPicture } from "../parts/shrink.js";
import { refreshOwn } from "./own.js";
import { drawBoxes, findChosen, initLines, listShown, showLines } from "./lines.js";

const SURE = 0.9; // from which confidence on the CSV calls a number sure

/** @type {Blob | null} */
let file = null;
/** @type {Api.Lines} */
let result;
/** @type {Edits} */
let edits;
let address = "";

export function init() {
  bindFile(byId("read-file"), readPicture);
  for (const id of ["read-length", "read-line"])
    byId(id).addEventListener("change", () => file && read());
  byId("read-keep").addEventListener("click", saveDigits);
  byId("read-example").addEventListener("click", readExample);
  byId("read-copy").addEventListener("click", copyNumbers);
  byId("read-csv").addEventListener("click", saveCsv);
  byId("digit-inspect").addEventListener("click", inspectDigit);
  initLines(showKeep);
  bindDrop(byId("view-read"), "read", readPicture);
  onNetworks(({ reader }) => showReader(reader));
}

export function show() {}

/** @param {boolean} here whether this installation reads lines */
function showReader(here) {
  const detail = "No reader of lines is installed. Everything else on this page works.";
  showProblem(byId("no-reader"), here ? null : { details: { detail } });
  for (const id of /** @type {const} */ (["read-file", "read-length", "read-line", "read-example"]))
    byId(id).disabled = !here;
  byId("read-empty").hidden = !here || Boolean(file);
}

async function readExample() {
  byId("read-state").textContent = "Writing numbers…";
  try {
    readPicture(await makeExample());
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
  let picture;
  if (!file) return;
  showProblem(byId("read-problem"), null);
  byId("read-empty").hidden = true;
  byId("read-state").textContent = "Reading…";
  byId("read-part").classList.add("waiting");
  try {
    picture = await shrinkPicture(file);
    const query = { length: byId("read-length").value, line: byId("read-line").checked || null };
    result = await send("/v1/read", picture, query);
  } catch (problem) {
    byId("read-state").textContent = "";
    byId("read-part").hidden = true;
    return showProblem(byId("read-problem"), problem);
  }
  byId("read-part").classList.remove("waiting");
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(picture);
  byId("read-state").textContent = summarize(result);
  byId("read-part").hidden = false;
  showResult();
});

/** @param {Api.Lines} answer */
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

function showResult() {
  edits = new Edits(result.lines);
  byId("photo").replaceChildren(...drawBoxes(result, address));
  byId("lines-part").hidden = !result.lines.length;
  showLines(result, edits);
  showKeep();
}

function showKeep() {
  const { length } = edits.listCorrected();
  byId("read-keep").hidden = !length;
  byId("read-keep").textContent =
    length === 1 ? "Save the corrected digit" : `Save ${length} corrected digits`;
  byId("read-copied").textContent = "";
}

/** The numbers that are not hidden, as they were corrected. */
const listRows = () =>
  listShown().map((line) => ({ ...result.lines[line], text: edits.text(line) }));

async function copyNumbers() {
  const text = listRows()
    .map((row) => row.text)
    .join("\n");
  try {
    await navigator.clipboard.writeText(text);
    byId("read-copied").textContent = "Copied.";
  } catch {
    byId("read-copied").textContent = "This browser lets no page copy: take the CSV file.";
  }
}

function saveCsv() {
  const csv = toCsv(listRows(), SURE);
  const href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  h("a", { href, download: "numbers.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** A digit as a data: address. @param {{line: number, place: number}} digit */
function cutDigit({ line, place }) {
  const { box } = result.lines[line].digits[place];
  return cropDigit(query("img", byId("photo")), result, box);
}

/** Open the chosen digit in the views of one digit. */
async function inspectDigit() {
  const found = findChosen();
  if (!found) return;
  try {
    await openPicture(await (await fetch(cutDigit(found))).blob());
    openTab("draw");
    byId("h-draw").focus();
  } catch (problem) {
    showProblem(byId("read-problem"), problem);
  }
}

async function saveDigits() {
  const digits = edits
    .listCorrected()
    .map(({ line, place, text }) => ({ picture: cutDigit({ line, place }), label: Number(text) }));
  try {
    const own = await post("/v1/own", { digits });
    byId("read-state").textContent = `Saved: you have ${own.count}, in “Your digits”.`;
    refreshOwn(own);
  } catch (problem) {
    showProblem(byId("read-problem"), problem);
  }
}
