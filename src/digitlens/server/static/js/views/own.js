// Your own digits: drawn or corrected, kept in the lab's folder, and what learns from them.

import { get, remove } from "../core/api.js";
import { bindRoving, byId, h, query } from "../core/dom.js";
import { announce, describeProblem } from "../core/messages.js";
import { openTab } from "../core/url.js";
import { setOwnCount } from "../networks.js";
import { continueFrom } from "./train-form.js";

/** Show what is kept. @param {Api.OwnList} [response] asked for when absent */
export async function refreshOwn(response) {
  const box = byId("own");
  let result = response;
  try {
    result ??= await get("/v1/own");
  } catch (problem) {
    return box.replaceChildren(h("p", { class: "quiet" }, describeProblem(problem)));
  }
  setOwnCount(result.count);
  if (!result.count) {
    return box.replaceChildren(
      h(
        "p",
        { class: "quiet" },
        "None yet: save a drawn digit in Draw, or correct one in Read. Nothing that you send is kept otherwise.",
      ),
    );
  }
  const groups = result.digits.filter(({ count }) => count);
  box.replaceChildren(
    h(
      "p",
      {},
      `${result.count} in ${result.folder}. Learn from them here (figures before and after are told), or by `,
      h("code", {}, result.train),
    ),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            continueFrom("universal");
            openTab("train");
          },
        },
        "Train universal further with them",
      ),
    ),
    h("ul", { class: "own-list" }, ...groups.map(group)),
  );
  bindRoving(query(".own-list", box));
}

/** @param {Api.OwnLabel} digits */
function group({ label, names }) {
  return h(
    "li",
    {},
    h("b", {}, String(label)),
    ...names.map((name) => {
      const path = /** @type {const} */ (`/v1/own/${label}/${name}`);
      const callback = async () => {
        refreshOwn(await remove(path).catch(() => undefined));
        announce(`A ${label} was removed.`);
      };
      return h(
        "span",
        { class: "own-digit" },
        h("img", {
          src: path,
          alt: `a ${label} of yours`,
          width: 28,
          height: 28,
          loading: "lazy",
          class: "negative",
        }),
        h(
          "button",
          {
            type: "button",
            "aria-label": `Remove this ${label}`,
            title: "Remove",
            onclick: callback,
          },
          "×",
        ),
      );
    }),
  );
}
