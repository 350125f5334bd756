// The points of the views: which are drawn, in what order, size and color.

import { getColors } from "./coloring.js";
import { maps, shuffledImages } from "./data.js";
import { isHidden, isInColor, state } from "./state.js";
import { measureViews, views } from "./views.js";

const COVERAGE = 0.5; // the share of the map's area that the points would cover side by side
const POINT_SIZES = [1.4, 9]; // pixels: the smallest and the largest diameter of a point
const MAX_ENLARGEMENT = 3; // of the points in color where most are gray

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

/** Set the sizes and colors of a view's points, and draw those in color above the gray ones. */
function stylePoints({ plot, width, height }, { gray, colored, hidden }) {
  const shown = gray.length + colored.length;
  const diameter = Math.min(width, height) * Math.sqrt((COVERAGE / shown) * (4 / Math.PI));
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

/** Draw the points of a view at their places in its map, with some options of the plot. */
export function drawPoints(view = views[0], options = {}, numbers = numberColors()) {
  const { x, y } = maps[view.getMap()];
  Object.assign(view, { drawnMap: view.getMap(), drawnNumbers: numbers });
  const points = { x, y, z: numbers };
  view.drawing = view.drawing.then(
    () => views.includes(view) && view.plot.draw(points, { preventFilterReset: true, zDataType: "categorical", ...options }),
  );
  return view.drawing;
}

/** Remove the hidden images from a view. */
function filterPoints({ plot }, { gray, colored, hidden }) {
  if (hidden.length) plot.filter([...gray, ...colored].sort((a, b) => a - b), { preventEvent: true });
  else if (plot.get("isPointsFiltered")) plot.unfilter({ preventEvent: true });
}

/** Draw the points of a view again if any of them has another color or another place now. */
function redrawPoints(view, numbers) {
  const isSameMap = view.drawnMap === view.getMap();
  const isSame = isSameMap && numbers.every((number, image) => number === view.drawnNumbers[image]);
  if (!isSame) drawPoints(view, isSameMap ? { spatialIndex: view.plot.get("spatialIndex") } : {}, numbers);
}

/** Bring the views in line with the filters, the theme and their sizes; while the points of the main one move, it waits. */
export function updateViews(groups) {
  measureViews();
  const numbers = numberColors();
  for (const view of views) {
    stylePoints(view, groups);
    filterPoints(view, groups);
    if (view.drawnNumbers && (view !== views[0] || state.progress === 1)) redrawPoints(view, numbers);
  }
}
