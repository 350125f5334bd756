// The state of the page: what the reader has chosen, and what follows from it for each image.

import { data, getClassOfKind, isHeldOut, isKindHeldOut, isKindWrong, kinds, maps } from "./data.js";

export const state = {
  layer: 0, // the layer that is shown
  from: 0, // the layer that the points move from
  progress: 1, // the share of the way that they have moved
  hovered: -1, // the image under the mouse, or -1
  pinned: -1, // the pinned image, or -1
  classes: new Set(), // the classes in color; if there are none, all are
  wrong: false, // whether only wrong predictions are in color
  heldout: "with", // whether held-out images are shown "with" the others, "only" these in color, or "hidden"
  selection: [], // the selected images
};

/** Tell whether a class is in color. */
export const isLabelInColor = (label) => !state.classes.size || state.classes.has(label);

/** Tell whether the images of a kind are in color. */
export function isKindInColor(kind) {
  if (!isLabelInColor(getClassOfKind(kind))) return false;
  if (state.wrong && !isKindWrong(kind)) return false;
  return state.heldout !== "only" || isKindHeldOut(kind);
}

export const isHidden = (image) => state.heldout === "hidden" && isHeldOut(image);
export const isInColor = (image) => isKindInColor(kinds[image]) && !isHidden(image);

/** Return the nearest neighbors of an image in the layer that is shown, nearest first. */
export function getNeighbors(image) {
  const start = image * data.nearest;
  return [...maps[state.layer].neighbors.subarray(start, start + data.nearest)];
}
