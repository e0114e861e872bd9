// What to train: the form, in the words of the command line, which is written below it.

import { isStatic } from "../core/api.js";
import { byId, h, setOptions } from "../core/dom.js";
import { formatCount } from "../core/numbers.js";
import { explainMissing, known, onNetworks } from "../networks.js";

/** Layers to begin with; any may be added and taken away. */
const LAYERS = isStatic ? "dense128" : "conv8,pool,conv16,pool,dense32";
/** Digits that a source has to train on, for the command line's `--limit`. @type {Record<string, number>} */
const COUNTS = { mnist: 53929, fashion: 54000, uci: 1294, generated: 240 };
/** A share of the digits that a network learns by heart within seconds. @type {Record<string, string>} */
const FEW = { mnist: "2", fashion: "2", uci: isStatic ? "10" : "40", generated: "30" };
/** Fields that are sent where something was typed or chosen, as the command line calls them. */
const CHANGES = { epochs: Number, learning_rate: Number, batch: Number, dropout: Number, activation: String, optimizer: String, augment: String, recipe: String };

/** @typedef {keyof typeof CHANGES} Change */
const CHANGED = /** @type {Change[]} */ (Object.keys(CHANGES));

/** @param {Change | "layers" | "seed"} name */
const field = (name) => byId(name === "learning_rate" ? "train-learning-rate" : `train-${name}`);

/** The field with its label. @param {Change} name */
const fieldOf = (name) => /** @type {HTMLElement} */ (field(name).closest(".field"));

/** @param {() => void} begin called when all is chosen */
export function initForm(begin) {
  const form = byId("train-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  form.addEventListener("input", showCommand);
  form.addEventListener("change", showCommand);
  byId("train-network").addEventListener("change", showNetwork);
  byId("train-data").addEventListener("change", () => {
    // Few of them are other numbers of other sources.
    if (Object.values(FEW).includes(byId("train-share").value)) chooseShare();
    showNetwork();
  });
  byId("layer-add").addEventListener("click", () => {
    const word = `${byId("layer-kind").value}${byId("layer-kind").value === "pool" ? "" : byId("layer-width").value}`;
    setLayers([...listLayers(), word]);
  });
  byId("layer-remove").addEventListener("click", () => setLayers(listLayers().slice(0, -1)));
  field("layers").value = LAYERS;
  onNetworks(({ trainable, data }) => {
    const isFirst = !byId("train-network").value;
    showSources(data);
    const chosen = byId("train-network").value || (isStatic ? "custom" : "dense");
    setOptions(byId("train-network"), trainable.map(({ name }) => ({ value: name, text: name })), chosen);
    if (isFirst) chooseOverfit();
    showNetwork();
  });
}

/** A run to begin with: few digits and many weights; the curves part within seconds. */
function chooseOverfit() {
  chooseShare();
  /** @type {Partial<Record<Change, string>>} */
  const wanted = isStatic
    ? { epochs: "40", learning_rate: "0.01", optimizer: "adam" }
    : { epochs: "25", recipe: "course" };
  for (const name of CHANGED) field(name).value = wanted[name] ?? field(name).value;
}

const chooseShare = () =>
  (byId("train-share").value = FEW[byId("train-data").value] ?? "100");

const listLayers = () => field("layers").value.split(",").filter(Boolean);

/** @param {string[]} layers */
function setLayers(layers) {
  field("layers").value = layers.join(",");
  showCommand();
}

/** Offer the digits that are here, and say how the others are had. @param {Record<string, boolean>} data */
function showSources(data) {
  const select = byId("train-data");
  for (const option of select.options) option.disabled = !data[option.value];
  if (select.selectedOptions[0]?.disabled) select.value = data.mnist ? "mnist" : "uci";
  byId("train-missing").hidden = data.mnist !== false;
  byId("train-missing").textContent = explainMissing("mnist");
}

/** Offer the networks that can be gone on from: those of the same kind. */
function showNetwork() {
  const kind = byId("train-network").value;
  const chosen = byId("train-from").value;
  byId("train-about").textContent = known.trainable.find(({ name }) => name === kind)?.about ?? "";
  const same = known.networks
    .filter(({ network }) => network === kind)
    .map(({ name }) => ({ value: name, text: name }));
  setOptions(byId("train-from"), [{ value: "", text: "random weights" }, ...same], chosen);
  if (byId("train-from").selectedIndex < 0) byId("train-from").value = "";
  fieldOf("recipe").hidden = kind !== "dense";
  byId("train-terminal").hidden = byId("train-data").value === "generated"; // they are this page's own
  showCommand();
}

/** Fill in the form to train a network from the start. @param {string} network */
export function chooseNetwork(network) {
  byId("train-network").value = network;
  byId("train-share").value = "100";
  for (const name of CHANGED) field(name).value = "";
  showNetwork();
}

/** Fill in the form to go on from a network with one's own digits. @param {string} network */
export function continueFrom(network) {
  const kind = known.networks.find(({ name }) => name === network)?.network ?? network;
  byId("train-data").value = "own";
  chooseNetwork(kind);
  byId("train-from").value = network;
  showCommand();
}

/** What the form asks for. @returns {Api.TrainWish} */
export function readForm() {
  const network = byId("train-network").value;
  const share = Number(byId("train-share").value) / 100;
  const changes = CHANGED
    .filter((name) => field(name).value !== "" && !fieldOf(name).hidden)
    .map((name) => [name, CHANGES[name](field(name).value)]);
  return {
    network,
    data: byId("train-data").value,
    share: share < 1 ? share : null,
    seed: Number(field("seed").value) || 0,
    from: byId("train-from").value || null,
    layers: byId("layers-part").hidden ? null : field("layers").value,
    ...Object.fromEntries(changes),
  };
}

/** The same for a terminal. */
function showCommand() {
  // What is gone on from has its layers.
  const isOwn = byId("train-network").value === "custom" && !byId("train-from").value;
  byId("layers-part").hidden = fieldOf("activation").hidden = !isOwn;
  byId("share-out").textContent = `${byId("train-share").value} %`;
  const { network, data = "", share, from, ...rest } = readForm();
  const limit = share && COUNTS[data] && !from ? Math.max(10, Math.round(share * COUNTS[data])) : null;
  const options = Object.entries({ from, data: data === "own" ? "runs/own" : data, limit, ...rest })
    .filter(([, value]) => value !== null && value !== 0)
    .map(([name, value]) => `--${name.replace("_", "-")} ${value}`);
  byId("train-command").textContent = `digitlens train ${network} ${options.join(" ")}`;
  byId("share-count").textContent = COUNTS[data] ? `${formatCount(limit ?? COUNTS[data])} digits` : "";
  byId("layer-list").replaceChildren(...listLayers().map((word) => h("li", {}, word)), h("li", {}, "dense10"));
}
