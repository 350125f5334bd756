// Touch: one finger moves the map, two zoom it, a tap pins an image, and a long press draws a box that selects.

import { shuffledImages } from "./data.js";
import { $, setAttributes } from "./elements.js";
import { findNearestImage, locateInView, pinImage } from "./pointing.js";
import { joinSelection } from "./selection.js";
import { isInColor, state } from "./state.js";
import { getCamera, getWholeDistance, locateImage, setCamera } from "./views.js";

const LONG_PRESS = 500; // milliseconds
const STILL = 8; // pixels that a finger may move in a tap or a long press
const MAX_DISTANCE = 24; // pixels between a tap and an image

let view; // that the fingers are on
const fingers = new Map(); // by id, where they are, in pixels of the view
let start; // of the first finger, until it moves: a tap or a long press may follow
let timer;
let box; // the corner where a long press was, while its box is drawn

/** Return where a finger is, in pixels of the view. */
const locateFinger = ({ clientX, clientY }) => locateInView({ x: clientX, y: clientY }, view);

/** Return the middle of the fingers, and how far apart two are. */
function measureFingers() {
  const [one, other = one] = fingers.values();
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
}

/** Move and zoom the map, so that what was between the fingers stays there. */
function followFingers(before, after) {
  const [x, y, distance] = getCamera(view);
  const zoomed = before.apart && after.apart ? (distance * before.apart) / after.apart : distance;
  const scale = getWholeDistance(view) / view.height;
  const fromCenter = (point, at) => [
    (2 * point.x - view.width) * at * scale,
    (view.height - 2 * point.y) * at * scale,
  ];
  const [held, now] = [fromCenter(before, distance), fromCenter(after, zoomed)];
  setCamera([x + held[0] - now[0], y + held[1] - now[1], zoomed], view);
}

/** Draw the box from its corner to a finger, or none. */
function drawBox(finger) {
  $("touched").hidden = !finger;
  if (!finger) return;
  const origin = view.canvas.getBoundingClientRect();
  const [left, top] = [origin.x + Math.min(box.x, finger.x), origin.y + Math.min(box.y, finger.y)];
  const size = [Math.abs(box.x - finger.x), Math.abs(box.y - finger.y)];
  setAttributes($("touched"), { style: `left:${left}px;top:${top}px;width:${size[0]}px;height:${size[1]}px` });
}

/** Select the images in color between the corner of the box and a finger. */
function selectInBox(finger) {
  const isBetween = (value, one, other) => value >= Math.min(one, other) && value <= Math.max(one, other);
  const found = shuffledImages.filter((image) => {
    if (!isInColor(image)) return false;
    const [x, y] = locateImage(image, view);
    return isBetween(x, box.x, finger.x) && isBetween(y, box.y, finger.y);
  });
  joinSelection(found);
}

/** A finger touches a view. */
function touch(event, touched) {
  if (event.pointerType !== "touch" || (fingers.size && touched !== view)) return;
  view = touched;
  view.canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, locateFinger(event));
  clearTimeout(timer);
  box = undefined; // A second finger ends it.
  drawBox();
  start = fingers.size === 1 ? locateFinger(event) : undefined;
  if (start) timer = setTimeout(() => drawBox((box = start)), LONG_PRESS);
}

/** A finger moves. */
function move(event) {
  if (!fingers.has(event.pointerId)) return;
  const before = measureFingers();
  const finger = locateFinger(event);
  fingers.set(event.pointerId, finger);
  if (box) return drawBox(finger);
  if (start && Math.hypot(finger.x - start.x, finger.y - start.y) <= STILL) return;
  start = undefined;
  clearTimeout(timer);
  followFingers(before, measureFingers());
}

/** A finger leaves the map, or the browser takes it. */
function release(event) {
  if (!fingers.delete(event.pointerId)) return;
  clearTimeout(timer);
  const finger = locateFinger(event);
  if (event.type === "pointerup" && box) selectInBox(finger);
  else if (event.type === "pointerup" && start) {
    const image = findNearestImage(finger, MAX_DISTANCE, view);
    pinImage(image === state.pinned ? -1 : image);
  }
  start = box = undefined;
  drawBox();
}

/** React to fingers on a view. */
export function listenToTouch(touched) {
  const { canvas } = touched;
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // no mouse follows it
  canvas.addEventListener("pointerdown", (event) => touch(event, touched));
  canvas.addEventListener("pointermove", move);
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, release);
}
