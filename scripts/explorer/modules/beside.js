// The maps beside the main one: another one of the same size, or all as small multiples. What is hovered, pinned,
// selected or in color is so in all of them.

import { writeAddress } from "./address.js";
import { drawCard } from "./card.js";
import { maps, nameMap } from "./data.js";
import { $, makeElement, setPressed } from "./elements.js";
import { showMap, wantedMap } from "./layers.js";
import { addMarks, drawMarks } from "./marks.js";
import { updatePage } from "./page.js";
import { drawPoints } from "./plot.js";
import { listenToPointing } from "./pointing.js";
import { listenToAreas } from "./selection.js";
import { state } from "./state.js";
import { drawTiles } from "./tiles.js";
import { listenToTouch } from "./touch.js";
import { createView, getCamera, linkView, measureViews, removeView, setCamera, views } from "./views.js";

let shown = null; // what is beside the main map

/** Prepare the buttons that choose how many maps are shown; with one map there are none. */
export function prepareBeside() {
  $("views").hidden = maps.length < 2;
  for (const button of $("views").children) button.onclick = () => showBeside(choose(button.value));
}

/** Return what is beside the main map if "one", "two" or "all" maps are to be shown. */
function choose(count) {
  if (count === "all") return "all";
  if (count === "one") return null;
  return typeof state.beside === "number" ? state.beside : findOther();
}

/** Return the map to compare with: that of the layer before training, of the layer before, or else of the next one. */
export function findOther() {
  const { layer, epoch } = maps[wantedMap];
  const before = maps.findIndex((map) => map.layer === layer && map.epoch === 0);
  if (epoch !== 0 && before >= 0) return before;
  return wantedMap ? wantedMap - 1 : 1;
}

/** Go on from one map to two, to all, and back to one. */
export function cycleBeside() {
  if (maps.length > 1) showBeside(state.beside === null ? findOther() : state.beside === "all" ? null : "all");
}

/** Return the head of a view: the name of its map, which all are listed beside, or which makes it the main one. */
function makeHead(number) {
  if (state.beside === "all") {
    const button = makeElement("button", { type: "button", value: number, textContent: nameMap(maps[number]) });
    button.onclick = () => showMap(number);
    return button;
  }
  const list = makeElement("select", { id: "other" });
  list.setAttribute("aria-label", "Map beside");
  list.append(...maps.map((map, value) => makeElement("option", { value, textContent: nameMap(map) })));
  list.value = number;
  list.onchange = () => showBeside(Number(list.value));
  return list;
}

/** Add a view of a map. */
async function addView(number) {
  const figure = makeElement("figure", { className: "beside" });
  const canvas = makeElement("canvas", { className: "points" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Map of ${nameMap(maps[number])}`);
  const tiles = makeElement("canvas", { className: "tiles image" });
  const marks = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  marks.setAttribute("class", "marks");
  marks.setAttribute("aria-hidden", "true");
  figure.append(canvas, tiles, marks, makeHead(number));
  $("beside").append(figure);
  const view = createView(canvas, marks, () => number);
  Object.assign(view, { figure, tiles: state.beside === "all" ? null : tiles });
  addMarks(view, state.beside !== "all");
  for (const listen of [listenToPointing, listenToAreas, listenToTouch]) listen(view);
  view.plot.subscribe("drawing", () => (drawMarks(view), drawTiles(view)));
  measureViews();
  await drawPoints(view);
  if (!views.includes(view)) return; // the reader has chosen again
  await setCamera(getCamera(), view);
  linkView(view);
}

/** Return the numbers of the maps that are beside the main one: of one, of "all", or of none if it is null. */
function listMaps(beside) {
  if (beside === null) return [];
  return beside === "all" ? [...maps.keys()] : [beside];
}

/** Return the value of the button that shows so many maps. */
function countMaps(beside) {
  if (beside === null) return "one";
  return beside === "all" ? "all" : "two";
}

/** Show a map beside the main one, "all" of them, or none if it is null. */
export async function showBeside(beside) {
  state.beside = beside;
  for (const button of $("views").children) setPressed(button, button.value === countMaps(beside));
  writeAddress();
  if (shown === beside) return;
  shown = beside;
  for (const view of views.slice(1)) {
    removeView(view);
    view.figure.remove();
  }
  $("beside").hidden = beside === null;
  $("beside").classList.toggle("all", beside === "all");
  measureViews();
  await Promise.all(listMaps(beside).map(addView));
  if (shown !== beside) return; // the reader has chosen again
  updatePage();
  drawCard();
}

/** Mark the view of the main map among all. */
export function markMain() {
  for (const button of document.querySelectorAll("#beside.all button")) setPressed(button, Number(button.value) === wantedMap);
}
