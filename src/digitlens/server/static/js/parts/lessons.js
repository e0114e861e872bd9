// Links to the lessons of the course, where the course is published beside this page.

import { h, queryAll } from "../core/dom.js";

/** @type {Record<string, string>} */
const TITLES = {
  "01-pixels-and-tensors": "Pixels and tensors",
  "02-features": "Features",
  "03-labels-and-answers": "Labels and answers",
  "04-one-neuron": "One neuron",
  "05-fully-connected": "Fully connected",
  "06-overfitting": "Overfitting",
  "07-convolution": "Convolution",
  "08-pooling": "Pooling",
  "09-honest-evaluation": "Honest evaluation",
  "10-the-post-office": "The post office",
  "11-your-own-hand": "Your own hand",
};

/** End each text that names lessons with links to them; where there is no course, with their files. */
export function bindLessons() {
  const course = document.querySelector('meta[name="digitlens-course"]')?.getAttribute("content");
  for (const text of queryAll("[data-lessons]")) {
    const links = (text.dataset.lessons ?? "").split(",").flatMap((name) => {
      const words = `${Number(name.slice(0, 2))}, ${TITLES[name]}`;
      return [" ", course ? h("a", { href: `${course}${name}.html` }, words) : h("span", {}, words, " ", h("code", {}, `docs/course/${name}.md`))];
    });
    text.append(h("p", {}, "Lessons of the course:", ...links));
  }
}
