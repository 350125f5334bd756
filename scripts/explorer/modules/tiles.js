// Images in place of the points of a view, where it is near enough that they have room.

import { getColor, isDark } from "./coloring.js";
import { data, hasImages } from "./data.js";
import { $, setPressed } from "./elements.js";
import { cutImage } from "./images.js";
import { isInColor, state } from "./state.js";
import { getCamera, locateImage, views } from "./views.js";

const SIDES = [16, 56]; // pixels: the smallest and the longest side of an image
const ROOM = 0.6; // the share of the view that the images would cover side by side
const APART = 0.85; // the share of a side that the centers of two images are apart, at least
const FARTHEST = 0.5; // the distance of the camera from which there is no room, whatever is in view
const FRAME = 1.5; // pixels, in the color of the image's point

/** Show on its button whether images take the place of points. */
export function prepareTiles() {
  $("tiles").hidden = !hasImages;
  setPressed($("tiles"), state.tiles);
}

/** Let images take the place of points, or not. */
export function toggleTiles() {
  state.tiles = hasImages && !state.tiles;
  prepareTiles();
  for (const view of views) drawTiles(view);
}

/** Return those images, at their places in a view, that do not cover an earlier one; the others stay points. */
function spread(images, side, view) {
  const [apart, placed] = [APART * side, new Map()]; // by the cell of a grid
  const cell = (x, y) => `${Math.floor(x / apart)} ${Math.floor(y / apart)}`;
  const near = [-apart, 0, apart];
  const isFree = (x, y) =>
    near.every((dx) => near.every((dy) => {
      const other = placed.get(cell(x + dx, y + dy));
      return !other || Math.max(Math.abs(other[0] - x), Math.abs(other[1] - y)) >= apart;
    }));
  return images.flatMap((image) => {
    const [x, y] = locateImage(image, view);
    if (!isFree(x, y)) return [];
    placed.set(cell(x, y), [x, y]);
    return [{ image, x, y }];
  });
}

/** Return the images in color in a view, and the longest side with which they have room; none if it is too short. */
function findTiles(view) {
  const isStill = view !== views[0] || state.progress === 1;
  if (!state.tiles || !hasImages || !isStill || getCamera(view)[2] > FARTHEST) return { images: [] };
  const images = view.plot.get("pointsInView").filter(isInColor);
  const side = Math.min(SIDES[1], Math.sqrt((ROOM * view.width * view.height) / images.length));
  if (side < SIDES[0]) return { images: [] };
  const first = images.filter((image) => image === state.pinned || image === state.hovered);
  return { images: spread([...first, ...images], side, view), side };
}

/** Return a color as it has to be drawn where the style sheet inverts the images. */
function adaptColor(color) {
  if (!data.gray || isDark()) return color;
  return `#${(0xffffff - parseInt(color.slice(1), 16)).toString(16).padStart(6, "0")}`;
}

/** Draw the images of a view, sharp at the resolution of the screen. It is called with each frame of the plot. */
export function drawTiles(view) {
  const canvas = view.tiles;
  if (!canvas) return;
  const { images, side } = findTiles(view);
  canvas.hidden = !images.length;
  if (!images.length) return;
  const scale = devicePixelRatio;
  const size = [Math.round(view.width * scale), Math.round(view.height * scale)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, ...size);
  const [width, height] = data.size.map((length) => Math.round((scale * side * length) / Math.max(...data.size)));
  context.imageSmoothingEnabled = width < data.size[0];
  context.lineWidth = FRAME * scale;
  for (const { image, x, y } of images) {
    const cut = cutImage(image, () => drawTiles(view));
    if (!cut) continue; // it will be drawn when its sheet is there
    const [left, top] = [Math.round(scale * x - width / 2), Math.round(scale * y - height / 2)];
    context.drawImage(...cut, left, top, width, height);
    context.strokeStyle = adaptColor(getColor(image));
    context.strokeRect(left, top, width, height);
  }
}
