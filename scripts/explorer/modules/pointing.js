// Pointing at images and pinning them.

import { writeAddress } from "./address.js";
import { drawCard } from "./card.js";
import { shuffledImages } from "./data.js";
import { $ } from "./elements.js";
import { drawImage } from "./images.js";
import { drawAllMarks } from "./marks.js";
import { isDrawingArea, selectImages } from "./selection.js";
import { isInColor, state } from "./state.js";
import { locateImage, views } from "./views.js";

const MAX_DISTANCE = 10; // pixels between the mouse and an image in color that is found among gray ones

const mouse = { x: 0, y: 0, dragging: false }; // in pixels of the window

/** Show the image under the mouse; -1 stands for none. */
export function hoverImage(image) {
  state.hovered = image;
  for (const { canvas } of views) canvas.classList.toggle("hit", image >= 0);
  if (image >= 0) drawImage($("tip"), image);
  drawCard();
  drawAllMarks();
}

/** Pin an image and mark its neighbors; -1 unpins it. */
export function pinImage(image) {
  state.pinned = image;
  drawCard();
  drawAllMarks();
  writeAddress();
}

/** Pin a random image among those in color. */
export function pinRandomImage() {
  const colored = shuffledImages.filter(isInColor);
  if (colored.length) pinImage(colored[Math.floor(Math.random() * colored.length)]);
}

/** Remember where the mouse is. */
function trackMouse(event) {
  Object.assign(mouse, { x: event.clientX, y: event.clientY, dragging: event.buttons > 0 });
}

/** Return where a place in the window is, in pixels of a view. */
export function locateInView({ x, y }, { canvas }) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: x - left, y: y - top };
}

/** Return the image that the reader points at in a view, given the one that its plot has found.
 *
 * Gray points are only a background. If the plot has found one, the reader points at the nearest image in color, or at
 * none (-1) if that is not near.
 */
const findImage = (found, view) =>
  isInColor(found) ? found : findNearestImage(locateInView(mouse, view), MAX_DISTANCE, view);

/** Return the image in color that is nearest to a pixel of a view, or -1 if none is within some pixels. */
export function findNearestImage(pixel, maxDistance, view) {
  let nearest = -1;
  let shortest = maxDistance;
  for (const image of shuffledImages) {
    if (!isInColor(image)) continue;
    const [x, y] = locateImage(image, view);
    const distance = Math.hypot(x - pixel.x, y - pixel.y);
    if (distance < shortest) [nearest, shortest] = [image, distance];
  }
  return nearest;
}

/** Remember from now on where the mouse is. */
export function listenToMouse() {
  addEventListener("mousemove", trackMouse, { capture: true });
  addEventListener("mousedown", trackMouse, { capture: true });
}

/** Show the image that the mouse points at in a view, and pin the image that it clicks. */
export function listenToPointing(view) {
  const { plot } = view;
  plot.subscribe("pointOver", (found) => {
    if (mouse.dragging || state.progress < 1) return;
    const image = findImage(found, view);
    if (image !== found) plot.hover(image, { preventEvent: true });
    if (image !== state.hovered) hoverImage(image);
  });
  plot.subscribe("pointOut", () => hoverImage(-1));
  plot.subscribe("select", ({ points: [found] }) => {
    if (isDrawingArea) return; // the area selects when it is finished
    selectImages(state.selection); // the library has selected the image, but a click only pins
    const image = findImage(found, view);
    if (image >= 0) pinImage(image === state.pinned ? -1 : image);
  });
}
