// Ribbons between layers: what added most to the answer, and what took most from it.

import { byId, svg } from "../core/dom.js";

const WIDEST = 9; // pixels: the strongest of a layer
const REACH = 60; // pixels above the rows: from farther off ribbons begin at the rows themselves

/** @typedef {{middle: number, top: number, bottom: number}} Place in the picture of the ribbons */

/** @type {Map<string, Place | null>} where maps and values stand, until the page moves them */
const places = new Map();
/** @type {SVGElement[]} kept from one drawing to the next */
const paths = [];

/** Something stands elsewhere now: a layer was made anew, or the page has another size. */
export const forgetPlaces = () => places.clear();

/** @param {string} name @param {Element} canvas @param {() => DOMRect | null} measure @returns {Place | null} */
function find(name, canvas, measure) {
  const known = places.get(name);
  if (known !== undefined) return known;
  const [box, rect] = [canvas.getBoundingClientRect(), measure()];
  const place = rect && {
    middle: Math.round(rect.x + rect.width / 2 - box.x),
    top: Math.round(rect.y - box.y),
    bottom: Math.round(rect.bottom - box.y),
  };
  places.set(name, place);
  return place;
}

/**
 * @param {SVGElement} canvas lies behind the rows
 * @param {number[][][]} links for each layer [input, output, amount], as /v1/explain tells them
 * @param {import("./rows.js").Row[]} rows
 */
export function drawRibbons(canvas, links, rows) {
  /** @param {number} layer @param {number} index */
  const findIn = (layer, index) => {
    const slot = rows[layer].slot(index); // null: one of the weaker maps, which are not shown
    return slot === null ? null : find(`${layer} ${slot}`, canvas, () => rows[layer].place(slot));
  };
  // where each begins and ends -> paths: measured first, as each change would ask for a layout
  const ribbons = links.flatMap((parts, layer) => {
    const most = Math.max(...parts.map(([, , amount]) => Math.abs(amount)));
    return parts.map(([input, output, amount]) => {
      const from = layer
        ? findIn(layer - 1, input)
        : find("pixels", canvas, () => byId("net-pixels").getBoundingClientRect());
      const to = findIn(layer, output);
      if (!from || !to) return null;
      // On a narrow page other things stand between the pixels and the first layer.
      const start = layer || from.bottom > -REACH ? from.bottom : -8;
      const half = (start + to.top) / 2;
      const way = `M${from.middle},${start} C${from.middle},${half} ${to.middle},${half} ${to.middle},${to.top}`;
      const width = Math.max(1.5, (WIDEST * Math.abs(amount)) / most).toFixed(1);
      return { d: way, class: amount < 0 ? "minus" : "plus", "stroke-width": width };
    });
  });
  let used = 0;
  for (const ribbon of ribbons) {
    if (!ribbon) continue;
    const path = (paths[used] ??= svg("path"));
    for (const [name, value] of Object.entries(ribbon)) path.setAttribute(name, value);
    if (canvas.children[used] !== path) canvas.append(path);
    used += 1;
  }
  for (const path of [...canvas.children].slice(used)) path.remove();
}
