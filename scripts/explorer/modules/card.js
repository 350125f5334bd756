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
  maps,
  nameMap,
  predictions,
  texts,
} from "./data.js";
import { $, makeElement } from "./elements.js";
import { drawImage } from "./images.js";
import { pinImage } from "./pointing.js";
import { getNeighbors, state } from "./state.js";

/** Draw the card, or the hint if there is no image to show. */
export function drawCard() {
  const image = state.hovered >= 0 ? state.hovered : state.pinned;
  const isCompared = typeof state.beside === "number";
  for (const element of document.querySelectorAll(".layer")) element.textContent = nameMap(maps[state.map]);
  for (const element of document.querySelectorAll(".other")) element.textContent = isCompared ? nameMap(maps[state.beside]) : "";
  $("about").hidden = $("nearest").hidden = image < 0;
  $("name").hidden = image < 0 || !data.texts.length;
  $("compared").hidden = image < 0 || !isCompared;
  $("hint").hidden = image >= 0;
  if (image < 0) return;
  drawImage($("image"), image);
  drawFacts(image);
  $("name").textContent = $("name").title = data.texts.map((column) => texts[column][image]).join("\n");
  drawNeighbors($("neighbors"), image, state.map);
  if (isCompared) compareNeighbors(image);
}

/** Draw the neighbors of an image in the map beside the one that is shown, and say how many of them are the same. */
function compareNeighbors(image) {
  const [own, others] = [getNeighbors(image), getNeighbors(image, state.beside)];
  const kept = own.filter((neighbor) => others.includes(neighbor)).length;
  drawNeighbors($("others"), image, state.beside);
  $("kept").textContent = `${kept} in both maps; the lines to the others are dashed`;
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

/** Draw the nearest neighbors of an image in a map as buttons, and say how many have the same label. */
function drawNeighbors(group, image, map) {
  const neighbors = getNeighbors(image, map);
  group.replaceChildren(...neighbors.map((neighbor, rank) => makeNeighborButton(group, neighbor, rank)));
  const absent = data.nearest - neighbors.length;
  const same = neighbors.filter((neighbor) => labels[neighbor] === labels[image]).length;
  const facts = [hasLabels && `${same} of ${neighbors.length} have the same label`, absent && `${absent} are not on this page`];
  const textContent = facts.filter(Boolean).join("; ");
  if (textContent) group.append(makeElement("p", { textContent }));
}

/** Return a button that shows a neighbor and pins it. */
function makeNeighborButton(group, neighbor, rank) {
  const label = getClassName(neighbor);
  const button = makeElement("button", { type: "button", title: `${hasLabels ? `${label}, ` : ""}no. ${neighbor}` });
  button.setAttribute("aria-label", `Pin neighbor ${neighbor}${hasLabels ? `, label ${label}` : ""}`);
  button.style.borderBottomColor = getColor(neighbor);
  button.onclick = () => {
    state.hovered = -1;
    pinImage(neighbor);
    group.children[rank].focus(); // of the new buttons
  };
  if (hasImages) {
    const canvas = makeElement("canvas", { className: "image" });
    button.append(canvas);
    drawImage(canvas, neighbor);
  } else button.append(button.title);
  return button;
}
