// The keys, and the buttons that do the same.

import { cycleBeside } from "./beside.js";
import { $ } from "./elements.js";
import { exportSelection } from "./exchange.js";
import { stepEpoch, togglePlay } from "./epochs.js";
import { clearFilters, cycleHeldOut, toggleWrong } from "./filters.js";
import { focusOnFind, goToNextError, goToNextMoved } from "./find.js";
import { showLayer, stepLayer } from "./layers.js";
import { savePicture } from "./picture.js";
import { pinImage, pinRandomImage } from "./pointing.js";
import { selectImages, selectImagesInView, toggleTool } from "./selection.js";
import { state } from "./state.js";
import { toggleTiles } from "./tiles.js";
import { moveView, showWholeMap } from "./views.js";

const ZOOM = 1.4; // the factor of one step

const KEYS = {
  ArrowLeft: () => stepLayer(-1),
  ArrowRight: () => stepLayer(1),
  ArrowUp: () => stepEpoch(1),
  ArrowDown: () => stepEpoch(-1),
  "+": () => moveView(0, 0, 1 / ZOOM),
  "=": () => moveView(0, 0, 1 / ZOOM),
  "-": () => moveView(0, 0, ZOOM),
  0: showWholeMap,
  "/": focusOnFind,
  n: goToNextError,
  m: goToNextMoved,
  s: cycleBeside,
  t: togglePlay,
  i: toggleTiles,
  r: pinRandomImage,
  c: () => $("color").focus(),
  w: toggleWrong,
  h: cycleHeldOut,
  b: () => toggleTool("box"),
  l: () => toggleTool("lasso"),
  v: selectImagesInView,
  e: exportSelection,
  p: savePicture,
  "?": () => $("help").showModal(),
  Escape: undoLast,
};
const KEYS_WITH_SHIFT = {
  ArrowLeft: () => moveView(-0.3, 0, 1),
  ArrowRight: () => moveView(0.3, 0, 1),
  ArrowUp: () => moveView(0, 0.3, 1),
  ArrowDown: () => moveView(0, -0.3, 1),
};
const KEYS_OF_BUTTONS = { ask: "?", box: "b", lasso: "l", closer: "+", farther: "-", whole: 0, picture: "p", tiles: "i", play: "t", wrong: "w", next: "n", moved: "m", export: "e" };

/** Undo one thing at a time: the pin, then the selection, then the filters. */
function undoLast() {
  if (state.pinned >= 0) pinImage(-1);
  else if (state.selection.length) selectImages([]);
  else clearFilters();
}

/** Do what a key stands for. Keys with Ctrl, Alt or Meta are left to the browser, and all keys while help is open. */
export function handleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isLayer = /^[1-9]$/.test(key);
  const action = isLayer ? () => showLayer(key - 1) : (event.shiftKey && KEYS_WITH_SHIFT[key]) || KEYS[key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Let buttons do what their keys do. */
export function connectButtons() {
  for (const [id, key] of Object.entries(KEYS_OF_BUTTONS)) $(id).onclick = KEYS[key];
  $("clear").onclick = () => selectImages([]);
}
