// A page of numbers to try reading on: digits by many hands, laid out anew each time.

import { get } from "../core/api.js";

const SIDE = 28;
const LARGER = 2; // times: as digits are on a scan
const STEP = 48; // pixels from one digit to the next
const [WIDE, HIGH] = [720, 460];
/** Where numbers begin, and how many digits they have. */
const PLACES = [
  [56, 50, 5],
  [430, 64, 4],
  [84, 176, 7],
  [500, 190, 3],
  [60, 312, 2],
  [300, 320, 6],
];

const any = (list) => list[Math.floor(Math.random() * list.length)];

/** @param {string} address */
async function decoded(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** Digits that are plain to read, a list for each of the ten. @param {string} data whose */
async function hands(data) {
  const wanted = Array.from({ length: 10 }, (_, digit) =>
    get("/v1/mistakes/cell", { network: "universal", data, truth: digit, answer: digit, count: 12 }),
  );
  const response = await Promise.all(wanted);
  return Promise.all(
    response.map(({ pictures }) => Promise.all(pictures.map(({ picture }) => decoded(picture)))),
  );
}

/** Return such a page as a PNG file. @param {string} data the digits' source @returns {Promise<Blob>} */
export async function makeExample(data) {
  const digits = await hands(data);
  const sheet = new OffscreenCanvas(WIDE, HIGH);
  const brush = sheet.getContext("2d");
  // Ink is light on dark in these pictures: they are added up, and the page turned over.
  brush.fillStyle = "#000";
  brush.fillRect(0, 0, WIDE, HIGH);
  brush.globalCompositeOperation = "lighten";
  brush.imageSmoothingQuality = "high";
  for (const [left, top, count] of PLACES) {
    for (let index = 0; index < count; index += 1) {
      const higher = Math.round(6 * Math.random());
      const size = SIDE * LARGER;
      brush.drawImage(any(any(digits)), left + index * STEP, top - higher, size, size);
    }
  }
  brush.globalCompositeOperation = "difference";
  brush.fillStyle = "#f4f2ec";
  brush.fillRect(0, 0, WIDE, HIGH);
  return sheet.convertToBlob({ type: "image/png" });
}
