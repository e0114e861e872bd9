// Drawings to begin with: ten plain digits, three hard ones and a letter, drawn for digitlens.

/** @typedef {import("../core/store.js").Drawing} Drawing */

const WIDTH = 20; // of the pen, of 256

/** Points of each stroke: x, y, x, y ... in 0..255. */
const STROKES = {
  0: [[140, 52, 108, 59, 98, 66, 94, 72, 86, 86, 81, 103, 78, 120, 78, 137, 80, 155, 88, 178, 92, 184, 101, 195, 113, 202, 124, 206, 136, 205, 148, 201, 159, 193, 164, 188, 168, 182, 175, 166, 180, 147, 182, 130, 179, 105, 175, 89, 168, 76, 159, 67, 132, 54]],
  1: [[104, 86, 138, 54, 126, 206]],
  2: [[82, 92, 93, 67, 100, 60, 110, 55, 129, 51, 140, 52, 155, 60, 166, 73, 169, 83, 166, 100, 161, 112, 154, 124, 80, 200], [80, 200, 182, 196]],
  3: [[84, 72, 106, 56, 116, 52, 122, 51, 134, 52, 147, 55, 156, 60, 162, 67, 165, 76, 165, 86, 162, 94, 155, 103, 146, 112, 134, 120, 112, 124], [112, 124, 142, 128, 152, 132, 156, 135, 166, 150, 170, 161, 169, 171, 164, 182, 157, 192, 148, 200, 138, 204, 126, 206, 113, 207, 103, 205, 94, 201, 76, 190]],
  4: [[122, 50, 78, 142, 186, 138], [158, 92, 148, 210]],
  5: [[172, 56, 104, 60, 94, 118], [94, 118, 113, 109, 123, 106, 133, 107, 149, 113, 159, 120, 162, 124, 167, 134, 169, 152, 168, 164, 160, 181, 152, 192, 142, 200, 131, 204, 111, 205, 95, 203, 88, 198, 74, 186]],
  6: [[158, 52, 123, 80, 108, 100, 96, 123, 90, 138, 87, 152, 85, 166, 86, 179, 91, 189, 98, 198, 113, 207, 123, 208, 135, 207, 152, 199, 159, 192, 166, 176, 167, 165, 166, 160, 164, 156, 157, 148, 143, 139, 138, 138, 128, 139, 117, 142, 108, 147, 99, 156, 90, 172]],
  7: [[74, 66, 180, 60, 118, 208]],
  8: [[164, 76, 140, 56, 130, 52, 125, 52, 113, 56, 103, 62, 96, 70, 95, 74, 95, 85, 98, 96, 104, 106, 113, 114, 131, 124, 142, 132, 161, 153, 167, 165, 168, 170, 168, 175, 163, 187, 155, 197, 146, 204, 141, 206, 129, 207, 111, 204, 102, 199, 92, 187, 88, 177, 88, 172, 91, 162, 97, 153, 110, 138, 150, 108, 156, 99, 166, 76]],
  9: [[168, 82, 149, 63, 139, 56, 134, 54, 122, 55, 103, 64, 94, 72, 91, 77, 85, 94, 86, 110, 91, 119, 104, 130, 114, 134, 119, 134, 130, 133, 146, 125, 154, 118, 159, 108, 168, 86], [168, 86, 160, 140, 146, 208]],
  "1 or 7": [[96, 80, 140, 58, 128, 208]],
  "2 or 7": [[84, 70, 176, 64, 110, 200], [110, 200, 150, 198]],
  "letter A": [[80, 208, 128, 52, 178, 208], [98, 154, 160, 154]],
  "letter B": [[90, 52, 90, 206], [90, 54, 128, 56, 144, 59, 150, 62, 154, 67, 157, 73, 160, 88, 157, 103, 154, 108, 148, 112, 131, 118, 90, 126], [90, 126, 139, 130, 159, 134, 166, 138, 170, 144, 173, 152, 174, 161, 172, 180, 169, 188, 164, 194, 157, 198, 137, 202, 90, 206]],
};

/** What to look for in those that are no plain digits. @type {Record<string, string>} */
export const HARD = {
  "1 or 7": "A 1 with a long serif: universal says 1, most of the others say 7.",
  "2 or 7": "A 2 without its foot: the answer is torn between 2 and 7.",
  "letter B": "A letter that is read as an 8, and surely: a network answers what it was taught to answer.",
  "letter A": "A letter: networks that can tell say that it is no digit, the others must choose one.",
};

/** @type {Record<string, Drawing>} */
export const EXAMPLES = Object.fromEntries(
  Object.entries(STROKES).map(([name, strokes]) => [
    name,
    { base: null, strokes: strokes.map((points) => ({ width: WIDTH, points })) },
  ]),
);

/** What the page opens with: it is never empty. */
export const OPENING = EXAMPLES["4"];

/** A drawing with one more stroke; what the page opened with gives way to the first one. @param {Drawing} drawing @param {import("../core/codec.js").Stroke} stroke @returns {Drawing} */
export const addStroke = (drawing, stroke) =>
  drawing === OPENING
    ? { base: null, strokes: [stroke] }
    : { ...drawing, strokes: [...drawing.strokes, stroke] };
