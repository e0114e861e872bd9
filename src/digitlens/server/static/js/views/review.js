// Review: pieces of mail that wait for a person, one after the other, by few keys.

import { get, post } from "../core/api.js";
import { byId, h, query } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { announce, showProblem } from "../core/messages.js";
import { Problem } from "../core/problem.js";
import { state, watch } from "../core/store.js";
import { loadPerson, person, savePerson } from "../parts/person.js";
import { awaitPiece, stopWaiting } from "./arrivals.js";
import { describePiece, showPiece, formatTown, turnPiece } from "./piece.js";
import { bindZip, clearZip, offerUnlisted } from "./zip.js";

const RENEW_MS = 60_000; // milliseconds; a piece is lent for five minutes
const ATTENTION_MS = 15 * 60_000; // without a key or a touch for so long, nobody looks any more
const HEADER_HEIGHT = 110; // pixels: what stands at the top of a phone
const SETTLE_MS = 300; // a key that was pressed twice must not settle the next piece too

/** @type {Api.MailTask | null} the piece in hand */
let task = null;
/** @type {number | null} the piece that was settled last here; it can be taken back */
let last = null;
let hasStarted = false;
let isBusy = false;
/** nothing waits, and that was said */
let hasRested = false;
let renewed = 0;
let active = 0;

export function init() {
  bindZip((zip, unlisted) => settle(zip, unlisted));
  byId("review-unreadable").addEventListener("click", () => settle(null));
  byId("review-skip").addEventListener("click", release);
  byId("review-turn").addEventListener("click", turnPiece);
  byId("review-back").addEventListener("click", takeBack);
  byId("review-again").addEventListener("click", () => claimNext());
  byId("review-person").addEventListener("change", renamePerson);
  // Single keys work while the focus is in the page's main part, and nowhere else.
  byId("main").addEventListener("keydown", onKey);
  for (const name of ["keydown", "pointermove", "pointerdown"])
    document.addEventListener(name, () => (active = Date.now()), { passive: true });
  document.addEventListener("visibilitychange", keepLease);
  watch(["tab"], keepLease);
  setInterval(keepLease, RENEW_MS / 2);
}

export async function show() {
  if (hasStarted) return keepLease();
  hasStarted = true;
  active = Date.now();
  try {
    const { open, how } = await get("/v1/mail");
    byId("review-how").hidden = open;
    byId("review-bar").hidden = !open;
    if (!open) return byId("review-how").replaceChildren(...renderSteps(how));
    await loadPerson();
    byId("review-person").value = person.name;
  } catch (problem) {
    hasStarted = false;
    return showProblem(byId("review-problem"), problem);
  }
  await claimNext();
}

/** @param {string[]} commands */
function renderSteps(commands) {
  const words = [
    "Make envelopes to try it with; or have a folder with pictures of mail",
    "Make a plan: which ZIP goes into which tray",
    "Sort the mail; what is not read surely waits",
    "Open the lab with the trays, then come back here",
  ];
  const steps = commands.map((command, index) =>
    h("li", {}, h("p", {}, words[index]), h("pre", { tabindex: "0" }, command)),
  );
  return [
    h("p", {}, "This lab was opened without mail. In a terminal, one after the other:"),
    h("ol", {}, ...steps),
  ];
}

const isAttended = () =>
  state.tab === "review" && !document.hidden && Date.now() - active < ATTENTION_MS;

/** Keep the piece for as long as somebody looks; when nothing was there, wait for one. */
async function keepLease() {
  if (!isAttended()) return stopWaiting(); // a piece would be lent to nobody
  if (!hasStarted || isBusy) return;
  if (!task) return hasRested ? awaitPiece(receive) : undefined;
  if (Date.now() - renewed < RENEW_MS) return;
  const { piece, token } = task;
  try {
    await post(`/v1/mail/pieces/${piece}/renew`, { token });
    renewed = Date.now();
  } catch (problem) {
    if (task?.token === token && !isBusy) await handleRefusal(problem);
  }
}

/** @param {Api.Claimed} result of waiting */
const receive = (result) => (result.task ? work(() => showTask(result, "")) : showRest(result.queue, ""));

/** Do one thing at a time, and let nothing be pressed meanwhile. @param {() => Promise<void>} callback */
async function work(callback) {
  if (isBusy) return;
  stopWaiting();
  setBusy(true);
  try {
    await callback();
  } finally {
    setBusy(false);
    keepLease();
  }
}

/** @param {boolean} now */
function setBusy(now) {
  isBusy = now;
  byId("review-desk").setAttribute("aria-busy", String(now));
}

/** Take the next piece: those behind number `after` first. */
const claimNext = (after = 0, before = "") => work(() => claim(after, before));

/** @param {number} after @param {string} before said before what comes next */
async function claim(after, before) {
  let result;
  try {
    result = await post("/v1/mail/claim", { person: person.name, token: person.token, after });
  } catch (problem) {
    return showProblem(byId("review-problem"), problem);
  }
  await showTask(result, before);
}

/** Lay a piece on the desk, or say that there is none. @param {Api.Claimed} result @param {string} before */
async function showTask(result, before) {
  task = result.task;
  savePerson({ token: task?.token ?? "" });
  renewed = Date.now();
  showCount(result.queue);
  clearZip();
  byId("review-desk").hidden = !task;
  byId("review-rest").hidden = Boolean(task);
  if (!task) return showRest(result.queue, before);
  hasRested = false;
  await showPiece(task, choose);
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  settleFocus(task);
  announce([before, describePiece(task)].filter(Boolean).join(" "));
}

/** Where keys work; with no guesses, where one types, unless that opens a screen keyboard. @param {Api.MailTask} piece */
function settleFocus({ guesses }) {
  if (state.tab !== "review" || document.activeElement === byId("review-person")) return;
  const typing = !guesses.length && !matchMedia("(pointer: coarse)").matches;
  byId(typing ? "zip" : "piece-title").focus({ preventScroll: true });
  if (byId("piece-title").getBoundingClientRect().top < HEADER_HEIGHT) {
    byId("piece-title").scrollIntoView();
  }
}

/** @param {Api.Queue} queue @param {string} before */
function showRest(queue, before) {
  const first = !hasRested;
  hasRested = true;
  const title = queue.waiting ? "Other reviewers have the rest" : "Nothing waits";
  const trays = Object.keys(queue.trays).length;
  byId("rest-title").textContent = title;
  byId("rest-words").textContent = queue.waiting
    ? "A piece that one of them skips comes to you."
    : `All mail is in its place: ${formatCount(trays)} ${trays === 1 ? "tray" : "trays"}. The next piece appears here.`;
  if (!first || state.tab !== "review") return;
  byId("rest-title").focus({ preventScroll: true });
  announce([before, title].filter(Boolean).join(" "));
}

/** @param {Api.Queue} queue */
function showCount({ waiting, yours }) {
  byId("review-count").replaceChildren(
    h("b", {}, formatCount(waiting)),
    waiting === 1 ? " waits, you settled " : " wait, you settled ",
    h("b", {}, formatCount(yours)),
  );
}

/** Choose a guess; one that is no known ZIP is asked about first. @param {number} index */
function choose(index) {
  const guess = task?.guesses[index];
  if (!guess || isBusy) return;
  if (guess.city) settle(guess.zip);
  else offerUnlisted(guess.zip);
}

/** @param {string | null} zip null: nobody can read it @param {boolean} [unlisted] */
async function settle(zip, unlisted = false) {
  if (!task) return;
  const { piece, token } = task;
  await work(async () => {
    let done;
    try {
      done = await post(`/v1/mail/pieces/${piece}/settle`, { token, zip, unlisted });
    } catch (problem) {
      return handleRefusal(problem);
    }
    showProblem(byId("review-problem"), null);
    offerBack(piece, done.tray);
    await claim(0, `Piece ${piece} went to ${zip === null ? done.tray : `the tray ${done.tray}`}.`);
  });
}

/** Offer to take an answer back; null: there is none. @param {number | null} piece @param {string} [tray] */
function offerBack(piece, tray) {
  last = piece;
  byId("review-back").hidden = !piece;
  query("span", byId("review-back")).textContent = `Take back piece ${piece} from ${tray}`;
}

const takeBack = () =>
  last &&
  work(async () => {
    const [piece, given] = [last, { person: person.name, token: person.token }];
    offerBack(null);
    let result;
    try {
      result = await post(`/v1/mail/pieces/${piece}/take-back`, given);
    } catch (problem) {
      return showProblem(byId("review-problem"), problem);
    }
    showProblem(byId("review-problem"), null);
    await showTask(result, `Piece ${piece} was taken back.`);
  });

async function release() {
  if (!task) return;
  const { piece, token } = task;
  await work(async () => {
    try {
      await post(`/v1/mail/pieces/${piece}/release`, { token });
    } catch (problem) {
      return handleRefusal(problem);
    }
    showProblem(byId("review-problem"), null);
    await claim(piece, `Piece ${piece} was skipped.`);
  });
}

/** What was refused: a piece that somebody else has is let go, any other one is kept. @param {unknown} problem */
async function handleRefusal(problem) {
  showProblem(byId("review-problem"), problem);
  if (!task || !(problem instanceof Problem && problem.kind === "not-yours")) return;
  const before = `Piece ${task.piece} is no longer yours. Here is the next.`;
  task = null;
  await claim(0, before);
}

async function renamePerson() {
  const name = byId("review-person").value.trim();
  if (!name) return (byId("review-person").value = person.name);
  savePerson({ name });
  offerBack(null); // the new name has said nothing yet
  if (task) await claimNext(); // the same piece, lent to the new name
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (state.tab !== "review" || isBusy) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.key === "Escape" && event.target === byId("zip")) byId("piece-title").focus();
    return;
  }
  /** @type {Record<string, () => unknown>} */
  const acts = {
    u: takeBack,
    ...(task && {
      1: () => choose(0),
      2: () => choose(1),
      3: () => choose(2),
      0: () => settle(null),
      s: release,
      r: turnPiece,
      t: () => byId("zip").focus(),
    }),
  };
  const callback = acts[event.key.toLowerCase()];
  if (!callback) return;
  event.preventDefault();
  callback();
}
