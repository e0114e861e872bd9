// The words of the field: a "?" beside a term opens its explanation, on every tab the same.

import { announce, capitalize } from "../core/messages.js";
import { bindRoving, h, queryAll } from "../core/dom.js";

/** Each term in a sentence or three, for who meets it for the first time. @type {Record<string, string>} */
export /** @type {Record<string, string>} */
const TERMS = {
  activation:
    "What is done to each sum before it is passed on. Without it, several layers in a row could be replaced by one.",
  augmentation:
    "Digits are shifted, turned, scaled and bent a little at random each time they are shown, so that the network never sees the same picture twice.",
  batch: "So many digits go through the network together; their mean slope makes one step of the weights. Small batches make many rough steps, large ones few smooth ones.",
  bias: "A number that is added to each sum of a kernel or of a dense layer, whatever the picture holds. It is learned, like the weights.",
  channel:
    "One of the pictures that a layer takes in. The drawn digit is one channel; a layer with 16 feature maps gives the next layer 16 channels.",
  "confidence interval":
    "The share of right answers is measured on few digits, so another few would give another figure. In 95 of 100 such measurements the interval holds the true share.",
  convolution:
    "A small table of weights, the kernel, is laid over each place of the picture; the numbers under it are multiplied with its weights and added up. The same kernel at every place: what it looks for is found wherever it is.",
  dense:
    "A layer in which each number is a sum over all numbers before it, each with a weight of its own. Also called fully connected.",
  dropout: "In each step so large a share of a dense layer's values is left out at random. The network cannot rely on single ones, and overfits less.",
  ensemble: "Several networks that answer together: the mean of their answers is right more often than each alone.",
  epoch: "One pass over all digits of the training set. Networks see the same digits many times.",
  "feature map":
    "What one kernel makes of the picture: large where the kernel found what it looks for, about 0 elsewhere.",
  "integrated gradients":
    "The digit is faded in from blank paper, and at each step it is asked how much each pixel moves the answer. Summed up, the parts of all pixels are the answer's log-odds less those of blank paper.",
  kernel: "The small table of weights of a convolution, often 3 x 3 or 5 x 5. Training finds its numbers.",
  "learning rate":
    "How far each step moves the weights. Too large, and the loss jumps about; too small, and training takes for ever. It rises at first and then falls to zero; this is its highest value.",
  logit:
    "The number that the last layer gives for a digit, before softmax: any size, below 0 too. Only the differences between logits count.",
  "log-odds":
    "The natural logarithm of p / (1 - p). 0 is fifty-fifty, 4.6 is 99 %, and 2.3 more is ten times as sure.",
  loss: "How wrong the answers are, as one number: 0 where the true digit has 100 %, large where a wrong one has. Training makes it smaller; lower is better.",
  "not a digit":
    "Some networks answer a second question: is there a digit at all? Its probability is compared with a limit of its own, which was chosen so that nearly all real digits pass. It does not take part in the ten bars.",
  occlusion:
    "A window of 5 x 5 pixels is turned to paper, at each place in turn. Where the answer loses most, the ink under the window mattered most.",
  "one-hot":
    "A digit as ten numbers: a 1 at its place, 0 elsewhere. Training compares the ten probabilities with it.",
  padding: "Rows and columns of paper laid around what a layer takes in, so that the kernel fits at its edges too.",
  pooling:
    "Each small window, mostly 2 x 2, is replaced by its largest number. The map becomes smaller, and a feature that is a pixel off is found all the same.",
  ReLU: "An activation: numbers below 0 become 0, the others stay as they are.",
  seed: "The number that decides everything random in a training: first weights, order of digits, changes of pictures. The same seed gives the same network.",
  softmax:
    "Makes probabilities of logits: e to the power of each, divided by the sum of all ten. They are above 0 and sum to 1.",
  stride: "By how many pixels a kernel moves from place to place. With 2 the map is half as wide and half as high.",
  validation:
    "Digits that are held back from training, to see how the network does on digits it has not seen; where writers are known, all digits of a writer go together. The epoch with the fewest mistakes on them is kept.",
  weight: "A learned number that an input is multiplied with.",
  "why a name?": "What you settle is kept with the name of who settled it, so that two reviewers are told apart. Any name will do.",
};

/** @type {HTMLElement | null} */
let box = null;
/** @type {HTMLElement | null} the button whose explanation is open */
let opener = null;

/** Open a term's explanation beside its button, or close it. @param {string} term @param {HTMLElement} button */
function toggle(term, button) {
  box ??= makeBox();
  const again = opener === button;
  box.hidePopover();
  if (again) return;
  box.replaceChildren(h("p", {}, h("dfn", {}, capitalize(term)), " ", TERMS[term]));
  box.showPopover();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  const [place, size] = [button.getBoundingClientRect(), box.getBoundingClientRect()];
  const below = place.bottom + 6 + size.height < innerHeight;
  box.style.left = `${Math.max(8, Math.min(place.left, innerWidth - size.width - 8))}px`;
  box.style.top = `${below ? place.bottom + 6 : Math.max(8, place.top - 6 - size.height)}px`;
  announce(`${term}: ${TERMS[term]}`);
}

function makeBox() {
  const made = h("div", { popover: "manual", id: "term", class: "term-box" });
  const close = () => made.hidePopover();
  made.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    opener?.setAttribute("aria-expanded", "false");
    opener = null;
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.addEventListener("pointerdown", ({ target }) => {
    const isInside = target instanceof Element && (made.contains(target) || target.closest(".term"));
    if (!isInside) close();
  });
  addEventListener("scroll", close, { passive: true });
  document.body.append(made);
  return made;
}

/** A "?" that explains a term. @param {string} term */
export const explainTerm = (term) =>
  h(
    "button",
    {
      type: "button",
      class: "term",
      "aria-label": `Explain: ${term}`,
      "aria-expanded": "false",
      tabindex: "-1",
      onclick: (event) => toggle(term, event.currentTarget),
    },
    "?",
  );

/** Give each element with data-term its "?"; those of a view are one stop of the Tab key. */
export function bindTerms() {
  for (const place of queryAll("[data-term]")) {
    place.replaceWith(...(place.dataset.term ?? "").split(",").map(explainTerm));
  }
  for (const view of queryAll("section.view")) refreshers.set(view.id, bindRoving(view, ".term"));
}

/** @type {Map<string, () => void>} */
const refreshers = new Map();

/** A view has changed: its "?" may be others. @param {string} view its id */
export const refreshTerms = (view) => refreshers.get(view)?.();
