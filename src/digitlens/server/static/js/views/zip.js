// The field for a ZIP: looked up while it is typed, so that a slip is seen before it is sent.

import { get } from "../core/api.js";
import { byId } from "../core/dom.js";
import { formatTown } from "./piece.js";

const WHOLE = /^(\d{5})(-?\d{4})?$/;

/** Where ZIPs are, asked once, by their five digits. @type {Map<string, Promise<Api.ZipPlace>>} */
const places = new Map();

const readField = () => byId("zip").value.trim();
const readFive = () => readField().match(WHOLE)?.[1];

/** Where a ZIP is; null where that cannot be found out now. @param {string} zip */
async function find(zip) {
  const place = places.get(zip) ?? get(`/v1/mail/zips/${zip}`);
  places.set(zip, place);
  try {
    return await place;
  } catch {
    places.delete(zip);
    return null;
  }
}

/** @param {(zip: string, unlisted: boolean) => void} send */
export function bindZip(send) {
  byId("zip").addEventListener("input", lookUp);
  byId("zip-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const five = readFive();
    if (!five) return showMessage("A ZIP is five digits, or nine.");
    const wanted = readField();
    const result = await find(five);
    if (wanted !== readField()) return;
    if (result?.listed === false) showOffer(five);
    else send(wanted, false);
  });
  byId("zip-anyway").addEventListener("click", () => send(readField(), true));
}

async function lookUp() {
  byId("zip-anyway").hidden = true;
  const wanted = readFive();
  showMessage("");
  const result = wanted && (await find(wanted));
  if (result && wanted === readFive()) showPlace(result);
}

/** @param {string} words */
function showMessage(words, wrong = false) {
  byId("zip-place").textContent = words;
  byId("zip-place").classList.toggle("wrong", wrong);
}

/** @param {Api.ZipPlace} result */
function showPlace(result) {
  if (result.listed) showMessage(`${formatTown(result)}, to the tray ${result.tray}`);
  else showUnlisted(result.zip);
}

/** @param {string} five */
const showUnlisted = (five) => showMessage(`There is no ZIP ${five} in the directory.`, true);

/** Let a ZIP that nobody knows be sent on purpose. @param {string} five */
function showOffer(five) {
  showUnlisted(five);
  byId("zip-anyway").hidden = false;
  byId("zip-anyway").textContent = `Send it to ${readField()} all the same`;
  byId("zip-anyway").focus();
}

/** Put a ZIP into the field that is not in the directory, to be sent on purpose. @param {string} zip */
export function offerUnlisted(zip) {
  byId("zip").value = zip;
  showOffer(zip.slice(0, 5));
}

export function clearZip() {
  byId("zip").value = "";
  byId("zip-anyway").hidden = true;
  showMessage("");
}
