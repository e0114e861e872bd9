// Starts the page: the address, the networks, the views.
//
// To read it all: core/store.js (what is shown), core/url.js (as an address), ink/ (drawing),
// digit.js (a drawing -> pixels and an answer), parts/grid.js (numbers one can walk over), and
// then the views, one file each with what belongs to it beside it.

import { get, isStatic } from "./core/api.js";
import { Problem } from "./core/problem.js";
import { onReachable } from "./core/server.js";
import { query, queryAll, byId, h, setOptions } from "./core/dom.js";
import { formatConfidence } from "./core/numbers.js";
import { capitalize, describeProblem, showProblem } from "./core/messages.js";
import { setState, state, STRONGEST, watch } from "./core/store.js";
import { bindTheme, onColors } from "./core/theme.js";
import { bindAddress, openTab, TABS, toHash } from "./core/url.js";
import { bindDigit, digit, isUnfinished, onDigit } from "./digit.js";
import { OPENING } from "./ink/examples.js";
import { onNetworks, setNetworks } from "./networks.js";
import { nameDigit } from "./parts/bars.js";
import { bindTerms, refreshTerms } from "./parts/glossary.js";
import { bindLessons } from "./parts/lessons.js";
import { makeInkRamp } from "./parts/ramps.js";
import { paintPixels } from "./parts/paint.js";
import { bindTour } from "./parts/tour.js";
import * as answer from "./views/answer.js";
import * as convolution from "./views/convolution.js";
import * as draw from "./views/draw.js";
import * as features from "./views/features.js";
import * as map from "./views/map.js";
import * as network from "./views/network.js";
import { refreshOwn } from "./views/own.js";
import * as mistakes from "./views/mistakes.js";
import * as pixels from "./views/pixels.js";
import * as read from "./views/read.js";
import * as train from "./views/train.js";

/** A view whose scripts are loaded when it is opened. @param {() => Promise<{init: () => void, show: () => void}>} load */
function makeLazy(load) {
  /** @type {Promise<{show: () => void}> | null} */
  let loading = null;
  const start = async () => {
    const view = await load();
    view.init();
    return view;
  };
  return { init() {}, show: async () => (await (loading ??= start())).show() };
}

const review = makeLazy(() => import("./views/review.js"));

/**
 * A view has init(), called once, and show(), called when it is opened or its digit changes.
 * @type {Record<string, {init: () => void, show: () => void}>}
 */
const VIEWS = {
  draw,
  network,
  pixels,
  features,
  answer,
  convolution,
  map,
  train,
  mistakes,
  read,
  digits: { init() {}, show: () => refreshOwn() },
  review,
};

/** Views that have nothing to show without a digit. */
const WANT_DIGIT = ["pixels", "features", "answer", "convolution"];

/** Views that a page without a server explains only. */
const SERVER_ONLY = ["read", "digits", "review"];

function showDigit() {
  paintPixels(byId("now-picture"), digit.pixels ?? new Uint8Array(784), 28, makeInkRamp());
  const { answer: result, problem } = digit;
  byId("now-digit").textContent = result ? nameDigit(result) : "–";
  byId("now-sure").textContent = result
    ? result.digit === null
      ? "no digit"
      : formatConfidence(result.confidence) + (result.unsure ? ", check" : "")
    : problem
      ? "no answer"
      : "nothing drawn";
}

function showView() {
  for (const tab of TABS) byId(`view-${tab}`).hidden = tab !== state.tab;
  if (WANT_DIGIT.includes(state.tab)) {
    const view = byId(`view-${state.tab}`);
    const empty = query(".empty", view);
    empty.dataset.words ??= empty.textContent;
    const take = () => setState({ drawing: { ...OPENING } });
    empty.replaceChildren(
      ...(digit.problem
        ? [`${capitalize(describeProblem(digit.problem))}.`]
        : [empty.dataset.words, " ", h("button", { type: "button", onclick: take }, "Take an example")]),
    );
    empty.hidden = Boolean(digit.pixels);
    query(".filled", view).hidden = !digit.pixels;
    if (!digit.pixels) return;
  }
  if (isStatic && SERVER_ONLY.includes(state.tab)) return; // its text says how it is had
  VIEWS[state.tab].show();
  // Which are seen is a layout to find out: once a stroke is done, not while it is drawn.
  if (!isUnfinished()) refreshTerms(`view-${state.tab}`);
}

function showTab() {
  for (const link of queryAll("nav a")) {
    const here = link.dataset.tab === state.tab;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) link.scrollIntoView({ block: "nearest", inline: "center" });
  }
  document.title = `${byId(`h-${state.tab}`).textContent} · digitlens`;
  showView();
}

function bindLinks() {
  for (const link of queryAll("nav a")) {
    const { tab = "draw" } = link.dataset;
    const refresh = () => (link.href = toHash({ ...state, tab }));
    link.addEventListener("pointerdown", refresh); // so that it can be opened elsewhere
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openTab(tab);
      scrollTo(0, 0);
      byId(`h-${state.tab}`).focus({ preventScroll: true });
    });
  }
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
}

/** Networks and views to take away; loaded once somebody does. */
function bindSaving() {
  const load = () => import("./parts/save.js");
  const save = (/** @type {string} */ name) => load().then(({ saveNetwork }) => saveNetwork(name));
  byId("net-save").addEventListener("click", () => save(state.network));
  byId("run-save").addEventListener("click", () => save(state.run));
  for (const kind of /** @type {const} */ (["png", "svg"])) {
    byId(`save-${kind}`).addEventListener("click", () => load().then(({ savePicture }) => savePicture(kind)));
  }
}

async function loadNetworks() {
  try {
    setNetworks(await get("/v1/networks"));
  } catch (problem) {
    if (!(problem instanceof Problem && problem.kind === "offline")) showProblem(byId("offline"), problem);
  }
}

function start() {
  onReachable((problem) => {
    byId("offline").hidden = !problem;
    byId("offline").textContent = problem ? `${capitalize(problem.message)}. ${problem.details.try}` : "";
  });
  bindTheme();
  bindTerms();
  bindLessons();
  bindAddress();
  bindLinks();
  bindSaving();
  onNetworks(({ networks }) => {
    const names = networks.map(({ name }) => name);
    if (!names.includes(state.network)) names.push(state.network);
    setOptions(
      byId("network"),
      names.map((name) => ({ value: name, text: name })),
      state.network,
    );
    if (["draw", "answer"].includes(state.tab) && digit.answer) showView(); // limits are known
  });
  const select = byId("network");
  select.addEventListener("change", () => setState({ network: select.value, layer: 1, ...STRONGEST }));
  watch(["network"], () => (select.value = state.network));
  for (const view of Object.values(VIEWS)) view.init();
  watch(["tab"], showTab);
  onDigit(() => {
    showDigit();
    showView();
  });
  onColors(() => {
    showDigit();
    showView();
  });
  bindDigit();
  showTab();
  bindTour();
  loadNetworks();
}

start();
