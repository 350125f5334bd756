// The epochs after which a layer has a map: a slider moves the points through training, and a button plays it.

import { findMap, listEpochs, maps } from "./data.js";
import { $ } from "./elements.js";
import { showMap, wantedMap } from "./layers.js";

const PAUSE = 500; // milliseconds between two epochs that are played

let playing = 0; // the number of the play that goes on; 0 if none does
let plays = 0;

/** Return the epochs of the layer that is shown, ascending; null stands for the last one. */
const getEpochs = () => listEpochs(maps[wantedMap].layer);

/** Listen to the slider and its button; hide them if no layer has several epochs. */
export function prepareEpochs() {
  $("epochs").hidden = maps.every(({ epoch }) => epoch === null);
  $("epoch").oninput = () => {
    const place = Number($("epoch").value);
    stop();
    showEpoch(place);
  };
}

/** Show the map of the layer after an epoch, given by its place among them. */
const showEpoch = (place) => showMap(findMap(maps[wantedMap].layer, getEpochs()[place]));

/** Show the map of the next epoch, or of the one before. */
export function stepEpoch(step) {
  const place = getEpochs().indexOf(maps[wantedMap].epoch) + step;
  stop();
  if (place >= 0 && place < getEpochs().length) showEpoch(place);
}

/** End the play. */
function stop() {
  playing = 0;
  updateEpochs();
}

/** Play the training from its first epoch, or end the play. */
export async function togglePlay() {
  if (playing) return stop();
  if (getEpochs().length < 2) return;
  const turn = (playing = ++plays);
  const layer = maps[wantedMap].layer;
  updateEpochs();
  for (const place of getEpochs().keys()) {
    await showEpoch(place);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (playing !== turn || maps[wantedMap].layer !== layer) break;
  }
  if (playing === turn) stop();
}

/** Bring the slider in line with the map that is shown. */
export function updateEpochs() {
  const epochs = getEpochs();
  const { epoch } = maps[wantedMap];
  const place = epochs.indexOf(epoch);
  const text = { null: "after training", 0: "before training" }[epoch] ?? `epoch ${epoch}`;
  Object.assign($("epoch"), { max: epochs.length - 1, value: place, disabled: epochs.length < 2 });
  $("epoch").setAttribute("aria-valuetext", text);
  $("play").disabled = epochs.length < 2;
  $("play").textContent = playing ? "Stop" : "Play";
  $("after").textContent = epochs.length < 2 ? "the same in all epochs" : text;
}
