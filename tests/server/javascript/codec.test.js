import assert from "node:assert/strict";
import test from "node:test";
import * as codec from "../../../src/digitlens/server/static/js/core/codec.js";
import { simplifyStroke } from "../../../src/digitlens/server/static/js/ink/drawing.js";

test("strokes come back from an address as they were", () => {
  const strokes = [
    { width: 20, points: [0, 0, 255, 255] },
    { width: 8, points: Array.from({ length: 600 }, (_, index) => index % 256) },
  ];
  assert.deepEqual(codec.strokesFromText(codec.strokesToText(strokes)), strokes);
});

test("a damaged address holds no strokes and no pixels", () => {
  const text = codec.strokesToText([{ width: 20, points: [1, 2, 3, 4] }]);
  assert.deepEqual(codec.strokesFromText(text.slice(0, -2)), []);
  assert.deepEqual(codec.strokesFromText("%"), []);
  assert.equal(codec.pixelsFromText("AAAA"), null);
});

test("pixels come back from an address as they were, runs of paper longer than a byte too", () => {
  for (const pixels of [
    new Uint8Array(784),
    new Uint8Array(784).fill(255),
    Uint8Array.from({ length: 784 }, (_, index) => (index % 300 < 4 ? index % 256 : 0)),
  ]) {
    assert.deepEqual(codec.pixelsFromText(codec.pixelsToText(pixels)), pixels);
  }
});

test("points on a straight line are left out, corners are not", () => {
  const stroke = { width: 20, points: [0, 0, 10, 0, 20, 0, 20, 10, 20, 20] };
  assert.deepEqual(simplifyStroke(stroke).points, [0, 0, 20, 0, 20, 20]);
});
