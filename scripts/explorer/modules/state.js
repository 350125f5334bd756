// The state of the page: what the reader has chosen, and what follows from it for each image.

import { isInLegend, updateValues } from "./coloring.js";
import { data, isHeldOut, isWrong, labels, maps } from "./data.js";

export const state = {
  layer: 0, // the layer that is shown
  from: 0, // the layer that the points move from
  progress: 1, // the share of the way that they have moved
  hovered: -1, // the image under the mouse, or -1
  pinned: -1, // the pinned image, or -1
  classes: new Set(), // the classes in color; if there are none, all are
  wrong: false, // whether only wrong predictions are in color
  heldout: "with", // whether held-out images are shown "with" the others, "only" these in color, or "hidden"
  coloring: "", // the key of what the colors stand for
  entries: new Set(), // the entries of its legend in color; if there are none, all are
  range: null, // the lowest and the highest number in color; if it is null, all are
  selection: [], // the selected images
  joining: "new", // whether images that are selected are a "new" selection, "add" to it, or are to "remove" from it
};

let inColor; // for each image, whether it is in color

/** Tell whether a class is in color. */
export const isLabelInColor = (label) => !state.classes.size || state.classes.has(label);

export const isHidden = (image) => state.heldout === "hidden" && isHeldOut(image);
export const isInColor = (image) => inColor[image] === 1;

/** Tell whether the filters leave an image in color. */
function passesFilters(image) {
  if (isHidden(image) || !isLabelInColor(labels[image])) return false;
  if (state.wrong && !isWrong(image)) return false;
  return (state.heldout !== "only" || isHeldOut(image)) && isInLegend(image);
}

/** Apply the filters to all images, in the layer that is shown. */
export function applyFilters() {
  updateValues();
  inColor = Uint8Array.from(labels, (_, image) => Number(passesFilters(image)));
}

/** Return the nearest neighbors of an image in the layer that is shown, or in another one, nearest first. */
export function getNeighbors(image, layer = state.layer) {
  const start = image * data.nearest;
  return [...maps[layer].neighbors.subarray(start, start + data.nearest)];
}
