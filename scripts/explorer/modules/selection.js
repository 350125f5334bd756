// The selection: images chosen with a box or a lasso, or by what is in view. It replaces the one before, or changes it.

import { showContents } from "./contents.js";
import { data, isWrong, itemsName } from "./data.js";
import { $, formatNumber, setPressed } from "./elements.js";
import { hoverImage } from "./pointing.js";
import { isInColor, state } from "./state.js";
import { views } from "./views.js";

const TOOLS = { box: "rectangle", lasso: "freeform" }; // as the library calls them

export let isDrawingArea = false;
let tool = ""; // that a drag draws an area with; without one, it moves the map

/** Select images and count them; an empty array deselects all. */
export function selectImages(images) {
  state.selection = images;
  for (const view of views) markSelection(view);
  const wrong = data.predicted ? `, ${formatNumber(images.filter(isWrong).length)} misclassified` : "";
  $("selected").textContent = images.length ? `${formatNumber(images.length)} ${itemsName}${wrong}` : "none";
  for (const id of ["export", "json", "clear"]) $(id).disabled = !images.length;
  showContents();
}

/** Show in a view what is selected. */
function markSelection({ plot }) {
  if (state.selection.length) plot.select(state.selection, { preventEvent: true });
  else plot.deselect({ preventEvent: true });
}

/** Select images in place of the selection, beside it, or take them away from it, as the reader has chosen. */
export function joinSelection(images) {
  const before = new Set(state.selection);
  const joined = { new: images, add: [...before, ...images.filter((image) => !before.has(image))] }[state.joining];
  const taken = new Set(images);
  selectImages((joined ?? state.selection.filter((image) => !taken.has(image))).sort((a, b) => a - b));
}

export const selectImagesInView = () => joinSelection(views[0].plot.get("pointsInView").filter(isInColor));

/** Let a drag in a view draw an area with the tool, or without one move the map; Shift draws a box then. */
function giveTool({ canvas, plot }) {
  canvas.classList.toggle("boxing", Boolean(tool));
  plot.set({ mouseMode: tool ? "lasso" : "panZoom", lassoType: TOOLS[tool] ?? TOOLS.box });
}

/** Take a tool, or put it away. */
export function toggleTool(wanted) {
  tool = tool === wanted ? "" : wanted;
  for (const id of Object.keys(TOOLS)) setPressed($(id), id === tool);
  views.forEach(giveTool);
}

/** Select the images in an area that the reader has drawn in a view. */
export function listenToAreas(view) {
  giveTool(view);
  view.plot.subscribe("lassoStart", () => {
    isDrawingArea = true;
    hoverImage(-1);
  });
  view.plot.subscribe("lassoEnd", () => {
    isDrawingArea = false;
    joinSelection(view.plot.get("selectedPoints").filter(isInColor));
  });
}

/** Listen to how the next images join the selection. */
export function listenToJoining() {
  for (const button of $("joining").children) {
    button.onclick = () => {
      state.joining = button.value;
      for (const other of $("joining").children) setPressed(other, other === button);
    };
  }
}
