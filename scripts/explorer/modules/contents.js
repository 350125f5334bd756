// The contents of the selection: counts by split, a table of labels and predictions, and a gallery of its images.

import { confidences, data, depths, getClassName, hasHeldOut, hasImages, hasLabels, labels, locateInSplit, predictions } from "./data.js";
import { $, formatNumber, makeElement } from "./elements.js";
import { drawImage } from "./images.js";
import { pinImage } from "./pointing.js";
import { state } from "./state.js";

const MAX_IMAGES = 60; // of the gallery
const MAX_ROWS = 12; // of the table

const ORDERS = {
  number: { name: "number", isKnown: true, compare: (a, b) => a - b },
  class: { name: "class", isKnown: hasLabels, compare: (a, b) => labels[a] - labels[b] },
  confidence: { name: "confidence, lowest first", compare: (a, b) => confidences[a] - confidences[b] },
  depth: { name: "prediction depth, deepest first", compare: (a, b) => depths[b] - depths[a] },
};

/** Offer the orders that the data has. */
export function prepareContents() {
  Object.assign(ORDERS.confidence, { isKnown: Boolean(confidences) });
  Object.assign(ORDERS.depth, { isKnown: Boolean(depths) });
  for (const [value, { name, isKnown }] of Object.entries(ORDERS)) {
    if (isKnown) $("order").append(makeElement("option", { value, textContent: name }));
  }
  $("order").onchange = showContents;
}

/** Return how often each value occurs, the most frequent first. */
function countValues(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** Show how many images of each split are selected, and of each label with each prediction. */
function showCounts(images) {
  const splits = countValues(images.map((image) => locateInSplit(image).split));
  $("counts").textContent = splits.map(([split, count]) => `${formatNumber(count)} ${split}`).join(", ");
  $("counts").hidden = !hasHeldOut;
  $("table").hidden = !hasLabels;
  if (!hasLabels) return;
  const pairs = countValues(images.map((image) => (data.predicted ? labels[image] * data.classes.length + predictions[image] : labels[image])));
  const rows = pairs.slice(0, MAX_ROWS).map(([pair, count]) => {
    const label = data.predicted ? Math.floor(pair / data.classes.length) : pair;
    const prediction = pair % data.classes.length;
    const cells = [data.classes[label], ...(data.predicted ? [data.classes[prediction]] : []), formatNumber(count)];
    return makeRow("td", cells, data.predicted && label !== prediction ? "miss" : "");
  });
  const more = pairs.length - rows.length;
  $("table").replaceChildren(makeRow("th", ["label", ...(data.predicted ? ["prediction"] : []), "images"]), ...rows);
  $("more").textContent = more > 0 ? `and ${formatNumber(more)} more rows` : "";
}

/** Return a row of the table. */
function makeRow(tag, cells, className = "") {
  const row = makeElement("tr", { className });
  row.append(...cells.map((textContent) => makeElement(tag, { textContent })));
  return row;
}

/** Return a button that shows an image of the selection and pins it. */
function makeGalleryButton(image) {
  const { split, id } = locateInSplit(image);
  const title = `${getClassName(image)} ${hasHeldOut ? split : "no."} ${id}`.trim();
  const button = makeElement("button", { type: "button", title });
  button.setAttribute("aria-label", `Pin ${title}`);
  const canvas = makeElement("canvas", { className: "image" });
  button.append(canvas);
  button.onclick = () => pinImage(image);
  drawImage(canvas, image);
  return button;
}

/** Show what is selected. */
export function showContents() {
  const images = state.selection;
  $("contents").hidden = !images.length;
  if (!images.length) return;
  showCounts(images);
  $("ordered").hidden = !hasImages;
  if (!hasImages) return;
  const shown = [...images].sort(ORDERS[$("order").value].compare).slice(0, MAX_IMAGES);
  $("gallery").replaceChildren(...shown.map(makeGalleryButton));
  $("rest").textContent = images.length > shown.length ? `${shown.length} of ${formatNumber(images.length)} are shown.` : "";
}
