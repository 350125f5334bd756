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

export const maps = []; // for each layer: x and y in [-1, 1], `data.nearest` neighbors of each image, nearest first, and votes
export let labels, predictions, confidences, depths; // of each image; all but the first are undefined if unknown
export let names; // of each image; undefined unless its file or its name is known

export const isHeldOut = (image) => image >= data.splits.train;
export const isWrong = (image) => data.predicted && predictions[image] !== labels[image];

/** Return the name of an image's class, or an empty text without labels. */
export const getClassName = (image) => data.classes[labels[image]] ?? "";

/** Return the split of an image, and its number in it. */
export function locateInSplit(image) {
  let id = image;
  for (const split of splits) {
    if (id < data.splits[split]) return { split, id };
    id -= data.splits[split];
  }
}

/** Return the number of the image with this "split:id", or -1 if there is none. */
export function numberInData(text) {
  const [, split, id] = text.match(/^(\w+):(\d+)$/) ?? [];
  if (!splits.includes(split) || !(Number(id) < data.splits[split])) return -1;
  const before = splits.slice(0, splits.indexOf(split));
  return before.reduce((sum, name) => sum + data.splits[name], Number(id));
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
  if (data.naming) names = JSON.parse(new TextDecoder().decode(await unpackArray(data.arrays.name)));
  for (const layer of data.layers) {
    const keys = ["x", "y", "neighbors", "votes"].map((key) => `${layer}_${key}`);
    const [x, y, neighbors, votes] = await Promise.all(keys.map(unpack));
    maps.push({ x: scaleCoordinates(x), y: scaleCoordinates(y), neighbors, votes });
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
