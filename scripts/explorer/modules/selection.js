// The selection: images chosen with a box, counted, and exported as CSV.

import { data, getClassName, hasLabels, isWrong, itemsName, locateInSplit, names, predictions } from "./data.js";
import { $, download, formatNumber, setPressed } from "./elements.js";
import { plot } from "./plot.js";
import { hoverImage } from "./pointing.js";
import { isInColor, state } from "./state.js";

export let isDrawingBox = false;

/** Select images and count them; an empty array deselects all. */
export function selectImages(images) {
  state.selection = images;
  if (images.length) plot.select(images, { preventEvent: true });
  else plot.deselect({ preventEvent: true });
  const wrong = data.predicted ? `, ${formatNumber(images.filter(isWrong).length)} misclassified` : "";
  $("selected").textContent = images.length ? `${formatNumber(images.length)} ${itemsName}${wrong}` : "none";
  $("export").disabled = $("clear").disabled = !images.length;
}

/** Select the images in color among those that the plot returns for a property. */
function selectFromPlot(property) {
  selectImages(plot.get(property).filter(isInColor).sort((a, b) => a - b));
}

export const selectImagesInView = () => selectFromPlot("pointsInView");

/** Let a drag draw a box, or else move the map. */
function setBoxMode(isOn) {
  setPressed($("box"), isOn);
  $("points").classList.toggle("boxing", isOn);
  plot.set({ mouseMode: isOn ? "lasso" : "panZoom" });
}

export const toggleBoxMode = () => setBoxMode($("box").getAttribute("aria-pressed") !== "true");

/** Select the images in a box that the reader has drawn. */
export function listenToBox() {
  plot.subscribe("lassoStart", () => {
    isDrawingBox = true;
    hoverImage(-1);
  });
  plot.subscribe("lassoEnd", () => {
    isDrawingBox = false;
    selectFromPlot("selectedPoints");
  });
}

/** Return the selection as CSV, one row per image: its number in its split, its file, label and prediction. */
export function formatSelection() {
  const header = [
    ...["id", "split"],
    ...(data.naming ? [data.naming] : []),
    ...(hasLabels ? ["label"] : []),
    ...(data.predicted ? ["prediction"] : []),
  ];
  const rows = state.selection.map((image) => [
    locateInSplit(image).id,
    locateInSplit(image).split,
    ...(data.naming ? [names[image]] : []),
    ...(hasLabels ? [getClassName(image)] : []),
    ...(data.predicted ? [data.classes[predictions[image]]] : []),
  ]);
  const quote = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [header, ...rows].map((row) => `${row.map(quote).join(",")}\n`).join("");
}

/** Download the selection as a CSV file. */
export function exportSelection() {
  if (!state.selection.length) return;
  const table = new Blob([formatSelection()], { type: "text/csv" });
  download(table, `${data.dataset}_${data.layers[state.layer]}_selection.csv`);
}
