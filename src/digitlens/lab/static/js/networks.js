// The networks that can be asked and trained, as /v1/networks lists them.

import { get } from "./core/api.js";

/** @type {{networks: any[], trainable: any[]}} */
export let known = { networks: [], trainable: [] };

/** @type {((found: {networks: any[], trainable: any[]}) => void)[]} */
const listeners = [];

/** Call `act` when the list is there, and when it changes. @param {(found: any) => void} act */
export const onNetworks = (act) => listeners.push(act);

/** @param {{networks: any[], trainable: any[]}} found */
export function tellNetworks(found) {
  known = found;
  for (const act of listeners) act(found);
}

/** Ask again: a run has ended. */
export const refreshNetworks = async () => tellNetworks(await get("/v1/networks"));
