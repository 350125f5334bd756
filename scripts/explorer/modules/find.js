// Ways to an image: by its number or its name, and from one wrong prediction to the next.

import { findOther } from "./beside.js";
import { measureMove } from "./coloring.js";
import { confidences, data, isWrong, maps, nameMap, numberInData, shuffledImages, texts } from "./data.js";
import { $ } from "./elements.js";
import { hoverImage, pinImage } from "./pointing.js";
import { isHidden, isInColor, state } from "./state.js";
import { locateImage, moveTo, views } from "./views.js";

/** Pin an image, and move the map if it is not in view. */
function goTo(image) {
  hoverImage(-1);
  pinImage(image);
  const [x, y] = locateImage(image);
  if (x < 0 || x > views[0].width || y < 0 || y > views[0].height) moveTo(image);
}

/** Return the images with a number, "14" or "test 14", or with a part of their name or text. */
function findImages(text) {
  const [, split, id] = text.match(/^(?:([a-z]+)[ :]+)?(\d+)$/i) ?? [];
  const splits = split ? [split.toLowerCase()] : Object.keys(data.splits);
  const numbered = id ? splits.map((name) => numberInData(`${name}:${Number(id)}`)) : [];
  const part = text.toLowerCase();
  const named = Object.values(texts).flatMap((all) => all.flatMap((own, image) => (own.toLowerCase().includes(part) ? [image] : [])));
  return [...new Set([...numbered, ...named])].filter((image) => image >= 0 && !isHidden(image));
}

/** Pin the first image that is found by the text in the field, or the one after the pinned one. */
function findNext() {
  const text = $("find").value.trim();
  const found = text ? findImages(text) : [];
  const at = (found.indexOf(state.pinned) + 1) % (found.length || 1);
  $("found").textContent = found.length ? `${at + 1} of ${found.length}` : text && "not found";
  if (found.length) goTo(found[at]);
}

/** Pin the next wrong prediction in color; the most confident ones come first. */
export function goToNextError() {
  const errors = shuffledImages.filter((image) => isWrong(image) && isInColor(image));
  if (confidences) errors.sort((a, b) => confidences[b] - confidences[a] || a - b);
  if (errors.length) goTo(errors[(errors.indexOf(state.pinned) + 1) % errors.length]);
}

/** Return the map that moves are measured from: the one beside the map that is shown, or the one to compare it with. */
const getStart = () => (typeof state.beside === "number" ? state.beside : findOther());

/** Pin the next image in color of those that lie farthest from their places in another map. */
export function goToNextMoved() {
  if (maps.length < 2) return;
  const start = getStart();
  const moves = Float32Array.from(shuffledImages, (_, image) => measureMove(image, start));
  const moved = shuffledImages.filter(isInColor).sort((a, b) => moves[b] - moves[a] || a - b);
  if (moved.length) goTo(moved[(moved.indexOf(state.pinned) + 1) % moved.length]);
}

/** Say from which map moves are measured. */
export function nameStart() {
  $("moved").hidden = maps.length < 2;
  if (maps.length > 1) $("start").textContent = nameMap(maps[getStart()]);
}

export const focusOnFind = () => $("find").focus();

/** React to the field in which a number or a name is written. */
export function listenToFind() {
  const kinds = ["number", ...data.texts.map((column) => (column === "text" ? "text" : "name"))];
  $("find").placeholder = new Intl.ListFormat("en", { type: "disjunction" }).format(kinds);
  $("find").oninput = () => ($("found").textContent = "");
  $("find").onkeydown = (event) => {
    event.stopPropagation(); // its letters are no commands
    if (event.key === "Enter") findNext();
    if (event.key === "Escape") $("find").blur();
  };
}
