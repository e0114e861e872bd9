import assert from "node:assert/strict";
import test from "node:test";
import { listTicks, span } from "../../../src/digitlens/server/static/js/parts/chart.js";

test("the first and the last epoch are named, and at most eight in all", () => {
  assert.deepEqual(listTicks(2), [1, 2]);
  assert.deepEqual(listTicks(7), [1, 2, 3, 4, 5, 6, 7]);
  for (let epochs = 2; epochs <= 1000; epochs += 1) {
    const ticks = listTicks(epochs);
    assert.deepEqual([ticks[0], ticks.at(-1)], [1, epochs]);
    assert.ok(ticks.length <= 8 && ticks.every((tick, index) => !index || tick > ticks[index - 1]), `${epochs}: ${ticks}`);
  }
});

test("lines stand at round numbers about all values, and none above what is possible", () => {
  assert.deepEqual(span([], 1), [0, 1, 0.5]);
  for (const values of [[0.02, 2.3], [0.97, 0.99], [0.5], [0], [1, 1], [1e-5, 3e-5], [120, 4000]]) {
    const top = Math.max(...values) > 1 ? Infinity : 1;
    const [low, height, step] = span(values, top);
    assert.ok(low >= 0 && low <= Math.min(...values) && height >= Math.max(...values) && height <= top, `${values}`);
    assert.ok([1, 2, 5, 10].some((size) => Math.abs(Math.log10(step / size) % 1) < 1e-9), `a step of ${step}`);
    assert.ok((height - low) / step <= 6, `${values}: lines in steps of ${step}`);
  }
});
