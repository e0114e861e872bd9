// Review: pieces of mail that wait for a person, one after the other, by few keys.

import { get, post } from "../core/api.js";
import { by, el } from "../core/dom.js";
import { grouped } from "../core/numbers.js";
import { say, show as showProblem } from "../core/say.js";
import { state } from "../core/store.js";
import { knowPerson, person, remember } from "../parts/person.js";
import { pieceInWords, showPiece, town } from "./piece.js";
import { bindZip, clearZip, offerUnlisted } from "./zip.js";

const RENEW = 60_000; // milliseconds; a piece is lent for five minutes
const ATTENDED = 15 * 60_000; // without a key or a touch for so long, nobody looks any more
const LOOK_AGAIN = 20_000;
const BELOW_HEAD = 110; // pixels: what stands at the top of a phone
const SETTLING = 300; // a key that was pressed twice must not settle the next piece too

/** @type {any} the piece in hand, as /v1/mail/claim told */
let task = null;
/** @type {number | null} the piece that was settled last here; it can be taken back */
let last = null;
let begun = false;
let busy = false;
let renewed = 0;
let active = 0;
let again = 0;

export function init() {
  bindZip((zip, unlisted) => settle(zip, unlisted));
  by("review-unreadable").addEventListener("click", () => settle(null));
  by("review-skip").addEventListener("click", giveBack);
  by("review-back").addEventListener("click", takeBack);
  by("review-again").addEventListener("click", () => next());
  by("review-person").addEventListener("change", rename);
  // Single keys work while the focus is in the page's main part, and nowhere else.
  by("main").addEventListener("keydown", onKey);
  for (const name of ["keydown", "pointermove", "pointerdown"])
    document.addEventListener(name, () => (active = Date.now()), { passive: true });
  document.addEventListener("visibilitychange", attend);
  setInterval(attend, RENEW / 2);
}

export async function show() {
  if (begun) return attend();
  begun = true;
  active = Date.now();
  try {
    const { open, how } = await get("/v1/mail");
    by("review-how").hidden = open;
    by("review-bar").hidden = !open;
    if (!open) return by("review-how").replaceChildren(...howTo(how));
    await knowPerson();
    by("review-person").value = person.name;
  } catch (problem) {
    begun = false;
    return showProblem(by("review-problem"), problem);
  }
  await next();
}

function howTo(commands) {
  const words = [
    "Make envelopes to try it with; or have a folder with pictures of mail",
    "Make a plan: which ZIP goes into which tray",
    "Sort the mail; what is not read surely waits",
    "Open the lab with the trays, then come back here",
  ];
  const steps = commands.map((command, at) =>
    el("li", {}, el("p", {}, words[at]), el("pre", { tabindex: "0" }, command)),
  );
  return [
    el("p", {}, "This lab was opened without mail. In a terminal, one after the other:"),
    el("ol", {}, ...steps),
  ];
}

const attended = () =>
  state.tab === "review" && !document.hidden && Date.now() - active < ATTENDED;

/** Keep the piece for as long as somebody looks; when nothing was there, look again. */
async function attend() {
  if (!begun || busy || !attended()) return;
  if (!task) {
    if (again && Date.now() - again >= LOOK_AGAIN) await next();
    return;
  }
  if (Date.now() - renewed < RENEW) return;
  const { piece, token } = task;
  try {
    await post(`/v1/mail/pieces/${piece}/renew`, { token });
    renewed = Date.now();
  } catch (problem) {
    if (task?.token === token && !busy) await refused(problem);
  }
}

/** Do one thing at a time, and let nothing be pressed meanwhile. @param {() => Promise<void>} act */
async function work(act) {
  if (busy) return;
  setBusy(true);
  try {
    await act();
  } finally {
    setBusy(false);
  }
}

function setBusy(now) {
  busy = now;
  by("review-desk").setAttribute("aria-busy", String(now));
}

/** Take the next piece: those behind number `after` first. */
const next = (after = 0, before = "") => work(() => claim(after, before));

async function claim(after, before) {
  let found;
  try {
    found = await post("/v1/mail/claim", { person: person.name, token: person.token, after });
  } catch (problem) {
    return showProblem(by("review-problem"), problem);
  }
  await lay(found, before);
}

/** Lay a piece on the desk, or say that there is none. */
async function lay(found, before) {
  task = found.task;
  remember({ token: task?.token ?? "" });
  renewed = Date.now();
  count(found.queue);
  clearZip();
  by("review-desk").hidden = !task;
  by("review-rest").hidden = Boolean(task);
  if (!task) return rest(found.queue, before);
  again = 0;
  await showPiece(task, choose);
  await new Promise((done) => setTimeout(done, SETTLING));
  settleFocus();
  say([before, pieceInWords(task)].filter(Boolean).join(" "));
}

/** Where keys work; with no guesses, where one types, unless that opens a screen keyboard. */
function settleFocus() {
  if (state.tab !== "review" || document.activeElement === by("review-person")) return;
  const typing = !task.guesses.length && !matchMedia("(pointer: coarse)").matches;
  by(typing ? "zip" : "piece-title").focus({ preventScroll: true });
  if (by("piece-title").getBoundingClientRect().top < BELOW_HEAD) {
    by("piece-title").scrollIntoView();
  }
}

function rest(queue, before) {
  const first = !again;
  again = Date.now();
  const title = queue.waiting ? "Others have all that waits" : "Nothing waits";
  const trays = Object.keys(queue.trays).length;
  by("rest-title").textContent = title;
  by("rest-words").textContent = queue.waiting
    ? "A piece that is given back comes to you. This page looks again by itself."
    : `All mail is in its place: ${grouped(trays)} ${trays === 1 ? "tray" : "trays"}. This page looks again by itself.`;
  if (!first || state.tab !== "review") return;
  by("rest-title").focus({ preventScroll: true });
  say([before, title].filter(Boolean).join(" "));
}

function count({ waiting, yours }) {
  by("review-count").replaceChildren(
    el("b", {}, grouped(waiting)),
    waiting === 1 ? " waits, you settled " : " wait, you settled ",
    el("b", {}, grouped(yours)),
  );
}

/** Choose a guess; one that is no known ZIP is asked about first. @param {number} at */
function choose(at) {
  const guess = task?.guesses[at];
  if (!guess || busy) return;
  if (guess.city) settle(guess.zip);
  else offerUnlisted(guess.zip);
}

/** @param {string | null} zip null: nobody can read it @param {boolean} [unlisted] */
async function settle(zip, unlisted = false) {
  if (!task) return;
  await work(async () => {
    const { piece, token } = task;
    let done;
    try {
      done = await post(`/v1/mail/pieces/${piece}/settle`, { token, zip, unlisted });
    } catch (problem) {
      return refused(problem);
    }
    showProblem(by("review-problem"), null);
    offerBack(piece, done.tray);
    await claim(0, `Piece ${piece} went to ${zip === null ? done.tray : `the tray ${done.tray}`}.`);
  });
}

/** Offer to take an answer back; null: there is none. */
function offerBack(piece, tray) {
  last = piece;
  by("review-back").hidden = !piece;
  by("review-back").lastElementChild.textContent = `Take back piece ${piece} from ${tray}`;
}

const takeBack = () =>
  last &&
  work(async () => {
    const [piece, given] = [last, { person: person.name, token: person.token }];
    offerBack(null);
    let found;
    try {
      found = await post(`/v1/mail/pieces/${piece}/take-back`, given);
    } catch (problem) {
      return showProblem(by("review-problem"), problem);
    }
    showProblem(by("review-problem"), null);
    await lay(found, `Piece ${piece} was taken back.`);
  });

const giveBack = () =>
  task &&
  work(async () => {
    const { piece, token } = task;
    try {
      await post(`/v1/mail/pieces/${piece}/release`, { token });
    } catch (problem) {
      return refused(problem);
    }
    showProblem(by("review-problem"), null);
    await claim(piece, `Piece ${piece} was given back.`);
  });

/** What was refused: a piece that somebody else has is let go, any other one is kept. */
async function refused(problem) {
  showProblem(by("review-problem"), problem);
  if (problem.kind !== "not-yours") return;
  const before = `Piece ${task.piece} is no longer yours. Here is the next.`;
  task = null;
  await claim(0, before);
}

async function rename() {
  const name = by("review-person").value.trim();
  if (!name) return (by("review-person").value = person.name);
  remember({ name });
  offerBack(null); // the new name has said nothing yet
  if (task) await next(); // the same piece, lent to the new name
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (state.tab !== "review" || busy) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.key === "Escape" && event.target === by("zip")) by("piece-title").focus();
    return;
  }
  const acts = {
    u: takeBack,
    ...(task && {
      1: () => choose(0),
      2: () => choose(1),
      3: () => choose(2),
      0: () => settle(null),
      s: giveBack,
      t: () => by("zip").focus(),
    }),
  };
  const act = acts[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}
