// Ribbons between layers: what added most to the answer, and what took most from it.

import { byId, svg } from "../core/dom.js";

const WIDEST = 9; // pixels: the strongest of a layer
const REACH = 40; // pixels above the rows at which ribbons from the picture begin at most

/**
 * @param {SVGElement} canvas lies behind the rows
 * @param {number[][][]} links for each layer [input, output, amount], as /v1/explain tells them
 * @param {import("./rows.js").Row[]} rows
 */
export function drawRibbons(canvas, links, rows) {
  const box = /** @type {HTMLElement} */ (canvas.parentElement).getBoundingClientRect();
  const pixels = byId("net-pixels").getBoundingClientRect();
  const paths = links.flatMap((parts, layer) => {
    const most = Math.max(...parts.map(([, , amount]) => Math.abs(amount)));
    return parts.map(([input, output, amount]) => {
      const from = layer ? rows[layer - 1].place(input) : pixels;
      const to = rows[layer].place(output);
      if (!from || !to) return null; // one of the weaker maps, which are not shown
      // On a narrow page other things stand between the pixels and the first layer.
      const start = [from.x + from.width / 2 - box.x, Math.max(from.bottom - box.y, -REACH)];
      const end = [to.x + to.width / 2 - box.x, to.y - box.y];
      const middle = (start[1] + end[1]) / 2;
      return svg("path", {
        d: `M${start} C${start[0]},${middle} ${end[0]},${middle} ${end}`,
        class: amount < 0 ? "minus" : "plus",
        "stroke-width": Math.max(1.5, (WIDEST * Math.abs(amount)) / most).toFixed(1),
      });
    });
  });
  canvas.replaceChildren(...paths.filter(Boolean));
}
