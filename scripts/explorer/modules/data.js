// The data of the page: the map of each layer, and what is known of each image. An image is identified by its number;
// training images come first, then validation and test images. A data set without images has rows of numbers in their place.

import { $ } from "./elements.js";

export const data = JSON.parse($("data").textContent);
$("data").remove();

const splits = Object.keys(data.splits); // "train", "validation" and "test", in the order of the images
const imageCount = splits.reduce((sum, split) => sum + data.splits[split], 0);
export const hasHeldOut = imageCount > data.splits.train;
export const hasImages = data.size !== null;
export const hasLabels = data.classes.length > 0;
export const itemsName = hasImages ? "images" : "rows"; // what the points stand for

// Of a layer after an epoch, or after the last one if it is null; these come first, in the order of the layers. A map has
// x and y in [-1, 1], `data.nearest` neighbors of each image, nearest first, and their votes, if they are known.
export const maps = data.maps;
export const layers = maps.filter(({ epoch }) => epoch === null).map(({ layer }) => layer);
export let labels, predictions, confidences, depths; // of each image; all but the first are undefined if unknown
export const texts = {}; // of each image, by what they are: its file or its name, and its text
let ids; // of each image in its split; undefined if all images are on the page

export const isHeldOut = (image) => image >= data.splits.train;
export const isWrong = (image) => data.predicted && predictions[image] !== labels[image];

/** Return the name of an image's class, or an empty text without labels. */
export const getClassName = (image) => data.classes[labels[image]] ?? "";

/** Return the split of an image, and its number in it. */
export function locateInSplit(image) {
  let place = image;
  for (const split of splits) {
    if (place < data.splits[split]) return { split, id: ids ? ids[image] : place };
    place -= data.splits[split];
  }
}

/** Return the number of the image with this "split:id", or -1 if there is none. */
export function numberInData(text) {
  const [, split, id] = text.match(/^(\w+):(\d+)$/) ?? [];
  if (!splits.includes(split)) return -1;
  const before = splits.slice(0, splits.indexOf(split)).reduce((sum, name) => sum + data.splits[name], 0);
  const place = ids ? ids.subarray(before, before + data.splits[split]).indexOf(Number(id)) : Number(id);
  return place >= 0 && place < data.splits[split] ? before + place : -1;
}

/** Return the name of a map, as readers see it. */
export function nameMap({ layer, epoch }) {
  if (epoch === null) return layer;
  return epoch ? `${layer}, epoch ${epoch}` : `${layer} before training`;
}

/** Return the number of the map of a layer after an epoch, or -1 if there is none. */
export const findMap = (layer, epoch) => maps.findIndex((map) => map.layer === layer && map.epoch === epoch);

/** Return the epochs after which a layer has a map, ascending; null stands for the last one. */
export function listEpochs(layer) {
  const epochs = maps.filter((map) => map.layer === layer).map(({ epoch }) => epoch);
  return epochs.sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
}

/** Return an array of the data as numbers; it is stored as base64 of gzip of little-endian numbers. */
async function unpackArray({ type, bytes }) {
  const text = atob(bytes);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const types = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };
  return new types[type](await new Response(stream).arrayBuffer());
}

/** Unpack all arrays of the data. */
export async function loadArrays() {
  const unpack = (key) => data.arrays[key] && unpackArray(data.arrays[key]);
  [labels, predictions, confidences, depths] = await Promise.all(["label", "prediction", "confidence", "depth"].map(unpack));
  ids = await unpack("id");
  for (const column of data.texts) texts[column] = JSON.parse(new TextDecoder().decode(await unpack(column)));
  for (const [number, map] of maps.entries()) {
    const keys = ["x", "y", "neighbors", "votes"].map((key) => `${key}${number}`);
    const [x, y, neighbors, votes] = await Promise.all(keys.map(unpack));
    Object.assign(map, { x: scaleCoordinates(x), y: scaleCoordinates(y), neighbors, votes });
  }
  data.arrays = null;
}

/** Return coordinates in [-1, 1]; they are stored as integers in [0, 65535]. */
const scaleCoordinates = (values) => Float32Array.from(values, (value) => (value / 65535) * 2 - 1);

/** Return the images in random order, the same one each time. They are drawn in it, so that no class hides another. */
function shuffleImages() {
  const order = Array.from({ length: imageCount }, (_, image) => image);
  let seed = 1;
  for (let i = imageCount - 1; i > 0; i--) {
    seed = (seed * 48271) % 2147483647; // the generator of Park and Miller
    const j = seed % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

export const shuffledImages = shuffleImages();
