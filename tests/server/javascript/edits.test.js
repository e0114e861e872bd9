import assert from "node:assert/strict";
import test from "node:test";
import { Edits, toCsv } from "../../../src/digitlens/server/static/js/parts/edits.js";
import { kernelFromText, kernelToText } from "../../../src/digitlens/server/static/js/parts/kernels.js";

const LINES = [{ digits: [..."021"].map((text) => ({ text })) }];

test("digits are changed, added and taken out; what was read as another is told", () => {
  const edits = new Edits(LINES);
  edits.set(0, 1, "7");
  edits.insert(0, 3, "9");
  assert.equal(edits.text(0), "0719");
  assert.deepEqual(edits.listCorrected(), [{ line: 0, place: 1, text: "7" }]);
  edits.remove(0, 0);
  assert.equal(edits.text(0), "719");
  assert.deepEqual(edits.listCorrected(), [{ line: 0, place: 1, text: "7" }]);
});

test("of another reading of the same length it is known which digit is which, else not", () => {
  const edits = new Edits(LINES);
  edits.replace(0, "024");
  assert.deepEqual(edits.listCorrected(), [{ line: 0, place: 2, text: "4" }]);
  edits.replace(0, "0244");
  assert.deepEqual(edits.listCorrected(), []);
});

test("numbers are written as digitlens read writes them", () => {
  const csv = toCsv([{ text: "012", confidence: 0.95, box: [1.4, 2, 3.6, 4] }], 0.9);
  assert.equal(csv.split("\n")[1], ",1,,012,0.950000,true,1,2,4,4");
});

test("an edited kernel comes back from an address, a damaged one is none", () => {
  const edit = { channel: 1, alone: true, stride: 2, padding: 0, bias: -0.5, divisor: 16, kernel: [[1, 2], [-3, 0.25]] };
  assert.deepEqual(kernelFromText(kernelToText(edit)), edit);
  for (const text of ["", "0.0.1.0_0_1_1,2", "0.0.0.0_0_1_1", "0.0.1.0_0_0_1", "0.0.1.0_0_1_x"]) {
    assert.equal(kernelFromText(text), null, text);
  }
});
