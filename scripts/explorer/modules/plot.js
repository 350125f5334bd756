// The plot draws the points of the map and moves them on the GPU. It is made by regl-scatterplot.

import createScatterplot from "regl-scatterplot";
import { getColors } from "./coloring.js";
import { maps, shuffledImages } from "./data.js";
import { $ } from "./elements.js";
import { isHidden, isInColor, state } from "./state.js";

const COVERAGE = 0.5; // the share of the map's area that the points would cover side by side
const POINT_SIZES = [1.4, 9]; // pixels: the smallest and the largest diameter of a point
const MAX_ENLARGEMENT = 3; // of the points in color where most are gray

export let plot;
export let mapWidth, mapHeight; // of the map on the page, in pixels
let drawnLayer; // the layer in which the points were drawn last
let drawnNumbers; // for each image, the number of the color in which it was drawn last
let drawing = Promise.resolve(); // the end of the last drawing

/** Create the plot, without points. */
export function createPlot() {
  plot = createScatterplot({
    canvas: $("points"),
    syncEvents: true,
    colorBy: "valueA",
    sizeBy: "valueA",
    opacity: 0.9,
    opacityInactiveScale: 0.12, // of points that are not selected
    pointSizeSelected: 0,
    pointOutlineWidth: 0,
    lassoType: "rectangle",
    lassoOnLongPress: false,
    lassoClearEvent: "lassoEnd",
    actionKeyMap: { lasso: "shift" },
    deselectOnDblClick: false,
    deselectOnEscape: false,
  });
  plot.get("camera").config({ isRotate: false });
}

/** Return a color of the style sheet, which depends on the theme. */
export const getThemeColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Return the images that are drawn gray, in color, and not at all, each in the order of drawing. */
export function groupImages() {
  const groups = { gray: [], colored: [], hidden: [] };
  for (const image of shuffledImages) {
    const group = isHidden(image) ? "hidden" : isInColor(image) ? "colored" : "gray";
    groups[group].push(image);
  }
  return groups;
}

/** Set the sizes and colors of the points, and draw those in color above the gray ones. */
function stylePoints({ gray, colored, hidden }) {
  const shown = gray.length + colored.length;
  const diameter = Math.min(mapWidth, mapHeight) * Math.sqrt((COVERAGE / shown) * (4 / Math.PI));
  const size = Math.max(POINT_SIZES[0], Math.min(POINT_SIZES[1], diameter));
  const enlargement = Math.min(MAX_ENLARGEMENT, Math.max(1, (shown / (colored.length || 1)) ** 0.2));
  const colors = [...getColors().colors, getThemeColor("gray")];
  const sizes = colors.map((_, number) => (number < colors.length - 1 ? size * enlargement : size));
  // The sizes are reset first: the library takes two arrays with the same values in another order for equal.
  plot.set({ pointSize: size });
  plot.set({
    pointSize: sizes,
    pointSizeMouseDetection: size * enlargement,
    pointColor: colors,
    pointColorActive: colors,
    pointColorHover: colors,
    backgroundColor: getThemeColor("paper"),
    lassoColor: getThemeColor("ink"),
    pointOrder: [...gray, ...colored, ...hidden],
  });
}

/** Return the number of each image's color; gray has the number after the last color. */
function numberColors() {
  const { colors, getNumber } = getColors();
  return Uint16Array.from(shuffledImages, (_, image) => (isInColor(image) ? getNumber(image) : colors.length));
}

/** Draw the points at their places in the layer that is shown, with some options of the plot. */
export function drawPoints(options = {}) {
  const { x, y } = maps[state.layer];
  drawnLayer = state.layer;
  drawnNumbers = numberColors();
  const points = { x, y, z: drawnNumbers };
  drawing = drawing.then(() => plot.draw(points, { preventFilterReset: true, zDataType: "categorical", ...options }));
  return drawing;
}

/** Remove the hidden images from the plot. */
function filterPoints({ gray, colored, hidden }) {
  if (hidden.length) plot.filter([...gray, ...colored].sort((a, b) => a - b), { preventEvent: true });
  else if (plot.get("isPointsFiltered")) plot.unfilter({ preventEvent: true });
}

/** Draw the points again if any of them has another color now. */
export function recolorPoints() {
  const numbers = numberColors();
  const sameIndex = drawnLayer === state.layer ? { spatialIndex: plot.get("spatialIndex") } : {};
  if (numbers.some((number, image) => number !== drawnNumbers[image])) drawPoints(sameIndex);
}

/** Bring the plot in line with the filters, the theme and the size of the map. */
export function updatePlot(groups) {
  ({ width: mapWidth, height: mapHeight } = $("points").getBoundingClientRect());
  stylePoints(groups);
  filterPoints(groups);
}

/** Return the pixel of the map where a point is that moves between the given coordinates of two layers. */
export function projectPoint(from, to) {
  const [x, y] = [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * state.progress);
  const view = plot.get("camera").view;
  return [(mapWidth + mapHeight * (view[0] * x + view[12])) / 2, (mapHeight * (1 - view[5] * y - view[13])) / 2];
}

/** Return the pixel of the map where an image is. */
export function locateImage(image) {
  const [from, to] = [maps[state.from], maps[state.layer]];
  return projectPoint([from.x[image], from.y[image]], [to.x[image], to.y[image]]);
}

/** Move the view by shares of its size, and zoom it by a factor; below 1 it comes closer. */
export function moveView(dx, dy, factor) {
  const [x, y] = plot.get("cameraTarget");
  const distance = plot.get("cameraDistance") * factor;
  plot.zoomToLocation([x + dx * distance, y + dy * distance], distance);
}

/** Return the view: the x and y of its center and its distance. */
export const getView = () => [...plot.get("cameraTarget"), plot.get("cameraDistance")];

/** Show a view, as getView returns it. */
export const setView = ([x, y, distance]) => plot.zoomToLocation([x, y], distance);

/** Move the center of the view to an image. */
export function moveTo(image) {
  const { x, y } = maps[state.layer];
  setView([x[image], y[image], plot.get("cameraDistance")]);
}

/** Zoom to the whole map. */
export const showWholeMap = () => plot.zoomToArea({ x: -1, y: -1, width: 2, height: 2 });
