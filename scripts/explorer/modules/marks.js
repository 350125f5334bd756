// The marks above the points of a view: the names of the classes, the rings around images and the lines to neighbors.

import { getColor } from "./coloring.js";
import { data, hasImages, hasLabels, labels, texts } from "./data.js";
import { $, setAttributes } from "./elements.js";
import { getNeighbors, isLabelInColor, state } from "./state.js";
import { locateImage, projectPoint, views } from "./views.js";

const MAX_COVERED = 1 / 6; // the share of the map that names may cover
const TIP_WIDTH = 64; // pixels, as in map.css
const NAME_SIZES = [12, 22]; // pixels: the smallest and the largest font of the names

/** Add an SVG element to the marks of a view. */
function addMark(view, tag, attributes = {}) {
  const mark = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(mark, attributes);
  return view.marks.appendChild(mark);
}

/** Add all marks of a view, the names of the classes if there is room; later ones lie above earlier ones. */
export function addMarks(view, withNames = true) {
  view.names = withNames ? addClassNames(view) : [];
  view.lines = Array.from({ length: data.nearest }, () => addMark(view, "line"));
  view.rings = Array.from({ length: data.nearest }, () => addMark(view, "circle", { r: 4.5 }));
  view.hover = addMark(view, "circle", { r: 6 });
  view.pin = addMark(view, "circle", { r: 8, class: "pin" });
}

/** Add the names of the classes that have images, those of the largest first, smaller where there are many letters. */
function addClassNames(view) {
  const letters = data.classes.reduce((sum, text) => sum + text.length, 0);
  const height = Math.min(NAME_SIZES[1], Math.max(NAME_SIZES[0], NAME_SIZES[1] * Math.sqrt(20 / letters)));
  const counts = new Uint32Array(data.classes.length);
  if (hasLabels) for (const label of labels) counts[label]++;
  const bySize = [...counts.keys()].filter((label) => counts[label]).sort((a, b) => counts[b] - counts[a]);
  return bySize.map((label) => {
    const element = addMark(view, "text");
    element.textContent = data.classes[label];
    element.style.fontSize = `${height}px`;
    return { label, element, height, width: element.getComputedTextLength() };
  });
}

/** Draw the marks of all views. */
export function drawAllMarks() {
  for (const view of views) drawMarks(view);
}

/** Draw all marks of a view. It is called with each frame of the plot, since the marks move with the points. */
export function drawMarks(view) {
  if (!view.pin) return; // they are not there yet
  drawClassNames(view);
  drawPin(view);
  drawHover(view);
  if (view === views[0]) drawTip();
}

/** Draw the name of each class at the median of its images.
 *
 * Names of classes in color come first, then names of larger classes. A name is left out if it would overlap another or
 * if the names cover too much of the map; it appears when the reader zooms in.
 */
function drawClassNames(view) {
  const drawn = [];
  const [from, to] = view === views[0] ? [state.from, state.map] : [view.getMap(), view.getMap()];
  let room = MAX_COVERED * view.width * view.height;
  const isFaint = ({ label }) => !isLabelInColor(label);
  for (const name of [...view.names].sort((a, b) => isFaint(a) - isFaint(b))) {
    const { label, element, width, height } = name;
    const [x, y] = projectPoint(data.medians[from][label], data.medians[to][label], view);
    const isInside = x > 0 && x < view.width && y > 0 && y < view.height;
    const overlaps = (other) => Math.abs(other.x - x) <= (other.width + width) / 2 && Math.abs(other.y - y) <= height;
    const isDrawn = isInside && room > 0 && !drawn.some(overlaps);
    if (isDrawn) {
      drawn.push({ x, y, width });
      room -= width * height;
    }
    const visibility = isDrawn ? "inherit" : "hidden";
    setAttributes(element, { x, y, class: isFaint(name) ? "faint" : "", visibility });
  }
}

/** Return the neighbors of an image in a view's map, and whether each is one in the map beside it, too. */
function compareNeighbors(image, view) {
  const own = getNeighbors(image, view.getMap());
  if (state.beside === null || state.beside === "all") return own.map((neighbor) => [neighbor, true]);
  const other = new Set(getNeighbors(image, view === views[0] ? state.beside : state.map));
  return own.map((neighbor) => [neighbor, other.has(neighbor)]);
}

/** Draw a ring around the pinned image, and lines to its neighbors, which have rings, too. */
function drawPin(view) {
  const pinned = state.pinned >= 0 && locateImage(state.pinned, view);
  for (const mark of [view.pin, ...view.lines, ...view.rings]) mark.style.display = "none";
  if (!pinned) return;
  view.pin.style.display = "";
  setAttributes(view.pin, { cx: pinned[0], cy: pinned[1] });
  compareNeighbors(state.pinned, view).forEach(([neighbor, isShared], rank) => {
    const [x, y] = locateImage(neighbor, view);
    const [line, ring] = [view.lines[rank], view.rings[rank]];
    line.style.display = ring.style.display = "";
    ring.style.fill = getColor(neighbor);
    setAttributes(ring, { cx: x, cy: y });
    setAttributes(line, { x1: pinned[0], y1: pinned[1], x2: x, y2: y, class: isShared ? "" : "other" });
  });
}

/** Draw a ring around the image under the mouse. */
function drawHover(view) {
  view.hover.style.display = state.hovered >= 0 ? "" : "none";
  if (state.hovered < 0) return;
  const [x, y] = locateImage(state.hovered, view);
  setAttributes(view.hover, { cx: x, cy: y });
}

/** Place the picture of the image under the mouse beside it, or its text if there are no pictures. */
function drawTip() {
  const view = views[0];
  const text = !hasImages && state.hovered >= 0 ? texts.text?.[state.hovered] : undefined;
  $("tip").hidden = state.hovered < 0 || !hasImages;
  $("said").hidden = !text;
  if (state.hovered < 0 || (!hasImages && !text)) return;
  if (text) $("said").textContent = text;
  const tip = hasImages ? $("tip") : $("said");
  const [x, y] = locateImage(state.hovered, view);
  const width = hasImages ? TIP_WIDTH : tip.offsetWidth;
  const height = hasImages ? (TIP_WIDTH * data.size[1]) / data.size[0] : tip.offsetHeight;
  const isRoomOnRight = x + width + 26 < view.width;
  const isRoomAbove = y > height + 20;
  tip.style.left = `${Math.max(0, x + (isRoomOnRight ? 12 : -12 - width))}px`;
  tip.style.top = `${y + (isRoomAbove ? -12 - height : 12)}px`;
}
