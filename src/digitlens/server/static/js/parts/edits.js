// Numbers as they were read, and as somebody corrects them: digits changed, added, taken out.

/**
 * @typedef {object} Item a digit of a number
 * @property {number | null} place which digit of the answer it was; null of one that was added
 * @property {string} text
 */

export class Edits {
  /** @param {Api.Line[]} lines */
  constructor(lines) {
    this.lines = lines;
    /** @type {Item[][]} */
    this.items = lines.map(({ digits }) => digits.map(({ text }, place) => ({ place, text })));
  }

  /** @param {number} line */
  text(line) {
    return this.items[line].map(({ text }) => text).join("");
  }

  /** @param {number} line @param {number} index @param {string} text */
  set(line, index, text) {
    this.items[line][index].text = text;
  }

  /** Add a digit that was not read. @param {number} line @param {number} index it comes before */
  insert(line, index, text = "0") {
    this.items[line].splice(index, 0, { place: null, text });
  }

  /** @param {number} line @param {number} index */
  remove(line, index) {
    this.items[line].splice(index, 1);
  }

  /** Take another reading of the whole number. @param {number} line @param {string} text */
  replace(line, text) {
    const { digits } = this.lines[line];
    // Of another length it is not known which digit is which.
    const isAligned = text.length === digits.length;
    this.items[line] = [...text].map((digit, place) => ({ place: isAligned ? place : null, text: digit }));
  }

  /** Whether a digit is not as it was read. @param {number} line @param {Item} item */
  isChanged(line, { place, text }) {
    return place === null || text !== this.lines[line].digits[place].text;
  }

  /** Digits that were read as others: what can be learned from. */
  listCorrected() {
    return this.items.flatMap((items, line) =>
      items
        .filter((item) => item.place !== null && this.isChanged(line, item))
        .map(({ place, text }) => ({ line, place: /** @type {number} */ (place), text })),
    );
  }
}

const COLUMNS = ["file", "page", "field", "text", "confidence", "sure", "left", "top", "right", "bottom"];

/** The numbers as `digitlens read --csv` writes them. @param {{text: string, confidence: number, box: number[]}[]} rows @param {number} sure from which confidence on */
export function toCsv(rows, sure) {
  const lines = rows.map(({ text, confidence, box }) => ["", 1, "", text, confidence.toFixed(6), confidence >= sure, ...box.map(Math.round)]);
  return [COLUMNS, ...lines].map((line) => `${line.join(",")}\n`).join("");
}
