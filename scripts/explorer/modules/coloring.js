// The coloring: what the colors of the points stand for. A coloring has entries, or it has numbers and a ramp.

import {
  confidences,
  data,
  depths,
  hasHeldOut,
  hasLabels,
  isWrong,
  labels,
  locateInSplit,
  maps,
  nameMap,
  predictions,
} from "./data.js";
import { getNeighbors, getVote, isLabelInColor, state } from "./state.js";

const STEPS = 64; // of the ramp
const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]; // viridis
const DARKEST = 0.25; // the share of the ramp that is left out on a dark page
const SPLITS = { train: ["Training", "#3f90da"], validation: ["Validation", "#ffa90e"], test: ["Test", "#bd1f01"] };

export let colorings; // all that the data has
export let values; // of each image, in the map that is shown: the number of its entry, or its number
let valuesOf = ""; // the coloring and the map that they are of

/** Tell whether the page is dark. */
export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/** Return a color of the ramp, at a share of it in [0, 1]; on a dark page the darkest are left out. */
export function getRampColor(share) {
  const at = (isDark() ? DARKEST + (1 - DARKEST) * share : share) * (RAMP.length - 1);
  const first = Math.min(Math.floor(at), RAMP.length - 2);
  const channels = [1, 3, 5].map((start) => {
    const [one, other] = [first, first + 1].map((number) => parseInt(RAMP[number].slice(start, start + 2), 16));
    return Math.round(one + (other - one) * (at - first));
  });
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Return how far an image lies from its place in another map, in percent of the map. */
export function measureMove(image, number) {
  const [one, other] = [maps[state.map], maps[number]];
  return 50 * Math.hypot(one.x[image] - other.x[image], one.y[image] - other.y[image]);
}

/** Return the colorings that compare the map that is shown with another one. */
function compareWith(map, number) {
  const { layer, epoch } = map;
  const key = epoch === null ? layer : `${layer}:${epoch}`;
  const name = nameMap(map);
  const countShared = (image) => {
    const others = getNeighbors(image, number);
    return getNeighbors(image).filter((neighbor) => others.includes(neighbor)).length;
  };
  return [
    { key: `moved:${key}`, name: `Moved from ${name}`, unit: " % of the map", high: 100, read: (image) => measureMove(image, number) },
    { key: `shared:${key}`, name: `Neighbors shared with ${name}`, unit: "", high: data.nearest, read: countShared },
  ];
}

/** Make the colorings, once the data is there. */
export function makeColorings() {
  const classes = data.classes.map((text, label) => ({ text, color: data.colors[label] }));
  const outcomes = [{ text: "right", color: "#3f90da" }, { text: "wrong", color: "#bd1f01" }];
  const splits = Object.keys(data.splits).filter((split) => data.splits[split]);
  const splitEntries = splits.map((split) => ({ text: SPLITS[split][0], color: SPLITS[split][1] }));
  const toShare = (at) => at / Math.max(1, data.depths.length - 1);
  const depthEntries = data.depths.map((text, at) => ({ text, get color() { return getRampColor(toShare(at)); } }));
  colorings = [
    hasLabels
      ? { key: "class", name: "Class", ofClasses: true, entries: classes, read: (image) => labels[image] }
      : { key: "none", name: "Nothing", entries: [{ text: "", color: data.colors[0] }], read: () => 0 },
    data.predicted && { key: "prediction", name: "Prediction", ofClasses: true, entries: classes, read: (image) => predictions[image] },
    data.predicted && { key: "outcome", name: "Right or wrong", entries: outcomes, read: (image) => Number(isWrong(image)) },
    confidences && { key: "confidence", name: "Confidence", unit: " %", high: 100, read: (image) => confidences[image] / 100 },
    depths && { key: "depth", name: "Prediction depth", entries: depthEntries, read: (image) => depths[image] },
    maps[0].votes && { key: "vote", name: "Vote of the neighbors", ofClasses: true, entries: classes, read: (image) => getVote(image) },
    hasHeldOut && { key: "split", name: "Split", entries: splitEntries, read: (image) => splits.indexOf(locateInSplit(image).split) },
    ...(maps.length > 1 ? maps.flatMap(compareWith) : []),
  ].filter(Boolean);
  state.coloring = colorings[0].key;
}

export const getColoring = () => colorings.find(({ key }) => key === state.coloring);

/** Read the values of the coloring in the map that is shown, unless they are there. */
export function updateValues() {
  if (valuesOf === `${state.coloring} ${state.map}`) return;
  const { read } = getColoring();
  values = Float32Array.from(labels, (_, image) => read(image));
  valuesOf = `${state.coloring} ${state.map}`;
}

/** Return all colors, and a function that returns the number of an image's color. */
export function getColors() {
  const { entries, high } = getColoring();
  if (entries) return { colors: entries.map(({ color }) => color), getNumber: (image) => values[image] };
  const colors = Array.from({ length: STEPS }, (_, step) => getRampColor(step / (STEPS - 1)));
  return { colors, getNumber: (image) => Math.min(STEPS - 1, Math.floor((values[image] / high) * STEPS)) };
}

/** Return the color of an image, whatever the filters. */
export function getColor(image) {
  const { entries, high } = getColoring();
  return entries ? entries[values[image]].color : getRampColor(Math.min(1, values[image] / high));
}

/** Tell whether an entry of the coloring is in color; those of the classes are a filter of their own. */
export function isEntryInColor(number) {
  return state.coloring === "class" ? isLabelInColor(number) : !state.entries.size || state.entries.has(number);
}

/** Tell whether the legend leaves an image in color: its entry is chosen, or its number is in the range. */
export function isInLegend(image) {
  if (state.entries.size) return state.entries.has(values[image]);
  return !state.range || (values[image] >= state.range[0] && values[image] <= state.range[1]);
}
