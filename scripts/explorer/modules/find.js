// Ways to an image: by its number or its name, and from one wrong prediction to the next.

import { confidences, data, isWrong, names, numberInData, shuffledImages } from "./data.js";
import { $ } from "./elements.js";
import { locateImage, mapHeight, mapWidth, moveTo } from "./plot.js";
import { hoverImage, pinImage } from "./pointing.js";
import { isHidden, isInColor, state } from "./state.js";

/** Pin an image, and move the map if it is not in view. */
function goTo(image) {
  hoverImage(-1);
  pinImage(image);
  const [x, y] = locateImage(image);
  if (x < 0 || x > mapWidth || y < 0 || y > mapHeight) moveTo(image);
}

/** Return the images with a number, "14" or "test 14", or with a text in their name. */
function findImages(text) {
  const [, split, id] = text.match(/^(?:([a-z]+)[ :]+)?(\d+)$/i) ?? [];
  const splits = split ? [split.toLowerCase()] : Object.keys(data.splits);
  const numbered = id ? splits.map((name) => numberInData(`${name}:${Number(id)}`)) : [];
  const part = text.toLowerCase();
  const named = (names ?? []).flatMap((name, image) => (name.toLowerCase().includes(part) ? [image] : []));
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

export const focusOnFind = () => $("find").focus();

/** React to the field in which a number or a name is written. */
export function listenToFind() {
  $("find").placeholder = names ? "number or name" : "number";
  $("find").oninput = () => ($("found").textContent = "");
  $("find").onkeydown = (event) => {
    event.stopPropagation(); // its letters are no commands
    if (event.key === "Enter") findNext();
    if (event.key === "Escape") $("find").blur();
  };
}
