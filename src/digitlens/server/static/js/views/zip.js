// The field for a ZIP: looked up while it is typed, so that a slip is seen before it is sent.

import { get } from "../core/api.js";
import { by } from "../core/dom.js";
import { town } from "./piece.js";

const WHOLE = /^(\d{5})(-?\d{4})?$/;

/** Where ZIPs are, asked once, by their five digits. @type {Map<string, Promise<any>>} */
const asked = new Map();

const typed = () => by("zip").value.trim();
const five = () => typed().match(WHOLE)?.[1];

/** Where a ZIP is; null where that cannot be found out now. @param {string} zip */
async function find(zip) {
  if (!asked.has(zip)) asked.set(zip, get(`/v1/mail/zips/${zip}`));
  try {
    return await asked.get(zip);
  } catch {
    asked.delete(zip);
    return null;
  }
}

/** @param {(zip: string, unlisted: boolean) => void} send */
export function bindZip(send) {
  by("zip").addEventListener("input", look);
  by("zip-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!five()) return tell("A ZIP is five digits, or nine.");
    const wanted = typed();
    const found = await find(five());
    if (wanted !== typed()) return;
    if (found?.listed === false) offer();
    else send(wanted, false);
  });
  by("zip-anyway").addEventListener("click", () => send(typed(), true));
}

async function look() {
  by("zip-anyway").hidden = true;
  const wanted = five();
  tell("");
  const found = wanted && (await find(wanted));
  if (found && wanted === five()) tellPlace(found);
}

function tell(words, wrong = false) {
  by("zip-place").textContent = words;
  by("zip-place").classList.toggle("wrong", wrong);
}

function tellPlace(found) {
  if (found.listed) tell(`${town(found)}, to the tray ${found.tray}`);
  else tell(`There is no ZIP ${found.zip} in the directory.`, true);
}

/** Let a ZIP that nobody knows be sent on purpose. */
function offer() {
  tellPlace({ zip: five(), listed: false });
  by("zip-anyway").hidden = false;
  by("zip-anyway").textContent = `Send it to ${typed()} all the same`;
  by("zip-anyway").focus();
}

/** Put a ZIP into the field that is not in the directory, to be sent on purpose. @param {string} zip */
export function offerUnlisted(zip) {
  by("zip").value = zip;
  offer();
}

export function clearZip() {
  by("zip").value = "";
  by("zip-anyway").hidden = true;
  tell("");
}
