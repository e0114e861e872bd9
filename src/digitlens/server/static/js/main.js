// Starts the page: the address, the networks, the views.
//
// To read it all: core/store.js (what is shown), core/url.js (as an address), ink/ (drawing),
// digit.js (a drawing -> pixels and an answer), parts/grid.js (numbers one can walk over), and
// then the views, one file each with what belongs to it beside it.

import { get, onReach } from "./core/api.js";
import { all, by, fill } from "./core/dom.js";
import { sureness } from "./core/numbers.js";
import { capital, show } from "./core/say.js";
import { set, state, STRONGEST, watch } from "./core/store.js";
import { bindTheme, onColours } from "./core/theme.js";
import { bind, open, TABS, toHash } from "./core/url.js";
import { bindDigit, digit, onDigit } from "./digit.js";
import { onNetworks, tellNetworks } from "./networks.js";
import { inkRamp } from "./parts/ramps.js";
import { paint } from "./parts/paint.js";
import * as answer from "./views/answer.js";
import * as convolution from "./views/convolution.js";
import * as draw from "./views/draw.js";
import * as features from "./views/features.js";
import * as mistakes from "./views/mistakes.js";
import * as pixels from "./views/pixels.js";
import * as read from "./views/read.js";
import * as review from "./views/review.js";
import * as train from "./views/train.js";

/** A view has init(), called once, and show(), called when it is opened or its digit changes. */
const VIEWS = { draw, pixels, features, answer, convolution, train, mistakes, read, review };

/** Views that have nothing to show without a digit. */
const WANT_DIGIT = ["pixels", "features", "answer", "convolution"];

function showDigit() {
  paint(by("now-picture"), digit.pixels ?? new Uint8Array(784), 28, inkRamp());
  const { answer: found, problem } = digit;
  by("now-digit").textContent = found ? (found.digit ?? "none") : "–";
  by("now-sure").textContent = found
    ? found.digit === null
      ? "no digit"
      : sureness(found.confidence)
    : problem
      ? "no answer"
      : "nothing drawn";
}

function showView() {
  for (const tab of TABS) by(`view-${tab}`).hidden = tab !== state.tab;
  if (WANT_DIGIT.includes(state.tab)) {
    const view = by(`view-${state.tab}`);
    const empty = view.querySelector(".empty");
    empty.dataset.words ??= empty.textContent;
    empty.textContent = digit.problem
      ? `${capital(digit.problem.message)}.`
      : empty.dataset.words;
    empty.hidden = Boolean(digit.pixels);
    view.querySelector(".filled").hidden = !digit.pixels;
    if (!digit.pixels) return;
  }
  VIEWS[state.tab].show();
}

function showTab() {
  for (const link of all("nav a")) {
    const here = link.dataset.tab === state.tab;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) link.scrollIntoView({ block: "nearest", inline: "center" });
  }
  document.title = `${by(`h-${state.tab}`).textContent} · digitlens`;
  showView();
}

function bindLinks() {
  for (const link of all("nav a")) {
    const refresh = () => (link.href = toHash({ ...state, tab: link.dataset.tab }));
    link.addEventListener("pointerdown", refresh); // so that it can be opened elsewhere
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(link.dataset.tab);
      scrollTo(0, 0);
      by(`h-${state.tab}`).focus({ preventScroll: true });
    });
  }
  by("skip").addEventListener("click", (event) => {
    event.preventDefault();
    by("main").focus();
  });
}

async function loadNetworks() {
  try {
    tellNetworks(await get("/v1/networks"));
  } catch (problem) {
    if (problem.kind !== "offline") show(by("offline"), problem);
  }
}

function start() {
  onReach((problem) => {
    by("offline").hidden = !problem;
    by("offline").textContent = problem ? `${capital(problem.message)}. ${problem.told.try}` : "";
  });
  bindTheme();
  bind();
  bindLinks();
  onNetworks(({ networks }) => {
    const names = networks.map(({ name }) => name);
    if (!names.includes(state.network)) names.push(state.network);
    fill(
      by("network"),
      names.map((name) => ({ value: name, text: name })),
      state.network,
    );
  });
  by("network").addEventListener("change", (event) => {
    set({ network: event.target.value, layer: 1, ...STRONGEST });
  });
  watch(["network"], () => (by("network").value = state.network));
  for (const view of Object.values(VIEWS)) view.init();
  watch(["tab"], showTab);
  onDigit(() => {
    showDigit();
    showView();
  });
  onColours(() => {
    showDigit();
    showView();
  });
  bindDigit();
  showTab();
  loadNetworks();
}

start();
