// The views: the main one, and those beside it. Each is a canvas in which a plot shows a map on the GPU, made by
// regl-scatterplot. All show the same part of their maps.

import createScatterplot from "regl-scatterplot";
import { maps } from "./data.js";
import { state } from "./state.js";

const OPTIONS = {
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
};
const SAME = 1e-4; // the share of its size by which two views may differ

export const views = []; // the main one first

/** Create a view, without points; `getMap` returns the number of the map that it shows. */
export function createView(canvas, marks, getMap) {
  const shared = views.length ? { renderer: views[0].plot.get("renderer") } : {};
  const plot = createScatterplot({ canvas, ...OPTIONS, ...shared });
  plot.get("camera").config({ isRotate: false });
  const view = { canvas, marks, plot, getMap, width: 0, height: 0, drawing: Promise.resolve() };
  views.push(view);
  return view;
}

/** Let a view move the others from now on; until it shows the part that they show, it must not. */
export const linkView = (view) => view.plot.subscribe("view", () => moveOthers(view));

/** Remove a view that is not the main one. */
export function removeView(view) {
  views.splice(views.indexOf(view), 1);
  view.plot.destroy();
}

/** Measure the canvases of all views, in pixels of the page; those whose shape has changed show the same part again. */
export function measureViews() {
  for (const view of views) {
    const camera = view.width && getCamera(view);
    ({ width: view.width, height: view.height } = view.canvas.getBoundingClientRect());
    if (camera && differ(camera, getCamera(view))) setCamera(camera, view);
  }
}

/** Return the pixel of a view where a point is that moves between the given coordinates of two maps. */
export function projectPoint(from, to, view) {
  const progress = view === views[0] ? state.progress : 1;
  const [x, y] = [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * progress);
  const matrix = view.plot.get("camera").view;
  return [
    (view.width + view.height * (matrix[0] * x + matrix[12])) / 2,
    (view.height * (1 - matrix[5] * y - matrix[13])) / 2,
  ];
}

/** Return the pixel of a view where an image is. */
export function locateImage(image, view = views[0]) {
  const to = maps[view.getMap()];
  const from = view === views[0] ? maps[state.from] : to;
  return projectPoint([from.x[image], from.y[image]], [to.x[image], to.y[image]], view);
}

/** Return the distance from which a view shows the whole map. */
export const getWholeDistance = (view) => Math.max(1, view.height / (view.width || 1));

/** Return the camera of a view: the x and y of its center, and its distance, 1 if it shows the whole map. */
export function getCamera(view = views[0]) {
  const [x, y] = view.plot.get("cameraTarget");
  return [x, y, view.plot.get("cameraDistance") / getWholeDistance(view)];
}

/** Set the camera of a view, as getCamera returns it. */
export const setCamera = ([x, y, distance], view = views[0]) =>
  view.plot.zoomToLocation([x, y], distance * getWholeDistance(view));

/** Tell whether two cameras show different parts. */
const differ = (one, other) => one.some((value, at) => Math.abs(value - other[at]) > SAME * one[2]);

/** Let the other views show the part that a view shows. */
function moveOthers(view) {
  const camera = getCamera(view);
  for (const other of views) {
    if (other !== view && differ(camera, getCamera(other))) setCamera(camera, other);
  }
}

/** Move the main view by shares of its size, and zoom it by a factor; below 1 it comes closer. */
export function moveView(dx, dy, factor) {
  const [x, y, distance] = getCamera();
  const side = distance * factor * getWholeDistance(views[0]);
  setCamera([x + dx * side, y + dy * side, distance * factor]);
}

/** Move the center of the main view to an image. */
export function moveTo(image) {
  const { x, y } = maps[state.map];
  setCamera([x[image], y[image], getCamera()[2]]);
}

/** Zoom the main view to some images. */
export function zoomTo(images) {
  const { x, y } = maps[state.map];
  const [left, right, bottom, top] = [x, y].flatMap((axis) => {
    const values = images.map((image) => axis[image]);
    return [Math.min(...values), Math.max(...values)];
  });
  const side = Math.max(0.1, 1.3 * Math.max(right - left, top - bottom));
  setCamera([(left + right) / 2, (bottom + top) / 2, side / 2]);
}

/** Zoom to the whole map. */
export const showWholeMap = () => setCamera([0, 0, 1]);
