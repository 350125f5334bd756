// The layers: a button each, and the points that move from the map of one layer to the map of another.

import { writeAddress } from "./address.js";
import { drawCard } from "./card.js";
import { data, maps } from "./data.js";
import { $, makeElement, setPressed } from "./elements.js";
import { updatePage } from "./page.js";
import { drawPoints } from "./plot.js";
import { hoverImage } from "./pointing.js";
import { state } from "./state.js";

const MOVE_TIME = 1100; // milliseconds

export let wantedLayer = 0; // the layer asked for last, which the points may still have to reach

/** Add a button for each layer. */
export function addLayerButtons() {
  data.layers.forEach((layer, number) => {
    const button = makeElement("button", { type: "button", textContent: layer });
    setPressed(button, number === 0);
    if (number < 9) button.setAttribute("aria-keyshortcuts", number + 1);
    button.onclick = () => showLayer(number);
    $("layers").append(button);
  });
}

/** Show the map of a layer, given by its number. */
export async function showLayer(layer) {
  if (layer < 0 || layer >= maps.length) return;
  wantedLayer = layer;
  writeAddress();
  [...$("layers").children].forEach((button, number) => setPressed(button, number === layer));
  if (state.progress < 1) return; // the points are moving, and the loop below will go on to this layer
  hoverImage(-1);
  while (state.layer !== wantedLayer) await movePoints(wantedLayer);
}

/** Move the points to the map of a layer; at once if the reader prefers reduced motion. */
async function movePoints(layer) {
  const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  state.from = state.layer;
  state.layer = layer;
  state.progress = isReduced ? 1 : 0;
  drawCard();
  updatePage(); // The values of some colorings depend on the layer.
  await drawPoints({
    transition: !isReduced,
    transitionDuration: MOVE_TIME,
    transitionEasing: (time) => (state.progress = easeTime(time)), // the marks move by the same progress
  });
  state.progress = 1;
  updatePage(); // What has changed in the meantime is drawn now.
}

/** Return the progress of a move that starts and ends slowly (a cubic), at a time in [0, 1]. */
const easeTime = (time) => (time < 0.5 ? 4 * time ** 3 : 1 - (2 - 2 * Math.min(time, 1)) ** 3 / 2);
