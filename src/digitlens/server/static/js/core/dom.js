// Elements without markup in strings.

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** @param {string} selector @returns {any[]} */
export const queryAll = (selector, within = document.body) => [...within.querySelectorAll(selector)];

/**
 * Make an element: attributes, listeners ("onclick") and children.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((item) => item !== null));
  return element;
}

/** Write words where they are others: the page is not laid out anew for the same. @param {Element} element @param {string} words */
export function setText(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Make an SVG element. @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children @returns {any} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Fill a select. @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options @param {string} value */
export function setOptions(select, options, value) {
  select.replaceChildren(
    ...options.map((item) => h("option", { value: item.value }, item.text)),
  );
  select.value = value;
}

/** The chosen radio button of a name. @param {string} name @param {string} value */
export function check(name, value) {
  const result = document.querySelector(`input[name="${name}"][value="${value}"]`);
  if (result instanceof HTMLInputElement) result.checked = true;
}

/**
 * Let the arrow keys move among buttons that stand for one choice, as radio buttons do.
 * @param {HTMLElement} group holds elements with role="radio"
 */
export function bindArrowKeys(group) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const choices = queryAll('[role="radio"]', group);
    const index = choices.indexOf(document.activeElement);
    if (index < 0) return;
    event.preventDefault();
    const next = (index + step + choices.length) % choices.length;
    choices[next].click();
    queryAll('[role="radio"]', group)[next]?.focus(); // it may have been made anew
  });
}

/**
 * One stop of the Tab key for many controls: the arrow keys lead from one to the next. They may
 * come and go; call what is returned when they have.
 * @param {HTMLElement} group
 * @param {string} [selector]
 */
export function bindRoving(group, selector = "button") {
  const list = () =>
    queryAll(selector, group).filter((item) => !item.disabled && item.checkVisibility());
  function refresh(/** @type {any} */ chosen = null) {
    const items = list();
    const all = queryAll(selector, group);
    // Where nothing is seen yet, what will be.
    const stop = chosen ?? items.find((item) => item.tabIndex === 0) ?? items[0] ?? all[0];
    for (const item of all) item.tabIndex = item === stop ? 0 : -1;
  }
  group.addEventListener("focusin", ({ target }) => {
    if (target instanceof Element && target.matches(selector)) refresh(target);
  });
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const items = list();
    const index = items.indexOf(document.activeElement);
    if (!step || index < 0) return;
    event.preventDefault();
    items[(index + step + items.length) % items.length].focus();
  });
  refresh();
  return () => refresh();
}

/** Mark one of several radio elements as chosen. @param {Iterable<Element>} choices @param {number} index */
export function setActive(choices, index) {
  [...choices].forEach((item, number) => {
    item.setAttribute("aria-checked", String(number === index));
    item.setAttribute("tabindex", number === index ? "0" : "-1");
  });
}
