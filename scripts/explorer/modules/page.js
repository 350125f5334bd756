// The page as a whole, which is filled once and updated whenever something changes.

import { writeAddress } from "./address.js";
import { prepareBeside } from "./beside.js";
import { prepareContents } from "./contents.js";
import { data, hasHeldOut, hasImages, hasLabels, itemsName } from "./data.js";
import { $, formatNumber } from "./elements.js";
import { prepareEpochs } from "./epochs.js";
import { prepareExchange } from "./exchange.js";
import { addClassButtons, prepareFilterButtons, pressFilterButtons } from "./filters.js";
import { nameStart } from "./find.js";
import { connectButtons } from "./keys.js";
import { addLayers } from "./layers.js";
import { prepareLegend, updateLegend } from "./legend.js";
import { drawAllMarks } from "./marks.js";
import { groupImages, updateViews } from "./plot.js";
import { pinImage } from "./pointing.js";
import { listenToJoining, selectImages } from "./selection.js";
import { applyFilters, isHidden, isInColor, state } from "./state.js";
import { prepareSuggestions } from "./suggestions.js";
import { drawTiles, prepareTiles } from "./tiles.js";
import { views } from "./views.js";

/** Fill the page with what the data has. */
export function fillPage() {
  adaptTexts();
  showOrigin();
  document.body.classList.toggle("plain", !hasImages);
  document.body.classList.toggle("gray", data.gray);
  document.body.classList.toggle("named", data.texts.length > 0);
  addLayers();
  addClassButtons();
  prepareLegend();
  prepareFilterButtons();
  prepareContents();
  prepareExchange();
  prepareBeside();
  prepareEpochs();
  prepareTiles();
  prepareSuggestions();
  listenToJoining();
  connectButtons();
}

/** Say "row" for "image" if there are no images, and leave out "training" if no images are held out. */
function adaptTexts() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.tagName === "SCRIPT") continue;
    if (!hasHeldOut) text.data = text.data.replace(/\btraining /g, "");
    if (!hasImages) text.data = text.data.replace(/\ban image\b/g, "a row").replace(/\bimage(s?)\b/g, "row$1");
  }
}

/** Show the name of the data set, and what made the page. */
function showOrigin() {
  $("dataset").textContent = data.dataset;
  document.title = `What has each layer learned? ${data.dataset}`;
  $("made").textContent = data.made && `Made by the workflow, ${data.made}.`;
  const shown = Object.values(data.splits).reduce((sum, count) => sum + count, 0);
  $("sample").hidden = shown === data.rows;
  $("sample").textContent =
    `${formatNumber(shown)} of ${formatNumber(data.rows)} ${itemsName}: held-out ones and wrong predictions first, ` +
    "the others drawn from each class in proportion.";
}

/** Bring the page in line with the filters, the theme and the size of the window. */
export function updatePage() {
  applyFilters();
  const groups = groupImages();
  updateViews(groups);
  pressFilterButtons();
  updateLegend();
  if (state.pinned >= 0 && isHidden(state.pinned)) pinImage(-1);
  selectImages(state.selection.filter(isInColor));
  showStatus(groups);
  nameStart();
  drawAllMarks();
  views.forEach(drawTiles);
  writeAddress();
}

/** Say how many images are shown, and how many of them are in color. */
function showStatus({ gray, colored }) {
  const shown = `${formatNumber(gray.length + colored.length)} ${itemsName}`;
  const all = hasLabels ? `${shown}, all in color` : shown;
  $("status").textContent = gray.length ? `${formatNumber(colored.length)} of ${shown} in color` : all;
}
