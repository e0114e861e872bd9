import assert from "node:assert/strict";
import test from "node:test";
import { getElementById, holdAnswers, settle } from "./page.js";

const lab = "../../../src/digitlens/server/static/js";
const { coalesce, get, makeSignals } = await import(`${lab}/core/api.js`);
const { onReachable } = await import(`${lab}/core/server.js`);
const { setState } = await import(`${lab}/core/store.js`);
const { choosePart } = await import(`${lab}/views/parts.js`);
const mistakes = await import(`${lab}/views/mistakes.js`);

test("calls that come while one runs become one call after it", async () => {
  const [ends, run] = [[], coalesce(() => new Promise((done) => ends.push(done)))];
  const first = run();
  run();
  run();
  assert.equal(ends.length, 1);
  ends[0]();
  await settle();
  assert.equal(ends.length, 2);
  ends[1]();
  await first;
  assert.equal(ends.length, 2);
});

test("a run that fails does not keep the next one from running", async () => {
  let times = 0;
  const run = coalesce(async () => {
    times += 1;
    if (times === 1) throw new Error("no");
  });
  await assert.rejects(run());
  await run();
  assert.equal(times, 2);
});

test("a newer request ends the one before, which never answers", async () => {
  const [asked, signals] = [holdAnswers(), makeSignals()];
  const old = get("/v1/map", { network: "cnn" }, signals());
  await settle();
  const next = get("/v1/map", { network: "tiny", list: ["a", "b"], none: null }, signals());
  await assert.rejects(old, { name: "AbortError" });
  await settle();
  asked[1].answer({ network: "tiny" });
  assert.deepEqual(await next, { network: "tiny" });
  assert.equal(asked[1].address, "/v1/map?network=tiny&list=a&list=b");
});

test("an answer that was on its way when its request was ended is none", async () => {
  const [asked, signals] = [holdAnswers(), makeSignals()];
  const old = get("/v1/map", {}, signals());
  await settle();
  asked[0].answer({ network: "cnn" });
  signals();
  await assert.rejects(old, { name: "AbortError" });
});

test("a request that was ended does not say that the lab is out of reach, one that failed does", async () => {
  const [asked, signals] = [holdAnswers(), makeSignals()];
  const told = [];
  onReachable((problem) => told.push(problem?.kind ?? null));
  const ended = get("/v1/map", {}, signals());
  await settle();
  signals();
  await assert.rejects(ended);
  assert.deepEqual(told, []);
  const failed = get("/v1/map");
  await settle();
  asked[1].fail();
  await assert.rejects(failed, { kind: "offline" });
  assert.deepEqual(told, ["offline"]);
});

test("the parts of a network that was left meanwhile are not offered", async () => {
  const [asked, signals] = [holdAnswers(), makeSignals()];
  const part = (count) => ({ parts: [{ part: "test", count, seen: "no", words: "none seen" }], opened: 0 });
  setState({ network: "one" });
  const old = choosePart(() => {}, signals());
  await settle();
  setState({ network: "two" });
  const next = choosePart(() => {}, signals());
  await settle();
  asked[1].answer(part(2));
  await next;
  asked[0].answer(part(1));
  await assert.rejects(old, { name: "AbortError" });
  assert.match(getElementById("mistakes-part-note").textContent, /^2 digits/);
});

test("more pictures that are asked for twice at once come once", async () => {
  const asked = holdAnswers();
  mistakes.init();
  setState({ cell: "49" });
  const more = getElementById("gallery-more").listeners.click;
  more();
  more();
  await settle();
  for (const { answer } of asked) answer({ count: 3, pictures: [{ index: 7, confidence: 0.9, picture: "data:," }] });
  await settle();
  assert.deepEqual([asked.length, getElementById("gallery").children.length], [2, 1]);
});
