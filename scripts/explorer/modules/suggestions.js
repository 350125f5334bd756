// Suggestions: groups of images that are worth a look, each found by a rule that the page states.

import { confidences, data, findMap, getClassName, hasLabels, isWrong, itemsName, labels, layers, shuffledImages } from "./data.js";
import { $, formatNumber, makeElement } from "./elements.js";
import { clearFilters } from "./filters.js";
import { showMap } from "./layers.js";
import { updatePage } from "./page.js";
import { selectImages } from "./selection.js";
import { getNeighbors, getVote, state } from "./state.js";
import { zoomTo } from "./views.js";

const CONFIDENT = 90; // percent
const MIN_ISLAND = 5; // images
const MAX_ISLANDS = 4; // that are listed
const CHANGED = 50; // images whose neighbors change most
const MIN_GAIN = 2; // percent of a class's images that training turns right
const MAX_CLASSES = 3; // that are listed

/** Return the confident errors as a suggestion, if there are any. */
function suggestErrors() {
  if (!confidences) return [];
  const images = shuffledImages.filter((image) => isWrong(image) && confidences[image] >= 100 * CONFIDENT);
  images.sort((a, b) => confidences[b] - confidences[a]);
  const text = `Confident errors: ${formatNumber(images.length)}`;
  return images.length ? [{ rule: `Wrong predictions with a confidence of at least ${CONFIDENT}\u00a0%:`, groups: [{ text, images }] }] : [];
}

/** Return the images that share the fewest neighbors between the first and the last layer as a suggestion. */
function suggestChanges() {
  const [first, last] = [0, layers.length - 1];
  if (first === last) return [];
  const shared = Float32Array.from(shuffledImages, (_, image) => {
    const others = new Set(getNeighbors(image, first));
    return getNeighbors(image, last).filter((neighbor) => others.has(neighbor)).length;
  });
  const images = [...shuffledImages].sort((a, b) => shared[a] - shared[b]).slice(0, CHANGED);
  const rule = `The ${itemsName} that share the fewest of their ${data.nearest} neighbors in ${layers[first]} and ${layers[last]}:`;
  return [{ rule, groups: [{ text: `Neighbors change most: ${images.length}`, images, map: last }] }];
}

/** Return groups of images of one class that lie together within another, in a map: a list of images each. */
function findIslands(map) {
  const votes = labels.map((label, image) => getVote(image, map));
  const roots = new Map(); // of the images within another class: one that leads to the first of its group
  const findRoot = (image) => {
    while (roots.get(image) !== image) image = roots.get(image);
    return image;
  };
  for (const [image, label] of labels.entries()) if (votes[image] !== label) roots.set(image, image);
  for (const image of roots.keys()) {
    for (const neighbor of getNeighbors(image, map)) {
      const isAlike = labels[neighbor] === labels[image] && votes[neighbor] === votes[image];
      if (isAlike && roots.has(neighbor)) roots.set(findRoot(image), findRoot(neighbor));
    }
  }
  const groups = new Map();
  for (const image of roots.keys()) {
    const root = findRoot(image);
    groups.set(root, [...(groups.get(root) ?? []), image]);
  }
  return [...groups.values()].filter((images) => images.length >= MIN_ISLAND).map((images) => ({ images, vote: votes[images[0]] }));
}

/** Return the largest islands of all layers as suggestions. */
function suggestIslands() {
  if (!hasLabels) return [];
  const found = layers.flatMap((layer, map) => findIslands(map).map((island) => ({ ...island, map })));
  found.sort((a, b) => b.images.length - a.images.length);
  const groups = found.slice(0, MAX_ISLANDS).map(({ images, vote, map }) => ({
    text: `${images.length} of “${getClassName(images[0])}” within “${data.classes[vote]}”, ${layers[map]}`,
    images,
    map,
  }));
  const rule = `Islands, ${itemsName} whose neighbors vote for another class, joined where one is a neighbor of the other:`;
  return groups.length ? [{ rule, groups }] : [];
}

/** Return the share of the images of each class whose neighbors vote for it, in a map, in percent. */
function measureClasses(map) {
  const [right, all] = [new Float64Array(data.classes.length), new Float64Array(data.classes.length)];
  for (const [image, label] of labels.entries()) {
    all[label]++;
    if (getVote(image, map) === label) right[label]++;
  }
  return right.map((count, label) => (100 * count) / (all[label] || 1));
}

/** Return the classes that training separates most in the last layer as suggestions. */
function suggestClasses() {
  const map = layers.length - 1;
  const before = findMap(layers[map], 0);
  if (!hasLabels || before < 0) return [];
  const [given, learned] = [measureClasses(before), measureClasses(map)];
  const found = data.classes.map((name, label) => ({ name, label, gain: learned[label] - given[label] }));
  found.sort((a, b) => b.gain - a.gain);
  const groups = found.slice(0, MAX_CLASSES).filter(({ gain }) => gain >= MIN_GAIN).map(({ name, label }) => ({
    text: `“${name}”: ${given[label].toFixed(1)}\u00a0% before training, ${learned[label].toFixed(1)}\u00a0% after`,
    label,
    map,
  }));
  const rule = `Classes that training separates most, by the share of their ${itemsName} whose neighbors in ${layers[map]} vote for them:`;
  return groups.length ? [{ rule, groups }] : [];
}

/** Show a group of images: select it and come near; or a class: color it alone. */
async function showGroup({ images, label, map = state.map }) {
  clearFilters();
  await showMap(map);
  if (label !== undefined) {
    state.classes.add(label);
    return updatePage();
  }
  selectImages([...images].sort((a, b) => a - b));
  zoomTo(images);
}

/** List the suggestions, once. */
function listSuggestions() {
  if ($("suggested").childElementCount) return;
  const found = [suggestErrors, suggestIslands, suggestChanges, suggestClasses].flatMap((suggest) => suggest());
  for (const { rule, groups } of found) {
    $("suggested").append(makeElement("p", { textContent: rule }));
    for (const group of groups) {
      const onclick = () => showGroup(group);
      $("suggested").append(makeElement("button", { type: "button", textContent: group.text, onclick }));
    }
  }
  if (!found.length) $("suggested").textContent = "none";
}

/** Find the suggestions when their list is opened, since that takes a moment. */
export const prepareSuggestions = () => ($("suggestions").ontoggle = listSuggestions);
