// Your own digits: drawn or corrected, kept in the lab's folder, and what learns from them.

import { get, remove } from "../core/api.js";
import { by, el } from "../core/dom.js";
import { say } from "../core/say.js";
import { open } from "../core/url.js";
import { tellOwn } from "../networks.js";
import { goOnFrom } from "./train.js";

/** Show what is kept. @param {any} [told] as /v1/own tells; asked for when absent */
export async function refreshOwn(told) {
  const box = by("own");
  let found = told;
  try {
    found ??= await get("/v1/own");
  } catch (problem) {
    return box.replaceChildren(el("p", { class: "quiet" }, String(problem.message)));
  }
  tellOwn(found.count);
  if (!found.count) {
    return box.replaceChildren(
      el(
        "p",
        { class: "quiet" },
        "None yet: keep a drawn digit in Draw, or correct one here. Nothing that you send is kept otherwise.",
      ),
    );
  }
  const groups = found.digits.filter(({ count }) => count);
  box.replaceChildren(
    el(
      "p",
      {},
      `${found.count} in ${found.folder}. Learn from them here, or by `,
      el("code", {}, found.train),
    ),
    el(
      "div",
      { class: "buttons" },
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            goOnFrom("cnn");
            open("train");
          },
        },
        "Train cnn further with them",
      ),
    ),
    el("ul", { class: "own-list" }, ...groups.map(group)),
  );
}

function group({ label, names }) {
  return el(
    "li",
    {},
    el("b", {}, String(label)),
    ...names.map((name) => {
      const path = `/v1/own/${label}/${name}`;
      const act = async () => {
        refreshOwn(await remove(path).catch(() => undefined));
        say(`A ${label} was removed.`);
      };
      return el(
        "span",
        { class: "own-digit" },
        el("img", {
          src: path,
          alt: `a ${label} of yours`,
          width: 28,
          height: 28,
          loading: "lazy",
          class: "negative",
        }),
        el(
          "button",
          {
            type: "button",
            "aria-label": `Remove this ${label}`,
            title: "Remove",
            onclick: act,
          },
          "×",
        ),
      );
    }),
  );
}
