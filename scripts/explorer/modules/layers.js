// The layers: a button each, or a list of many, and the points that move from one map to another.

import { writeAddress } from "./address.js";
import { markMain } from "./beside.js";
import { drawCard } from "./card.js";
import { findMap, layers, maps } from "./data.js";
import { $, makeElement, setPressed } from "./elements.js";
import { updateEpochs } from "./epochs.js";
import { updatePage } from "./page.js";
import { drawPoints } from "./plot.js";
import { hoverImage } from "./pointing.js";
import { state } from "./state.js";
import { views } from "./views.js";

const MOVE_TIME = 1100; // milliseconds
const MAX_BUTTONS = 9; // layers, each with a number as its key; of more, buttons would leave no room for the map

export let wantedMap = 0; // the map asked for last, which the points may still have to reach

let arriving; // while the points move, a promise of their arrival at the map that is wanted then

/** Add a button for each layer, or a list of many. */
export function addLayers() {
  if (layers.length > MAX_BUTTONS) addLayerList();
  else addLayerButtons();
}

function addLayerList() {
  const list = makeElement("select", {});
  list.setAttribute("aria-label", "Layer");
  list.append(...layers.map((layer) => makeElement("option", { textContent: layer })));
  list.onchange = () => showLayer(list.selectedIndex);
  $("layers").append(list);
}

function addLayerButtons() {
  layers.forEach((layer, number) => {
    const button = makeElement("button", { type: "button", textContent: layer });
    setPressed(button, number === 0);
    button.setAttribute("aria-keyshortcuts", number + 1);
    button.onclick = () => showLayer(number);
    $("layers").append(button);
  });
}

/** Show the map of a layer, given by its number: after the epoch that is shown, or after the last one. */
export function showLayer(number) {
  const layer = layers[number];
  if (layer === undefined) return;
  const sameEpoch = findMap(layer, maps[wantedMap].epoch);
  return showMap(sameEpoch >= 0 ? sameEpoch : findMap(layer, null));
}

/** Show the layer that is so many places after the one that is shown. */
export const stepLayer = (step) => showLayer(layers.indexOf(maps[wantedMap].layer) + step);

/** Mark the map that is wanted in all that lists maps. */
function markWanted() {
  const shown = layers.indexOf(maps[wantedMap].layer);
  const list = $("layers").querySelector("select");
  if (list) list.selectedIndex = shown;
  else [...$("layers").children].forEach((button, number) => setPressed(button, number === shown));
  updateEpochs();
  markMain();
}

/** Start with a map, before any points are drawn. */
export function startWith(number) {
  wantedMap = state.map = state.from = number;
  markWanted();
}

/** Show a map, given by its number. */
export function showMap(number) {
  wantedMap = number;
  writeAddress();
  markWanted();
  arriving ??= goOn().finally(() => (arriving = undefined));
  return arriving;
}

/** Move the points until they are at the map that is wanted, which may change in the meantime. */
async function goOn() {
  hoverImage(-1);
  while (state.map !== wantedMap) await movePoints(wantedMap);
}

/** Move the points to a map; at once if the reader prefers reduced motion. */
async function movePoints(number) {
  const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  state.from = state.map;
  state.map = number;
  state.progress = isReduced ? 1 : 0;
  drawCard();
  updatePage(); // The values of some colorings depend on the map.
  await drawPoints(views[0], {
    transition: !isReduced,
    transitionDuration: MOVE_TIME,
    transitionEasing: (time) => (state.progress = easeTime(time)), // the marks move by the same progress
  });
  state.progress = 1;
  updatePage(); // What has changed in the meantime is drawn now.
}

/** Return the progress of a move that starts and ends slowly (a cubic), at a time in [0, 1]. */
const easeTime = (time) => (time < 0.5 ? 4 * time ** 3 : 1 - (2 - 2 * Math.min(time, 1)) ** 3 / 2);
