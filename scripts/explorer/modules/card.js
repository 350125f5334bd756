// The card: the image under the mouse, or else the pinned one, with its facts and its neighbors.

import { getColor } from "./coloring.js";
import {
  confidences,
  data,
  getClassName,
  hasHeldOut,
  hasImages,
  hasLabels,
  isWrong,
  labels,
  locateInSplit,
  names,
  predictions,
} from "./data.js";
import { $, makeElement } from "./elements.js";
import { drawImage } from "./images.js";
import { pinImage } from "./pointing.js";
import { getNeighbors, state } from "./state.js";

/** Draw the card, or the hint if there is no image to show. */
export function drawCard() {
  const image = state.hovered >= 0 ? state.hovered : state.pinned;
  for (const element of document.querySelectorAll(".layer")) element.textContent = data.layers[state.layer];
  $("about").hidden = $("nearest").hidden = image < 0;
  $("name").hidden = image < 0 || !data.naming;
  $("hint").hidden = image >= 0;
  if (image < 0) return;
  drawImage($("image"), image);
  drawFacts(image);
  if (data.naming) $("name").textContent = $("name").title = names[image];
  drawNeighborButtons(image);
}

/** List the label, the prediction and the number of an image. */
function drawFacts(image) {
  const facts = hasLabels ? [["Label", getClassName(image), "name"]] : [];
  if (data.predicted) {
    const confidence = confidences ? `, ${(confidences[image] / 100).toFixed(1)} %` : "";
    facts.push(["Prediction", `${data.classes[predictions[image]]}${confidence}`, isWrong(image) ? "miss" : ""]);
  }
  const { split, id } = locateInSplit(image);
  facts.push([hasHeldOut ? { train: "Training", validation: "Validation", test: "Test" }[split] : "Row", `no. ${id}`, ""]);
  const elements = facts.flatMap(([term, text, className]) => [
    makeElement("dt", { textContent: term }),
    makeElement("dd", { textContent: text, className }),
  ]);
  $("facts").replaceChildren(...elements);
}

/** Draw the nearest neighbors of an image as buttons, and say how many have the same label. */
function drawNeighborButtons(image) {
  const neighbors = getNeighbors(image);
  $("neighbors").replaceChildren(...neighbors.map(makeNeighborButton));
  if (!hasLabels) return;
  const same = neighbors.filter((neighbor) => labels[neighbor] === labels[image]).length;
  $("neighbors").append(makeElement("p", { textContent: `${same} of ${data.nearest} have the same label` }));
}

/** Return a button that shows a neighbor and pins it. */
function makeNeighborButton(neighbor, rank) {
  const label = getClassName(neighbor);
  const button = makeElement("button", { type: "button", title: `${hasLabels ? `${label}, ` : ""}no. ${neighbor}` });
  button.setAttribute("aria-label", `Pin neighbor ${neighbor}${hasLabels ? `, label ${label}` : ""}`);
  button.style.borderBottomColor = getColor(neighbor);
  button.onclick = () => {
    state.hovered = -1;
    pinImage(neighbor);
    $("neighbors").children[rank].focus(); // of the new buttons
  };
  if (hasImages) {
    const canvas = makeElement("canvas", { className: "image" });
    button.append(canvas);
    drawImage(canvas, neighbor);
  } else button.append(button.title);
  return button;
}
