// The address of the page, whose fragment has the state: a copied address opens the same view, and the browser's back
// button returns to the one before.

import { showBeside } from "./beside.js";
import { colorings, getColoring } from "./coloring.js";
import { data, findMap, hasHeldOut, hasImages, layers, locateInSplit, maps, numberInData } from "./data.js";
import { $ } from "./elements.js";
import { showMap, wantedMap } from "./layers.js";
import { updatePage } from "./page.js";
import { pinImage } from "./pointing.js";
import { state } from "./state.js";
import { prepareTiles } from "./tiles.js";
import { getCamera, setCamera } from "./views.js";

const DECIMALS = 3; // of the view
const VIEW_DELAY = 300; // milliseconds without a move after which the view is in the address

let wholeView; // the view of the whole map, which is not in the address
let isApplying = false; // while an address is applied, the state does not change it
let viewTimer;

/** Return the view as text. */
const formatView = () => getCamera().map((number) => number.toFixed(DECIMALS)).join(",");

/** Return a map as text, such as conv1, or conv1:0 before training. */
const formatMap = ({ layer, epoch }) => (epoch === null ? layer : `${layer}:${epoch}`);

/** Return the number of the map with this text, or -1 if there is none. */
const findMapByText = (text) => maps.findIndex((map) => formatMap(map) === text);

/** Return the state of the page as the fragment of its address. */
function formatState() {
  const { layer, epoch } = maps[wantedMap];
  const parts = new URLSearchParams({ layer });
  if (epoch !== null) parts.append("epoch", epoch);
  if (state.beside !== null) parts.append("beside", state.beside === "all" ? "all" : formatMap(maps[state.beside]));
  if (state.pinned >= 0) {
    const { split, id } = locateInSplit(state.pinned);
    parts.append("pin", `${split}:${id}`);
  }
  for (const label of [...state.classes].sort((a, b) => a - b)) parts.append("class", data.classes[label]);
  if (state.wrong) parts.append("only", "wrong");
  if (state.heldout !== "with") parts.append("heldout", state.heldout);
  if (state.coloring !== colorings[0].key) parts.append("color", state.coloring);
  for (const number of [...state.entries].sort((a, b) => a - b)) parts.append("show", getColoring().entries[number].text);
  if (state.range) parts.append("range", state.range.join(","));
  if (!state.tiles && hasImages) parts.append("images", "points");
  if (formatView() !== wholeView) parts.append("view", formatView());
  return `#${parts}`;
}

/** Put the state into the address: as a step that the back button undoes, or else in place of the last one. */
export function writeAddress(isStep = true) {
  if (isApplying || wholeView === undefined || formatState() === location.hash) return;
  history[isStep ? "pushState" : "replaceState"](null, "", formatState());
}

/** Tell whether a text is a view: the x and y of its center and its distance. */
function isView(text) {
  const numbers = text.split(",").map(Number);
  return numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0;
}

/** Tell whether a text is a range of numbers of a coloring. */
function isRange(text, { high }) {
  const [first, last, ...others] = text.split(",").map(Number);
  return !others.length && first >= 0 && first <= last && last <= high;
}

/** Return the state that a fragment stands for, and the parts of it that are not on this page. */
function parseState(fragment) {
  const parts = new URLSearchParams(fragment.slice(1));
  const found = { map: 0, beside: null, pinned: -1, classes: new Set(), wrong: false, heldout: "with", tiles: hasImages };
  found.view = wholeView;
  const coloring = colorings.find(({ key }) => key === parts.get("color")) ?? colorings[0];
  Object.assign(found, { coloring: coloring.key, entries: new Set(), range: null });
  const unknown = [];
  const layer = layers.includes(parts.get("layer")) ? parts.get("layer") : layers[0];
  const map = findMap(layer, parts.has("epoch") ? Number(parts.get("epoch")) : null);
  found.map = map >= 0 ? map : findMap(layer, null);
  for (const [key, value] of parts) {
    const label = data.classes.indexOf(value);
    const entry = (coloring.key === "class" ? [] : coloring.entries ?? []).findIndex(({ text }) => text === value);
    if ((key === "layer" && value === layer) || (key === "epoch" && map >= 0)) continue;
    else if (key === "beside" && value === "all" && maps.length > 1) found.beside = "all";
    else if (key === "beside" && findMapByText(value) >= 0) found.beside = findMapByText(value);
    else if (key === "images" && value === "points" && hasImages) found.tiles = false;
    else if (key === "pin" && numberInData(value) >= 0) found.pinned = numberInData(value);
    else if (key === "class" && label >= 0) found.classes.add(label);
    else if (key === "only" && value === "wrong" && data.predicted) found.wrong = true;
    else if (key === "heldout" && ["only", "hidden"].includes(value) && hasHeldOut) found.heldout = value;
    else if (key === "color" && value === coloring.key) continue;
    else if (key === "show" && entry >= 0) found.entries.add(entry);
    else if (key === "range" && isRange(value, coloring)) found.range = value.split(",").map(Number);
    else if (key === "view" && isView(value)) found.view = value;
    else unknown.push(`${key}=${value}`);
  }
  return { ...found, unknown };
}

/** Return the number of the map in the address. */
export const findMapInAddress = () => parseState(location.hash).map;

/** Bring the page into the state of its address. */
export async function applyAddress() {
  const { map, beside, pinned, view, unknown, ...filters } = parseState(location.hash);
  isApplying = true;
  Object.assign(state, filters);
  prepareTiles();
  pinImage(pinned);
  updatePage();
  const isHidden = state.pinned !== pinned;
  await Promise.all([showMap(map), showBeside(beside)]);
  if (formatView() !== view) await setCamera(view.split(",").map(Number));
  isApplying = false;
  if (unknown.length) $("status").textContent = `Not on this page: ${unknown.join(", ")}`;
  else if (isHidden) $("status").textContent = "The pinned image is hidden, as held-out images are.";
}

/** Keep the address and the state in line from now on; the view is that of the whole map. */
export function listenToAddress(plot) {
  wholeView = formatView();
  addEventListener("popstate", applyAddress);
  plot.subscribe("view", () => {
    clearTimeout(viewTimer);
    viewTimer = setTimeout(() => writeAddress(false), VIEW_DELAY);
  });
}
