// The marks above the points: the names of the classes, the rings around images and the lines to neighbors.

import { getColor } from "./coloring.js";
import { data, hasImages, hasLabels, labels } from "./data.js";
import { $, setAttributes } from "./elements.js";
import { locateImage, mapHeight, mapWidth, projectPoint } from "./plot.js";
import { getNeighbors, isLabelInColor, state } from "./state.js";

const MAX_COVERED = 1 / 6; // the share of the map that names may cover
const TIP_WIDTH = 64; // pixels, as in map.css
const NAME_SIZES = [12, 22]; // pixels: the smallest and the largest font of the names

let classNames; // for each class: its text element, width and height
let classesBySize; // the numbers of the classes that have images, largest first
let neighborLines, neighborRings, pinRing, hoverRing;

/** Add an SVG element to the marks. */
function addMark(tag, attributes = {}) {
  const mark = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(mark, attributes);
  return $("marks").appendChild(mark);
}

/** Add all marks; later ones lie above earlier ones. */
export function addMarks() {
  addClassNames();
  neighborLines = Array.from({ length: data.nearest }, () => addMark("line"));
  neighborRings = Array.from({ length: data.nearest }, () => addMark("circle", { r: 4.5 }));
  hoverRing = addMark("circle", { r: 6 });
  pinRing = addMark("circle", { r: 8, class: "pin" });
}

/** Add the names of the classes, smaller where there are many letters, and rank the classes by size. */
function addClassNames() {
  const letters = data.classes.reduce((sum, text) => sum + text.length, 0);
  const height = Math.min(NAME_SIZES[1], Math.max(NAME_SIZES[0], NAME_SIZES[1] * Math.sqrt(20 / letters)));
  classNames = data.classes.map((text) => {
    const element = addMark("text");
    element.textContent = text;
    element.style.fontSize = `${height}px`;
    return { element, height, width: element.getComputedTextLength() };
  });
  const counts = new Uint32Array(data.classes.length);
  if (hasLabels) for (const label of labels) counts[label]++;
  classesBySize = [...counts.keys()].filter((label) => counts[label]).sort((a, b) => counts[b] - counts[a]);
}

/** Draw all marks. It is called with each frame of the plot, since the marks move with the points. */
export function drawMarks() {
  drawClassNames();
  drawPin();
  drawHover();
}

/** Draw the name of each class at the median of its images.
 *
 * Names of classes in color come first, then names of larger classes. A name is left out if it would overlap another or
 * if the names cover too much of the map; it appears when the reader zooms in.
 */
function drawClassNames() {
  const drawn = [];
  let room = MAX_COVERED * mapWidth * mapHeight;
  const isFaint = (label) => !isLabelInColor(label);
  for (const label of [...classesBySize].sort((a, b) => isFaint(a) - isFaint(b))) {
    const { element, width, height } = classNames[label];
    const [x, y] = projectPoint(data.medians[state.from][label], data.medians[state.layer][label]);
    const isInside = x > 0 && x < mapWidth && y > 0 && y < mapHeight;
    const overlaps = (other) => Math.abs(other.x - x) <= (other.width + width) / 2 && Math.abs(other.y - y) <= height;
    const isDrawn = isInside && room > 0 && !drawn.some(overlaps);
    if (isDrawn) {
      drawn.push({ x, y, width });
      room -= width * height;
    }
    const visibility = isDrawn ? "inherit" : "hidden";
    setAttributes(element, { x, y, class: isFaint(label) ? "faint" : "", visibility });
  }
}

/** Draw a ring around the pinned image, and lines to its neighbors, which have rings, too. */
function drawPin() {
  const pinned = state.pinned >= 0 && locateImage(state.pinned);
  const display = pinned ? "" : "none";
  for (const mark of [pinRing, ...neighborLines, ...neighborRings]) mark.style.display = display;
  if (!pinned) return;
  setAttributes(pinRing, { cx: pinned[0], cy: pinned[1] });
  getNeighbors(state.pinned).forEach((neighbor, rank) => {
    const [x, y] = locateImage(neighbor);
    setAttributes(neighborRings[rank], { cx: x, cy: y });
    neighborRings[rank].style.fill = getColor(neighbor);
    setAttributes(neighborLines[rank], { x1: pinned[0], y1: pinned[1], x2: x, y2: y });
  });
}

/** Draw a ring around the image under the mouse, and place its picture beside it. */
function drawHover() {
  const hovered = state.hovered >= 0 && locateImage(state.hovered);
  hoverRing.style.display = hovered ? "" : "none";
  $("tip").hidden = !hovered || !hasImages;
  if (!hovered) return;
  const [x, y] = hovered;
  setAttributes(hoverRing, { cx: x, cy: y });
  if (!hasImages) return;
  const tipHeight = (TIP_WIDTH * data.size[1]) / data.size[0];
  const isRoomOnRight = x + TIP_WIDTH + 26 < mapWidth;
  const isRoomAbove = y > tipHeight + 20;
  $("tip").style.left = `${x + (isRoomOnRight ? 12 : -12 - TIP_WIDTH)}px`;
  $("tip").style.top = `${y + (isRoomAbove ? -12 - tipHeight : 12)}px`;
}
