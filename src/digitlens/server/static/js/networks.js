// The networks that can be asked and trained, as /v1/networks lists them.

import { get, isStatic } from "./core/api.js";

/**
 * `data`: each set of digits by its name, and whether it is on this machine; empty until known.
 * @typedef {Api.NetworkList} Known
 */

/** @type {Known} */
export let known = { networks: [], trainable: [], reader: true, data: {} };

/** @type {((networks: Known) => void)[]} */
const listeners = [];

/** Call `callback` when the list is there, and when it changes. @param {(networks: Known) => void} callback */
export const onNetworks = (callback) => listeners.push(callback);

/** @param {Known} networks */
export function setNetworks(networks) {
  known = networks;
  for (const callback of listeners) callback(networks);
}

/** Ask again: a run has ended. */
export const refreshNetworks = async () => setNetworks(await get("/v1/networks"));

/** Digits of one's own were kept or removed. @param {number} count how many there are now */
export function setOwnCount(count) {
  const own = count > 0;
  if (known.data.own !== own) setNetworks({ ...known, data: { ...known.data, own } });
}

const SERVER_HOW = "pip install 'digitlens[lab]', then “digitlens serve” and “digitlens data fetch”.";

/** What to do where a set of digits is not on this machine. @param {string} name */
export function explainMissing(name) {
  if (name === "own" && isStatic) return `Digits of your own are kept by the server: ${SERVER_HOW}`;
  if (name === "own") return "You have no digits of your own yet: save some in Draw or in Read.";
  const title = name === "fashion" ? "Fashion-MNIST" : "MNIST";
  if (isStatic) return `${title} is not shipped with this page: ${SERVER_HOW}`;
  const how = `Type “digitlens data fetch ${name}” once, which downloads it, and reload this page.`;
  return `${title} is not on this machine. ${how}`;
}

/** Above which "no digit" a network rejects a picture; null while that is not known. @param {string} name */
export const findThreshold = (name) =>
  known.networks.find((item) => item.name === name)?.threshold ?? null;

/** Whether a network comes with digitlens: its test figure is in its card. @param {string} name */
export const isPublished = (name) =>
  known.networks.find((item) => item.name === name)?.kind === "published";
