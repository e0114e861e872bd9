import assert from "node:assert/strict";
import test from "node:test";
import { formatFour } from "../../../src/digitlens/server/static/js/local/layers.js";
import { convolve, softmax } from "../../../src/digitlens/server/static/js/local/network.js";
import { decodePicture, toAddress } from "../../../src/digitlens/server/static/js/local/pictures.js";
import * as scale from "../../../src/digitlens/server/static/js/local/scale.js";
import { unpack, widen } from "../../../src/digitlens/server/static/js/local/tensors.js";

test("half precision is widened without loss", () => {
  const halves = [0x0000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x8400];
  const wide = [0, 1, -2, 65504, 2 ** -24, -(2 ** -14)];
  assert.deepEqual(Array.from(widen(Uint16Array.from(halves))), wide);
});

test("numbers are written as Python's %.4g writes them", () => {
  const words = [0, 1.23456, -0.0001234, 12345.6, 0.00001234, 9999.4, 100].map(formatFour);
  assert.deepEqual(words, ["0", "1.235", "-0.0001234", "1.235e+04", "1.234e-05", "9999", "100"]);
});

test("shares of large numbers sum to one", () => {
  const shares = softmax([1000, 1000, -1000]);
  assert.deepEqual(shares, [0.5, 0.5, 0]);
});

test("a kernel is laid over its own group of channels, paper around them", () => {
  const values = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
  const step = {
    weight: { shape: [2, 1, 2, 2], values: Float32Array.of(1, 1, 1, 1, 1, 0, 0, 0) },
    bias: { shape: [2], values: Float32Array.of(0, 0.5) },
    stride: [2, 2],
    padding: [1, 1],
    groups: 2,
  };
  const result = convolve(step, { shape: [2, 2, 2], values });
  assert.deepEqual(result.shape, [2, 2, 2]);
  assert.deepEqual(Array.from(result.values), [1, 2, 3, 4, 0.5, 0.5, 0.5, 40.5]);
});

test("half-way numbers are rounded to the even one", () => {
  assert.deepEqual([0.5, 1.5, 2.5, 2.51, -0.5].map(scale.roundEven), [0, 2, 2, 3, 0]);
});

test("a single pixel becomes a disk, and a disk a single pixel", () => {
  const dot = scale.makeGray(7, 7);
  dot.values[24] = 9;
  const disk = scale.dilate(dot, 2);
  assert.equal(disk.values.filter((value) => value === 9).length, 13);
  assert.deepEqual(scale.erode(disk, 2).values, dot.values);
});

test("a picture is an address of a BMP file whose rows go upwards", () => {
  const address = toAddress({ height: 2, width: 1, bytes: Uint8Array.of(7, 9) });
  const file = Buffer.from(address.split(",")[1], "base64");
  assert.equal(file.toString("latin1", 0, 2), "BM");
  assert.deepEqual([file[1078], file[1082]], [9, 7]);
});

test("a photo is refused with what to do; a drawing is taken", () => {
  assert.throws(() => decodePicture(btoa("\x89PNG")), /photos need digitlens/);
  const picture = decodePicture(btoa("P5 2 1 255\n\x00\xff"));
  assert.deepEqual(Array.from(picture.bytes), [0, 255]);
});

test("a file that the host has unpacked already is left as it is", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.deepEqual(await unpack(bytes.buffer), bytes);
});
