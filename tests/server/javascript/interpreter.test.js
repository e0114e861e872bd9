import assert from "node:assert/strict";
import test from "node:test";
import { frameDrawing, strokeWidth } from "../../../src/digitlens/server/static/js/local/framing.js";
import { logits, predict, runSteps } from "../../../src/digitlens/server/static/js/local/network.js";

const tensor = (shape, values) => ({ shape, values: Float32Array.from(values) });
/** A network of 784 inputs whose outputs are these, whatever is drawn. */
const answering = (...outputs) => ({
  name: "fixed",
  steps: [
    { op: "flatten" },
    { op: "dense", weight: tensor([outputs.length, 784], new Array(784 * outputs.length).fill(0)), bias: tensor([outputs.length], outputs) },
  ],
  threshold: 0.5,
  unsureAbove: 0.2,
  unsureBelow: 0.6,
});
const BLANK = new Uint8Array(784);

test("pooling keeps the largest of each window and drops what is left over, ReLU what is below zero", () => {
  const weight = tensor([1, 1, 26, 26], new Array(676).fill(0).fill(1, 0, 1));
  const network = {
    steps: [
      { op: "conv", weight, bias: tensor([1], [-5]), stride: [1, 1], padding: [0, 0], groups: 1 },
      { op: "relu" },
      { op: "pool", window: 2 },
    ],
  };
  const pixels = BLANK.slice();
  pixels.set([1, 9, 200], 0);
  pixels.set([3, 7], 28);
  const [sums, above, pooled] = runSteps(network, pixels);
  assert.deepEqual([sums.shape, Array.from(sums.values)], [[1, 3, 3], [-4, 4, 195, -2, 2, -5, -5, -5, -5]]);
  assert.deepEqual(Array.from(above.values), [0, 4, 195, 0, 2, 0, 0, 0, 0]);
  assert.deepEqual([pooled.shape, Array.from(pooled.values)], [[1, 1, 1], [4]]);
});

test("a dense layer sums its weighted inputs and its bias", () => {
  const weight = new Array(2 * 784).fill(0);
  [weight[3], weight[784 + 3], weight[784 + 5]] = [2, -1, 0.5];
  const network = { steps: [{ op: "flatten" }, { op: "dense", weight: tensor([2, 784], weight), bias: tensor([2], [1, 0]) }] };
  const pixels = BLANK.slice();
  [pixels[3], pixels[5]] = [10, 100];
  assert.deepEqual(logits(network, pixels), [21, 40]);
});

test("ten shares sum to one, and an eleventh output says whether there is a digit at all", () => {
  const plain = predict(answering(0, 0, 9, 0, 0, 0, 0, 0, 0, 0), BLANK);
  assert.deepEqual([plain.digit, plain.no_digit, plain.unsure], [2, null, false]);
  assert.ok(Math.abs(plain.probabilities.reduce((sum, share) => sum + share) - 1) < 1e-12);
  const refused = predict(answering(0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 10), BLANK);
  assert.deepEqual([refused.digit, refused.likeliest, refused.unsure], [null, 2, false]);
  const doubtful = predict(answering(0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 8), BLANK);
  assert.deepEqual([doubtful.digit, doubtful.unsure], [2, true]);
  const torn = predict(answering(0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0), BLANK);
  assert.deepEqual([torn.likeliest, torn.unsure], [2, true]);
});

/** White paper with bars of ink: left, top, right, bottom. */
function draw(side, ...bars) {
  const bytes = new Uint8Array(side * side).fill(255);
  for (const [left, top, right, bottom] of bars) {
    for (let row = top; row < bottom; row += 1) bytes.fill(0, row * side + left, row * side + right);
  }
  return { height: side, width: side, bytes };
}

test("bare paper has no digit", () => assert.equal(frameDrawing(draw(140)), null));

test("wherever and however large it is drawn, a digit is 20 pixels high and its mass in the middle", () => {
  for (const bar of [[10, 10, 22, 100], [100, 30, 112, 120], [60, 50, 66, 95]]) {
    const { digit, box, count } = frameDrawing(draw(140, bar));
    assert.deepEqual([box, count], [bar, 1]);
    const mean = (/** @type {(place: number) => number} */ where) =>
      digit.reduce((sum, value, place) => sum + value * where(place), 0) / digit.reduce((sum, value) => sum + value, 0);
    const rows = new Set([...digit.keys()].filter((place) => digit[place]).map((place) => Math.floor(place / 28)));
    assert.equal(rows.size, 20);
    for (const middle of [mean((place) => place % 28), mean((place) => Math.floor(place / 28))]) {
      assert.ok(Math.abs(middle - 14) <= 0.5, `mass at ${middle}`);
    }
  }
});

test("thin strokes become a pen's, thick ones too", () => {
  const width = ({ digit }) => strokeWidth({ height: 28, width: 28, values: Float32Array.from(digit) });
  const [thin, thick] = [draw(140, [70, 20, 72, 120]), draw(140, [50, 20, 90, 120])].map(frameDrawing).map(width);
  assert.ok(thin > 1.5 && thin < 3.5, `${thin}, 0.4 as drawn`);
  assert.ok(thick > 3 && thick < 5.5, `${thick}, 5.7 as drawn`);
});

test("two strokes as high side by side are two digits, a dot beside one is none", () => {
  assert.equal(frameDrawing(draw(140, [10, 20, 30, 100], [110, 20, 130, 100])).count, 2);
  assert.equal(frameDrawing(draw(140, [10, 20, 30, 100], [110, 85, 130, 100])).count, 1);
});
