// The images. Many of them share a sheet, which is decoded when one of its images is first shown.

import { data, hasImages } from "./data.js";

const decoding = new Map(); // by number, promises of decoded sheets
const decoded = new Map(); // by number, decoded sheets

/** Return a promise of the decoded sheet with a number. */
function decodeSheet(number) {
  if (!decoding.has(number)) {
    const sheet = new Image();
    sheet.src = data.sheets[number];
    const bitmap = sheet.decode().then(() => createImageBitmap(sheet));
    decoding.set(number, bitmap.then((found) => (decoded.set(number, found), found)));
  }
  return decoding.get(number);
}

/** Return the number of an image's sheet, and the part of the sheet that it is: left, top, width and height. */
function locateInSheet(image) {
  const [width, height] = data.size;
  const place = image % data.side ** 2;
  const [column, row] = [place % data.side, Math.floor(place / data.side)];
  return [Math.floor(image / data.side ** 2), [column * width, row * height, width, height]];
}

/** Return an image as the first arguments of drawImage; if its sheet is not decoded, nothing, and call back when it is. */
export function cutImage(image, onDecoded) {
  const [number, part] = locateInSheet(image);
  if (decoded.has(number)) return [decoded.get(number), ...part];
  const isFirst = !decoding.has(number);
  const promise = decodeSheet(number);
  if (isFirst) promise.then(onDecoded);
}

/** Draw an image on a canvas. If another one is asked for before its sheet is decoded, only that one is drawn. */
export async function drawImage(canvas, image) {
  if (!hasImages) return;
  canvas.image = image;
  const [number, part] = locateInSheet(image);
  const sheet = await decodeSheet(number);
  if (canvas.image !== image) return;
  [canvas.width, canvas.height] = data.size;
  canvas.getContext("2d").drawImage(sheet, ...part, 0, 0, ...data.size);
}
