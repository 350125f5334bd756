// The images. Many of them share a sheet, which is decoded when one of its images is first shown.

import { data, hasImages } from "./data.js";

const sheets = new Map(); // by number, promises of decoded sheets

/** Return a promise of the decoded sheet with a number. */
function decodeSheet(number) {
  if (!sheets.has(number)) {
    const sheet = new Image();
    sheet.src = data.sheets[number];
    sheets.set(number, sheet.decode().then(() => sheet));
  }
  return sheets.get(number);
}

/** Draw an image on a canvas. If another one is asked for before its sheet is decoded, only that one is drawn. */
export async function drawImage(canvas, image) {
  if (!hasImages) return;
  const [width, height] = data.size;
  const perSheet = data.side ** 2;
  canvas.image = image;
  const sheet = await decodeSheet(Math.floor(image / perSheet));
  if (canvas.image !== image) return;
  canvas.width = width;
  canvas.height = height;
  const column = (image % perSheet) % data.side;
  const row = Math.floor((image % perSheet) / data.side);
  canvas.getContext("2d").drawImage(sheet, column * width, row * height, width, height, 0, 0, width, height);
}
