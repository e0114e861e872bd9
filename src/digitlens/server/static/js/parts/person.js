// Who reviews in this tab: a name, and the token of the piece they have. Two tabs, two people.

const KEY = "digitlens-person";
const LOCK_MS = 600; // milliseconds: a page that is being reloaded lets go within

/** @type {{desk: string, name: string, token: string}} */
export const person = { desk: "", name: "", token: "" };

const makeName = () => `Reviewer ${1 + Math.floor(999 * Math.random())}`;

function loadSaved() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** Remember for as long as the tab is open. @param {Partial<typeof person>} change */
export function savePerson(change) {
  Object.assign(person, change);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(person));
  } catch {
    // Then a reload is somebody new.
  }
}

/** Hold a name that no other tab holds. @param {string} desk @returns {Promise<boolean>} */
function holdName(desk) {
  if (!navigator.locks) return Promise.resolve(true); // not over a network without TLS
  return new Promise((done) => {
    const signal = AbortSignal.timeout(LOCK_MS);
    const keep = () => {
      done(true);
      return new Promise(() => {}); // until the page goes
    };
    navigator.locks.request(`${KEY} ${desk}`, { signal }, keep).catch(() => done(false));
  });
}

/**
 * Find out who reviews here: who did before a reload; in a new tab, and in one that a browser
 * has copied with all that is kept for it, somebody new.
 */
export async function loadPerson() {
  const { desk = "", name = "", token = "" } = loadSaved();
  if (desk && name && (await holdName(desk))) return savePerson({ desk, name, token });
  savePerson({ desk: String(Math.random()).slice(2), name: makeName(), token: "" });
  await holdName(person.desk);
}
