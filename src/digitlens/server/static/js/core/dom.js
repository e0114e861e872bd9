// Elements without markup in strings.

/** @template {string} I @param {I} id @returns {ById<I>} */
export const byId = (id) => /** @type {any} its tag is in types/lab.d.ts */ (document.getElementById(id));

/** @template {string} S @param {S} selector @param {ParentNode} [within] @returns {Selected<S>[]} */
export const queryAll = (selector, within = document.body) => [.../** @type {any} */ (within.querySelectorAll(selector))];

/** The first element of a selector, which is known to be there. @template {string} S @param {S} selector @param {ParentNode} within @returns {Selected<S>} */
export const query = (selector, within) => /** @type {any} */ (within.querySelector(selector));

/**
 * Make an element: attributes, listeners ("onclick") and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes<HTMLElementTagNameMap[T]>} [attributes]
 * @param {...(Node | string | null)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
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

/** Make an SVG element. @template {keyof SVGElementTagNameMap} T @param {T} tag @param {Record<string, string | number>} [attributes] @param {...(Node | string)} children */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** What a canvas is painted with. @param {HTMLCanvasElement} canvas */
export const getBrush = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/** Fill a select. @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options @param {string} value */
export function setOptions(select, options, value) {
  select.replaceChildren(
    ...options.map((item) => h("option", { value: item.value }, item.text)),
  );
  select.value = value;
}

/** Call `callback` with each file that is chosen, the same one again too. @param {HTMLInputElement} field @param {(file: File) => void} callback */
export function bindFile(field, callback) {
  field.addEventListener("change", () => {
    const file = field.files?.[0];
    if (file) callback(file);
    field.value = "";
  });
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
    const index = choices.findIndex((item) => item === document.activeElement);
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
    queryAll(selector, group).filter((item) => !item.matches(":disabled") && item.checkVisibility());
  function refresh(/** @type {Element | null} */ chosen = null) {
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
    const index = items.findIndex((item) => item === document.activeElement);
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
