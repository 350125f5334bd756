// The selection: images chosen with a box or a lasso, or by what is in view. It replaces the one before, or changes it.

import { showContents } from "./contents.js";
import { data, isWrong, itemsName } from "./data.js";
import { $, formatNumber, setPressed } from "./elements.js";
import { plot } from "./plot.js";
import { hoverImage } from "./pointing.js";
import { isInColor, state } from "./state.js";

const TOOLS = { box: "rectangle", lasso: "freeform" }; // as the library calls them

export let isDrawingArea = false;

/** Select images and count them; an empty array deselects all. */
export function selectImages(images) {
  state.selection = images;
  if (images.length) plot.select(images, { preventEvent: true });
  else plot.deselect({ preventEvent: true });
  const wrong = data.predicted ? `, ${formatNumber(images.filter(isWrong).length)} misclassified` : "";
  $("selected").textContent = images.length ? `${formatNumber(images.length)} ${itemsName}${wrong}` : "none";
  for (const id of ["export", "json", "clear"]) $(id).disabled = !images.length;
  showContents();
}

/** Select images in place of the selection, beside it, or take them away from it, as the reader has chosen. */
export function joinSelection(images) {
  const before = new Set(state.selection);
  const joined = { new: images, add: [...before, ...images.filter((image) => !before.has(image))] }[state.joining];
  const taken = new Set(images);
  selectImages((joined ?? state.selection.filter((image) => !taken.has(image))).sort((a, b) => a - b));
}

export const selectImagesInView = () => joinSelection(plot.get("pointsInView").filter(isInColor));

/** Let a drag draw an area with a tool, or with none move the map; Shift draws a box then. */
function setTool(tool) {
  for (const id of Object.keys(TOOLS)) setPressed($(id), id === tool);
  $("points").classList.toggle("boxing", Boolean(tool));
  plot.set({ mouseMode: tool ? "lasso" : "panZoom", lassoType: TOOLS[tool] ?? TOOLS.box });
}

/** Take a tool, or put it away. */
export const toggleTool = (tool) => setTool($(tool).getAttribute("aria-pressed") !== "true" && tool);

/** Select the images in an area that the reader has drawn, and listen to how they join the selection. */
export function listenToAreas() {
  plot.subscribe("lassoStart", () => {
    isDrawingArea = true;
    hoverImage(-1);
  });
  plot.subscribe("lassoEnd", () => {
    isDrawingArea = false;
    joinSelection(plot.get("selectedPoints").filter(isInColor));
  });
  for (const button of $("joining").children) {
    button.onclick = () => {
      state.joining = button.value;
      for (const other of $("joining").children) setPressed(other, other === button);
    };
  }
}
