// The picture: what the map shows, with a title and a legend, as a PNG of twice the screen's resolution.

import { getColoring, getRampColor, isEntryInColor } from "./coloring.js";
import { data, maps, nameMap } from "./data.js";
import { download, makeElement } from "./elements.js";
import { getThemeColor } from "./plot.js";
import { state } from "./state.js";
import { views } from "./views.js";

const SCALE = 2; // of the screen's resolution
const TITLE = { height: 44, size: 17 }; // pixels of the page
const ENTRY = { height: 24, size: 13, swatch: 10, gap: 22 }; // of the legend
const RAMP = { width: 160, height: 12 };
const MARGIN = 20;
const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif";

/** Return the entries of the legend with their places, and its height, in a picture of some width. */
function layOutLegend(context, pictureWidth) {
  const { key, entries } = getColoring();
  if (!entries || key === "none") return { entries: [], height: entries ? 0 : ENTRY.height + MARGIN / 2 };
  context.font = `${ENTRY.size}px ${FONT}`;
  let [x, y] = [MARGIN, 0];
  const placed = entries.map(({ text, color }, number) => {
    const width = ENTRY.swatch + 7 + context.measureText(text).width;
    if (x > MARGIN && x + width > pictureWidth - MARGIN) [x, y] = [MARGIN, y + ENTRY.height];
    const entry = { text, color, number, x, y: y + ENTRY.height / 2 };
    x += width + ENTRY.gap;
    return entry;
  });
  return { entries: placed, height: y + ENTRY.height + MARGIN / 2 };
}

/** Draw the legend: the entries in color and the others in gray, or the ramp. */
function drawLegend(context, entries, top) {
  if (!getColoring().entries) drawRamp(context, top + ENTRY.height / 2);
  for (const { text, color, number, x, y } of entries) {
    const isOn = isEntryInColor(number);
    context.fillStyle = isOn ? color : getThemeColor("gray");
    context.beginPath();
    context.arc(x + ENTRY.swatch / 2, top + y, ENTRY.swatch / 2, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = getThemeColor(isOn ? "ink" : "soft");
    context.fillText(text, x + ENTRY.swatch + 7, top + y);
  }
}

/** Draw the ramp with its name and its range; what is out of the range is gray. */
function drawRamp(context, y) {
  const { name, high, unit } = getColoring();
  const [first, last] = state.range ?? [0, high];
  for (let pixel = 0; pixel < RAMP.width; pixel++) {
    const share = pixel / (RAMP.width - 1);
    context.fillStyle = share * high >= first && share * high <= last ? getRampColor(share) : getThemeColor("gray");
    context.fillRect(MARGIN + pixel, y - RAMP.height / 2, 1, RAMP.height);
  }
  context.fillStyle = getThemeColor("ink");
  context.fillText(`${name}: ${first} to ${last}${unit}`, MARGIN + RAMP.width + 10, y);
}

/** Draw a mark of the map: a name, a line or a ring. */
function drawMark(context, mark) {
  const style = getComputedStyle(mark);
  if (style.visibility === "hidden" || style.display === "none") return;
  const number = (name) => Number(mark.getAttribute(name));
  Object.assign(context, { strokeStyle: style.stroke, lineWidth: parseFloat(style.strokeWidth), globalAlpha: style.opacity });
  context.beginPath();
  if (mark.tagName === "line") {
    context.moveTo(number("x1"), number("y1"));
    context.lineTo(number("x2"), number("y2"));
  } else if (mark.tagName === "circle") context.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
  else {
    Object.assign(context, { font: `${style.fontSize} ${style.fontFamily}`, textAlign: "center", fillStyle: style.fill });
    context.strokeText(mark.textContent, number("x"), number("y"));
    context.fillText(mark.textContent, number("x"), number("y"));
  }
  if (mark.tagName === "text") return;
  if (style.fill !== "none") {
    context.fillStyle = style.fill;
    context.fill();
  }
  context.stroke();
}

/** Draw a view with its images and its marks, at the place of its canvas. */
async function drawView(context, view) {
  const points = await view.plot.export({ scale: SCALE });
  const map = makeElement("canvas", { width: points.width, height: points.height });
  map.getContext("2d").putImageData(points, 0, 0);
  context.drawImage(map, 0, 0, view.width, view.height);
  if (view.tiles && !view.tiles.hidden) {
    context.filter = getComputedStyle(view.tiles).filter;
    context.drawImage(view.tiles, 0, 0, view.width, view.height);
    context.filter = "none";
  }
  for (const mark of view.marks.children) drawMark(context, mark);
}

/** Draw the name of a map beside the main one in its corner. */
function drawName(context, name) {
  Object.assign(context, { font: `${ENTRY.size}px ${FONT}`, textAlign: "left", lineWidth: 4, globalAlpha: 1 });
  Object.assign(context, { strokeStyle: getThemeColor("paper"), fillStyle: getThemeColor("ink") });
  context.strokeText(name, MARGIN / 2, ENTRY.height / 2);
  context.fillText(name, MARGIN / 2, ENTRY.height / 2);
}

/** Return a canvas with the picture: all views where they are on the page, below a title and above the legend. */
async function drawPicture() {
  const boxes = views.map(({ canvas }) => canvas.getBoundingClientRect());
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const [width, bottom] = [Math.max(...boxes.map((box) => box.right)) - left, Math.max(...boxes.map((box) => box.bottom))];
  const canvas = document.createElement("canvas");
  const { entries, height } = layOutLegend(canvas.getContext("2d"), width);
  const factor = SCALE * devicePixelRatio;
  Object.assign(canvas, {
    width: Math.round(factor * width),
    height: Math.round(factor * (TITLE.height + bottom - top + height)),
  });
  const context = canvas.getContext("2d");
  context.scale(factor, factor);
  context.fillStyle = getThemeColor("paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { textBaseline: "middle", lineJoin: "round", fillStyle: getThemeColor("ink") });
  context.font = `${TITLE.size}px ${FONT}`;
  context.fillText(`${data.dataset}, ${nameMap(maps[state.map])}`, MARGIN, TITLE.height / 2);
  context.font = `${ENTRY.size}px ${FONT}`;
  drawLegend(context, entries, TITLE.height + bottom - top);
  for (const [number, view] of views.entries()) {
    context.save();
    context.translate(boxes[number].left - left, TITLE.height + boxes[number].top - top);
    context.beginPath();
    context.rect(0, 0, view.width, view.height);
    context.clip();
    await drawView(context, view);
    if (number) drawName(context, nameMap(maps[view.getMap()]));
    context.restore();
  }
  return canvas;
}

/** Download what the maps show as a PNG. */
export async function savePicture() {
  const canvas = await drawPicture();
  const name = `${data.dataset}_${nameMap(maps[state.map])}.png`.replaceAll(/[, ]+/g, "_");
  canvas.toBlob((blob) => download(blob, name), "image/png");
}
