// The state of the page: what the reader has chosen, and what follows from it for each image.

import { isInLegend, updateValues } from "./coloring.js";
import { data, isHeldOut, isWrong, labels, maps } from "./data.js";

export const state = {
  map: 0, // the map that is shown
  from: 0, // the map that the points move from
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
  beside: null, // the map beside the one that is shown, "all" of them, or none
  tiles: true, // whether images take the place of points where there is room
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

/** Apply the filters to all images, in the map that is shown. */
export function applyFilters() {
  updateValues();
  inColor = Uint8Array.from(labels, (_, image) => Number(passesFilters(image)));
}

/** Return the nearest neighbors of an image in the map that is shown, or in another one, nearest first.
 *
 * Of a sample of the images, those that are not on the page are left out.
 */
export function getNeighbors(image, map = state.map) {
  const start = image * data.nearest;
  const found = [...maps[map].neighbors.subarray(start, start + data.nearest)];
  return found.filter((neighbor) => neighbor < data.splits.train);
}

/** Return the class that most neighbors of an image have in a map, that of the nearest if several are equal. */
export function getVote(image, map = state.map) {
  const { votes } = maps[map];
  if (votes) return votes[image];
  const counts = new Map();
  for (const neighbor of getNeighbors(image, map)) counts.set(labels[neighbor], (counts.get(labels[neighbor]) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? labels[image];
}
