import assert from "node:assert/strict";
import test from "node:test";

// What the modules ask of a browser when they are loaded: no page, no exported lab.
globalThis.document = { querySelector: () => null, documentElement: { dataset: {} } };
const { coalesce, get, makeSignals } = await import("../../../src/digitlens/server/static/js/core/api.js");
const { onReachable } = await import("../../../src/digitlens/server/static/js/core/server.js");

/** Answers are given by hand: what is returned holds, for each request, how it ends. */
function holdAnswers() {
  const asked = [];
  globalThis.fetch = (address, { signal }) =>
    new Promise((resolve, reject) => {
      const answer = (body, ok = true) => resolve({ ok, status: ok ? 200 : 500, json: async () => body });
      asked.push({ address, answer, fail: () => reject(new TypeError("no host")) });
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  return asked;
}
const settle = () => new Promise((done) => setImmediate(done));

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
