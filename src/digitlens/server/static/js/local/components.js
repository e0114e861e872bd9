// Connected ink: how many digits stand side by side in a drawing.

import { roundEven } from "./scale.js";

/** @typedef {import("./scale.js").Gray} Gray */
/** @typedef {{left: number, top: number, width: number, height: number, area: number, places: number[]}} Component */

const INK_THRESHOLD = 80;
const FRAME_DEPTH = 0.12;
const MIN_AREA_IN_FRAME = 0.05;
const EDGE_WEIGHT = 0.4;

/** Ink that hangs together, corners too. @param {Gray} gray @returns {Component[]} */
export function findComponents({ height, width, values }) {
  const seen = new Uint8Array(values.length);
  const components = [];
  for (let start = 0; start < values.length; start += 1) {
    if (seen[start] || !(values[start] > INK_THRESHOLD)) continue;
    const places = [start];
    seen[start] = 1;
    let [x0, y0, x1, y1] = [width, height, 0, 0];
    for (let index = 0; index < places.length; index += 1) {
      const row = Math.floor(places[index] / width);
      const column = places[index] - row * width;
      if (column < x0) x0 = column;
      if (column > x1) x1 = column;
      if (row < y0) y0 = row;
      if (row > y1) y1 = row;
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y += 1) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x += 1) {
          const place = y * width + x;
          if (seen[place] || !(values[place] > INK_THRESHOLD)) continue;
          seen[place] = 1;
          places.push(place);
        }
      }
    }
    const size = { width: x1 - x0 + 1, height: y1 - y0 + 1, area: places.length };
    components.push({ left: x0, top: y0, ...size, places });
  }
  return components;
}

/** How many digits a drawing looks like; when in doubt, one. @param {Gray} gray */
export function countDigits(gray) {
  const components = findComponents(gray);
  if (!components.length) return 1;
  const main = findMain(components, gray);
  const others = components.filter((item) => item !== main && !touchesEdge(item, gray));
  return 1 + others.filter((item) => standsBeside(item, main)).length;
}

/** @param {Component} component @param {Gray} gray */
const touchesEdge = ({ left, top, width, height }, gray) =>
  left === 0 || top === 0 || left + width === gray.width || top + height === gray.height;

/** The largest one that is no frame. @param {Component[]} components @param {Gray} gray */
function findMain(components, gray) {
  const rank = (/** @type {Component} */ item) =>
    item.area * (touchesEdge(item, gray) ? EDGE_WEIGHT : 1);
  const order = components.slice().sort((a, b) => rank(b) - rank(a));
  for (const item of order) {
    if (item.area < MIN_AREA_IN_FRAME * order[0].area) break;
    if (!isFrame(item, gray)) return item;
  }
  return order[0];
}

/** All its ink lies at its box's sides; or it is one side of a frame. @param {Component} component @param {Gray} gray */
function isFrame({ left, top, width, height, area, places }, gray) {
  const spans = [width / gray.width, height / gray.height].sort((a, b) => a - b);
  if (spans[1] > 0.9 && spans[0] < 0.05) return true;
  if (spans[0] < 0.5) return false;
  const depth = Math.max(1, roundEven(FRAME_DEPTH * Math.max(width, height)));
  const inside = places.filter((place) => {
    const [row, column] = [Math.floor(place / gray.width) - top, (place % gray.width) - left];
    return row >= depth && row < height - depth && column >= depth && column < width - depth;
  });
  return inside.length < 0.1 * area;
}

/** A neighbour is as high, at the same height, wholly to one side. @param {Component} one @param {Component} main */
function standsBeside(one, main) {
  const overlap = Math.min(main.top + main.height, one.top + one.height) - Math.max(main.top, one.top);
  const [first, second] = [one, main].sort((a, b) => a.left - b.left);
  const gap = Math.max(second.left - first.left - first.width, 0);
  const isAlike =
    0.7 * main.height <= one.height &&
    one.height <= main.height / 0.7 &&
    one.area >= 0.3 * main.area;
  const isWide = main.width + one.width + gap >= 1.3 * main.height;
  return isAlike && overlap >= 0.6 * main.height && gap > 0 && isWide;
}
