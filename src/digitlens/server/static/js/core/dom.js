// Elements without markup in strings.

/** @param {string} id @returns {any} */
export const by = (id) => document.getElementById(id);

/** @param {string} selector @returns {any[]} */
export const all = (selector, within = document.body) => [...within.querySelectorAll(selector)];

/**
 * Make an element: attributes, listeners ("onclick") and children.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, String(value));
    }
  }
  made.append(...children.filter((each) => each !== null));
  return made;
}

/** Make an SVG element. @param {string} tag @param {Record<string, any>} attributes @returns {any} */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** Fill a select. @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options @param {string} value */
export function fill(select, options, value) {
  select.replaceChildren(
    ...options.map((each) => el("option", { value: each.value }, each.text)),
  );
  select.value = value;
}

/** The chosen radio button of a name. @param {string} name @param {string} value */
export function choose(name, value) {
  const found = document.querySelector(`input[name="${name}"][value="${value}"]`);
  if (found instanceof HTMLInputElement) found.checked = true;
}

/**
 * Let the arrow keys move among buttons that stand for one choice, as radio buttons do.
 * @param {HTMLElement} group holds elements with role="radio"
 */
export function arrows(group) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const choices = all('[role="radio"]', group);
    const at = choices.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    const next = (at + step + choices.length) % choices.length;
    choices[next].click();
    all('[role="radio"]', group)[next]?.focus(); // it may have been made anew
  });
}

/** Mark one of several radio elements as chosen. @param {Iterable<Element>} choices @param {number} at */
export function mark(choices, at) {
  [...choices].forEach((each, number) => {
    each.setAttribute("aria-checked", String(number === at));
    each.setAttribute("tabindex", number === at ? "0" : "-1");
  });
}
