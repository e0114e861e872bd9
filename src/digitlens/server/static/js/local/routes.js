// The addresses of docs/api.md that need no server: a request in, its JSON out.

import { frameDrawing } from "./framing.js";
import { Problem } from "../core/problem.js";
import { explain, explainLayers, explainShades } from "./explain.js";
import { applyKernel, describeCell, describeKernels, unknown } from "./layers.js";
import { findNearest, frameSmall, listCell, readDigits } from "./digits.js";
import { predict, readNetwork } from "./network.js";
import { asModel, asNetwork, countOpening, listRuns } from "./runs.js";
import { decodePicture, isFrame, needsServer } from "./pictures.js";
import { unpack } from "./tensors.js";

/** @typedef {import("../core/api.js").Ask} Ask */
/** @typedef {(name: string) => Promise<ArrayBuffer>} Load a file of the exported lab, by its name */

/** What a part of the page needs where it asks an address that is not here. */
const MISSING = {
  own: "digits of your own",
  read: "photos",
  mail: "mail and its review",
};

/** @param {Load} load @returns {(request: Ask) => Promise<any>} */
export function makeRoutes(load) {
  const files = remember(load);
  const json = remember(async (name) => JSON.parse(new TextDecoder().decode(await files(name))));
  const published = remember(async (name) => readNetwork(name, await files(`networks/${name}.safetensors`)));
  /** @type {Map<string, import("./network.js").Network>} by name and day: another run may get the name */
  const trained = new Map();

  /** @param {string} name */
  async function network(name) {
    const { networks } = await json("lab.json");
    if (networks.some((/** @type {any} */ item) => item.name === name)) return published(name);
    const run = (await listRuns()).find((item) => item.name === name && item.bestEpoch);
    if (!run) throw unknown(`there is no network called ${JSON.stringify(name)} here`);
    const key = `${name} ${run.created} ${run.bestEpoch}`;
    const model = trained.get(key) ?? asModel(run);
    trained.set(key, model);
    return model;
  }

  async function list() {
    const known = await json("lab.json");
    const runs = (await listRuns()).filter((run) => run.bestEpoch);
    return { ...known, networks: [...known.networks, ...runs.map(asNetwork)] };
  }
  const digits = remember(async (data) => {
    const rows = await unpack(await files(`digits/${data}.bin`));
    return data === "uci" ? readDigits(rows, 64, frameSmall) : readDigits(rows, 784);
  });

  /** A run of this browser and its network; null of a published one. @param {string} name */
  async function findTrained(name) {
    const run = (await listRuns()).find((item) => item.name === name && item.bestEpoch);
    return run ? { run, model: await network(name) } : null;
  }

  /** @type {Map<string, any>} the mistakes of a run of this browser: it is asked once */
  const measuredHere = new Map();

  /** What a network makes of a set of digits, in the form of mistakes.json. @param {string} name @param {string} data */
  async function measure(name, data) {
    const known = (await json("mistakes.json"))[name] ?? null;
    if (known) return known[data] ?? null;
    const found = await findTrained(name);
    if (!found) throw unknown(`${name} was not measured here`);
    const { run, model } = found;
    const like = (await json("mistakes.json")).tiny[data];
    if (!like) return null;
    const key = `${name} ${data} ${run.created} ${run.bestEpoch}`;
    if (!measuredHere.has(key)) {
      const { measureRun } = await import("./measured.js");
      const sizes = Object.entries(like.measured).map(([part, { answers }]) => [part, answers.length]);
      measuredHere.set(key, measureRun(run, model, await digits(data), data, Object.fromEntries(sizes)));
    }
    const result = measuredHere.get(key);
    return { ...result, parts: { ...result.parts, opened: run.openings?.[data] ?? 0 } };
  }

  /** @param {any} query */
  async function findMeasured({ network: name = "universal", data = "uci", part = "test" }) {
    const parts = (await measure(name, data))?.measured;
    if (!parts) throw needsServer("these digits");
    const names = Object.keys(parts);
    if (!parts[part]) throw unknown(`${data} has no part ${part} for ${name}`);
    const before = names.slice(0, names.indexOf(part));
    const offset = before.reduce((sum, item) => sum + parts[item].answers.length, 0);
    return { measured: parts[part], offset, data };
  }

  /** @type {Record<string, (ask: Ask & {query: any, names: string[]}) => Promise<any>>} */
  const routes = {
    "GET /v1/networks": list,
    async "GET /v1/networks/*/file"({ names: [name] }) {
      const asked = await network(name);
      return (await import("./onnx.js")).writeOnnx(asked, asked.card);
    },
    async "POST /v1/predict"({ query, body, file }) {
      if (file) throw needsServer("photos");
      const names = [query.network ?? "universal"].flat();
      const networks = await Promise.all(names.map(network));
      return {
        pictures: body.pictures.map((/** @type {any} */ upload) => {
          const prepared = prepare(upload, query);
          const answers = networks.map((item) => predict(item, prepared.digit));
          return describePicture(prepared, answers, query.pixels);
        }),
      };
    },
    async "POST /v1/explain"({ query, body, file }) {
      if (file) throw needsServer("photos");
      const prepared = prepare(body.pictures[0], query);
      const { digit, framing } = prepared;
      const asked = await network(query.network ?? "universal");
      if (!query.layers_only) {
        const module = query.gradients ? await import("./gradients.js") : null;
        return explain(asked, digit, framing?.listSteps() ?? [], module?.integrateGradients);
      }
      if (!query.shades) return explainLayers(asked, digit);
      return explainShades(asked, digit, (answer) => describePicture(prepared, [answer], true));
    },
    async "POST /v1/explain/cell"({ query, body }) {
      const { digit } = prepare(body.pictures[0], query);
      return describeCell(await network(query.network ?? "universal"), digit, query);
    },
    async "POST /v1/explain/kernel"({ body }) {
      const { digit } = prepare(body.picture, body);
      return applyKernel(await network(body.network ?? "universal"), digit, body);
    },
    async "POST /v1/explain/nearest"({ query, body }) {
      const { digit } = prepare(body.pictures[0], query);
      const { offset } = await findMeasured({ part: "train" });
      return findNearest(await digits("uci"), offset, digit, Number(query.label));
    },
    async "GET /v1/networks/*/layers/*"({ names: [name, layer], query }) {
      const kernel = query.kernel ?? undefined;
      return describeKernels(await network(name), Number(layer), kernel === undefined ? kernel : Number(kernel));
    },
    async "GET /v1/map"({ query }) {
      const name = query.network ?? "universal";
      const model = await network(name); // or it is said that there is none
      if (!(await findTrained(name))) return json(`maps/${name}.json`);
      const { measured, offset } = await findMeasured({ part: "validation" });
      const { drawMap } = await import("./measured.js");
      return drawMap(model, await digits("uci"), offset, measured.answers.length, "uci validation");
    },
    async "GET /v1/sample"({ query: { index = 0, part = "test" } }) {
      const { measured, offset } = await findMeasured({ part });
      const { pixels, labels } = await digits("uci");
      const count = measured.answers.length;
      const place = Number(index) % count;
      const [label, rows] = [labels[offset + place], toRows(pixels[offset + place])];
      return { source: `uci ${part}`, index: place, count, label, pixels: rows };
    },
    async "GET /v1/mistakes"({ query }) {
      const { figures } = (await findMeasured(query)).measured;
      const found = query.part === "test" ? await findTrained(query.network) : null;
      if (found) await countOpening(found.run, query.data ?? "uci");
      return figures;
    },
    async "GET /v1/mistakes/parts"({ query }) {
      const measured = await measure(query.network, query.data);
      if (!measured) throw needsServer("these digits");
      return measured.parts;
    },
    async "GET /v1/mistakes/cell"({ query }) {
      const { measured, offset, data } = await findMeasured(query);
      const wanted = { ...query, truth: Number(query.truth), answer: Number(query.answer) };
      return listCell(await digits(data), offset, measured, wanted);
    },
  };

  return async function answer(request) {
    const answered = findRoute(routes, request);
    if (answered) return answered;
    const [, , kind] = request.path.split("/");
    throw needsServer(MISSING[/** @type {keyof typeof MISSING} */ (kind)] ?? request.path);
  };
}

/** What the route answers that a request is for; null where there is none. @param {Record<string, (ask: any) => Promise<any>>} routes @param {Ask} request */
export function findRoute(routes, request) {
  for (const [pattern, route] of Object.entries(routes)) {
    const place = new RegExp(`^${pattern.replaceAll("*", "([^/]+)")}$`);
    const fits = place.exec(`${request.method} ${request.path}`);
    if (!fits) continue;
    const names = fits.slice(1).map(decodeURIComponent);
    return route({ ...request, query: request.query ?? {}, names });
  }
  return null;
}

/** Keep what was asked for, but not what failed. @template T @param {(name: string) => Promise<T>} load */
function remember(load) {
  /** @type {Map<string, Promise<T>>} */
  const known = new Map();
  return (/** @type {string} */ name) => {
    const result = known.get(name) ?? load(name);
    known.set(name, result);
    result.catch(() => known.delete(name));
    return result;
  };
}

/** @param {Uint8Array} pixels */
const toRows = (pixels) =>
  Array.from({ length: 28 }, (_, row) => Array.from(pixels.subarray(row * 28, row * 28 + 28)));

/** @typedef {{digit: Uint8Array, framing: import("./framing.js").Framing | null}} Prepared */

/** A picture as /v1/predict tells it. @param {Prepared} prepared @param {any[]} answers @param {boolean} hasPixels */
const describePicture = ({ digit, framing }, answers, hasPixels) => ({
  box: framing?.box ?? null,
  light_ink: framing ? false : null,
  unchanged: !framing,
  several: framing?.count ?? null,
  answers,
  ...(hasPixels ? { pixels: toRows(digit) } : {}),
});

/** The digit of an upload: framed, or taken as it is. @param {string | number[][]} upload @param {any} query @returns {Prepared} */
function prepare(upload, { drawing = false, frame = true }) {
  const picture = decodePicture(upload);
  if (!frame && isFrame(picture)) return { digit: picture.bytes, framing: null };
  if (!drawing) throw needsServer("photos");
  const framing = frameDrawing(picture);
  if (framing) return { digit: framing.digit, framing };
  throw new Problem({
    type: "urn:digitlens:no-ink",
    status: 422,
    detail: "the picture must show a digit",
    seen: "bare paper: nothing is drawn",
  });
}
