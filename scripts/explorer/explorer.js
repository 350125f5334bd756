// The explorer of the maps: a page without a server. It draws with regl-scatterplot, which has built in what this needs, points
// that move from one map to the next on the GPU and a box that selects all in it; Bokeh moves no points, deck.gl's box finds
// only what nothing covers, and embedding-atlas has its data from a database.
"use strict";

const $ = (id) => document.getElementById(id);

const HIT = 10; // pixels: how near the mouse must be to an image in color, where grey ones lie between
const MOVE = 1100; // milliseconds from one layer to the next
const FULL = 1 / 6; // of the map covered by names: there no more are shown
const LIFT = 3; // points that are few are so much larger, at most

// ---------------------------------------------------------------------------------------------------------------- data

/** An array of the page's data: base64 of gzip of little-endian numbers. */
async function unpack({ type, bytes }) {
  const text = atob(bytes);
  const packed = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) packed[at] = text.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const types = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };
  return new types[type](await new Response(stream).arrayBuffer());
}

const data = JSON.parse($("data").textContent);
$("data").remove();
const n = data.train + data.test; // images: first those for training, then those held out

const state = {
  layer: 0,
  from: 0, // the layer that the points come from
  progress: 1, // and how far they are
  hovered: -1,
  pinned: -1,
  classes: new Set(), // those singled out; none: all
  wrong: false, // only wrong predictions
  heldout: "with", // "only" these, or "hidden"
  selection: [],
};

let label, prediction, confidence, kind, plot;
let width, height; // of the map on the page, in pixels
const maps = []; // of each layer: x and y in [-1, 1], neighbors (n, data.nearest)
const sheets = new Map();

const things = data.size ? "images" : "rows"; // what the points stand for
const isTest = (image) => image >= data.train;
const isWrong = (image) => data.predicted && prediction[image] !== label[image];
const name = (image) => data.classes[label[image]] ?? ""; // none, without labels
const known = data.classes.length > 0; // whether there are labels

async function load() {
  [label, prediction, confidence] = await Promise.all(
    ["label", "prediction", "confidence"].map((key) => data.arrays[key] && unpack(data.arrays[key])),
  );
  for (const layer of data.layers) {
    const [x, y, neighbors] = await Promise.all(["x", "y", "neighbors"].map((key) => unpack(data.arrays[`${layer}_${key}`])));
    const unit = (values) => Float32Array.from(values, (value) => (value / 65535) * 2 - 1);
    maps.push({ x: unit(x), y: unit(y), neighbors });
  }
  data.arrays = null;
  // Images of a kind look alike: the same class, right or wrong, seen or held out. Tables by kind say how.
  kind = Uint16Array.from(label, (number, image) => 4 * number + 2 * isWrong(image) + isTest(image));
}

/** Draw an image on a canvas, if there are images. Sheets are decoded as they are needed; who asks again in the meantime gets the later image. */
async function paint(canvas, image) {
  if (!data.size) return;
  const [width, height] = data.size;
  const number = Math.floor(image / data.side ** 2);
  if (!sheets.has(number)) {
    const sheet = new Image();
    sheet.src = data.sheets[number];
    sheets.set(number, sheet.decode().then(() => sheet));
  }
  canvas.image = image;
  const sheet = await sheets.get(number);
  if (canvas.image !== image) return;
  canvas.width = width;
  canvas.height = height;
  const place = image % data.side ** 2;
  const [column, row] = [place % data.side, Math.floor(place / data.side)];
  canvas.getContext("2d").drawImage(sheet, column * width, row * height, width, height, 0, 0, width, height);
}

// ------------------------------------------------------------------------------------------------------ what is in color

const inColor = (of) =>
  (!state.classes.size || state.classes.has(of >> 2)) && (!state.wrong || of & 2) && (state.heldout !== "only" || of & 1);
const isHidden = (image) => state.heldout === "hidden" && isTest(image);
const isLive = (image) => inColor(kind[image]) && !isHidden(image);

const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Bring the plot in line with what is in color, and with the page's theme and size. */
function restyle() {
  const rows = { grey: [], live: [] };
  for (const image of shuffled) if (!isHidden(image)) rows[isLive(image) ? "live" : "grey"].push(image);
  const shown = rows.live.length + rows.grey.length;
  ({ width, height } = $("points").getBoundingClientRect());
  const size = Math.max(1.4, Math.min(9, Math.min(width, height) * Math.sqrt((0.5 / shown) * (4 / Math.PI))));
  const lift = Math.min(LIFT, Math.max(1, (shown / (rows.live.length || 1)) ** 0.2));
  const kinds = [...Array(4 * data.colors.length).keys()];
  const colors = kinds.map((of) => (inColor(of) ? data.colors[of >> 2] : theme("grey")));
  // emptied first: the library takes a table for the same as one that has the same values in another order
  plot.set({ pointSize: size });
  plot.set({
    pointSize: kinds.map((of) => (inColor(of) ? size * lift : size)),
    pointSizeMouseDetection: size * lift,
    pointColor: colors,
    pointColorActive: colors,
    pointColorHover: colors,
    backgroundColor: theme("paper"),
    lassoColor: theme("ink"),
    pointOrder: [...rows.grey, ...rows.live, ...shuffled.filter(isHidden)], // in color above grey
  });
  if (shown < n) plot.filter([...rows.grey, ...rows.live].sort((a, b) => a - b), { preventEvent: true });
  else if (plot.get("isPointsFiltered")) plot.unfilter({ preventEvent: true });

  for (const button of $("classes").children)
    button.setAttribute("aria-pressed", state.classes.has(Number(button.value)));
  for (const button of $("heldout").querySelectorAll("button"))
    button.setAttribute("aria-pressed", button.value === state.heldout);
  $("wrong").setAttribute("aria-pressed", state.wrong);
  if (state.pinned >= 0 && isHidden(state.pinned)) pin(-1);
  select(state.selection.filter(isLive));
  const count = (images) => images.toLocaleString("en");
  $("status").textContent = rows.grey.length
    ? `${count(rows.live.length)} of ${count(shown)} ${things} in color`
    : `${count(shown)} ${things}${known ? ", all in color" : ""}`;
  drawMarks();
}

// -------------------------------------------------------------------------------------------------------- marks on the map

const svg = (tag, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return $("marks").appendChild(element);
};
let lines, rings, ring, pinRing;
let names, ranked; // of the classes, and the numbers of those that have images, the largest first

/** Where a place of the maps, given in both layers between which the points move, is on the page: pixels in the map. */
function toScreen(from, to) {
  const [x, y] = [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * state.progress);
  const view = plot.get("camera").view;
  return [(width + height * (view[0] * x + view[12])) / 2, (height * (1 - view[5] * y - view[13])) / 2];
}

/** Where an image is on the page. */
function place(image) {
  const [from, to] = [maps[state.from], maps[state.layer]];
  return toScreen([from.x[image], from.y[image]], [to.x[image], to.y[image]]);
}

const nearest = (image) => [...maps[state.layer].neighbors.subarray(image * data.nearest, (image + 1) * data.nearest)];

/** Draw the rings, the lines to neighbors and the classes' names; with each frame, as they move with the points. */
function drawMarks() {
  const set = (element, attributes) => {
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  };
  // the largest classes first, those singled out before all; a name that would cover another, or for which the page is
  // too full, waits until one zooms in
  const taken = [];
  let room = FULL * width * height;
  const isFaint = (number) => state.classes.size > 0 && !state.classes.has(number);
  for (const number of [...ranked].sort((a, b) => isFaint(a) - isFaint(b))) {
    const { text, wide, high } = names[number];
    const [x, y] = toScreen(data.medians[state.from][number], data.medians[state.layer][number]);
    const inside = x > 0 && x < width && y > 0 && y < height;
    const covers = (other) => Math.abs(other.x - x) <= (other.wide + wide) / 2 && Math.abs(other.y - y) <= high;
    const free = inside && room > 0 && !taken.some(covers);
    if (free) {
      taken.push({ x, y, wide });
      room -= wide * high;
    }
    set(text, { x, y, class: isFaint(number) ? "faint" : "", visibility: free ? "inherit" : "hidden" });
  }
  const pinned = state.pinned >= 0 && place(state.pinned);
  const neighbors = pinned ? nearest(state.pinned) : [];
  rings.forEach((circle, rank) => {
    circle.style.display = lines[rank].style.display = pinned ? "" : "none";
    if (!pinned) return;
    const [x, y] = place(neighbors[rank]);
    set(circle, { cx: x, cy: y });
    circle.style.fill = data.colors[label[neighbors[rank]]];
    set(lines[rank], { x1: pinned[0], y1: pinned[1], x2: x, y2: y });
  });
  pinRing.style.display = pinned ? "" : "none";
  if (pinned) set(pinRing, { cx: pinned[0], cy: pinned[1] });

  const hovered = state.hovered >= 0 && place(state.hovered);
  ring.style.display = hovered ? "" : "none";
  $("tip").hidden = !hovered || !data.size;
  if (hovered) set(ring, { cx: hovered[0], cy: hovered[1] });
  if (hovered && data.size) {
    const tall = (64 * data.size[1]) / data.size[0];
    $("tip").style.left = `${hovered[0] + (hovered[0] + 90 < width ? 12 : -76)}px`;
    $("tip").style.top = `${hovered[1] + (hovered[1] > tall + 20 ? -12 - tall : 12)}px`;
  }
}

// ---------------------------------------------------------------------------------------------------------------- the card

/** Show an image with its facts and neighbors: the one under the mouse, or else the pinned one. */
function drawCard() {
  const image = state.hovered >= 0 ? state.hovered : state.pinned;
  for (const element of document.querySelectorAll(".layer")) element.textContent = data.layers[state.layer];
  $("about").hidden = $("nearest").hidden = image < 0;
  $("hint").hidden = image >= 0;
  if (image < 0) return;
  paint($("image"), image);
  const entries = known ? [["Label", name(image), "name"]] : [];
  if (data.predicted) {
    const share = `${(confidence[image] / 100).toFixed(1)} %`;
    entries.push(["Prediction", `${data.classes[prediction[image]]}, ${share}`, isWrong(image) ? "miss" : ""]);
  }
  const number = isTest(image) ? image - data.train : image;
  entries.push([isTest(image) ? "Held out" : data.test ? "Training" : "Row", `no. ${number}`, ""]);
  $("facts").replaceChildren(
    ...entries.flatMap(([term, text, style]) => [
      Object.assign(document.createElement("dt"), { textContent: term }),
      Object.assign(document.createElement("dd"), { textContent: text, className: style }),
    ]),
  );
  const buttons = nearest(image).map((neighbor) => {
    const button = Object.assign(document.createElement("button"), { type: "button", title: `${known ? `${name(neighbor)}, ` : ""}no. ${neighbor}` });
    button.setAttribute("aria-label", `Pin neighbor ${neighbor}${known ? `, label ${name(neighbor)}` : ""}`);
    button.style.borderBottomColor = data.colors[label[neighbor]];
    button.onclick = () => {
      const rank = [...$("neighbors").children].indexOf(button);
      state.hovered = -1;
      pin(neighbor);
      $("neighbors").children[rank].focus();
    };
    if (data.size) {
      const canvas = Object.assign(document.createElement("canvas"), { className: "image" });
      button.append(canvas);
      paint(canvas, neighbor);
    } else button.append(button.title);
    return button;
  });
  const same = nearest(image).filter((neighbor) => label[neighbor] === label[image]).length;
  const note = Object.assign(document.createElement("p"), { textContent: `${same} of ${data.nearest} have its label` });
  $("neighbors").replaceChildren(...buttons, ...(known ? [note] : []));
}

// ----------------------------------------------------------------------------------------------------------- what one can do

/** Show the map of a layer, by its number; the points move there. */
async function show(layer) {
  if (layer < 0 || layer >= maps.length) return;
  wanted = layer;
  [...$("layers").children].forEach((button, number) => button.setAttribute("aria-pressed", number === layer));
  if (state.progress < 1) return; // they are on their way, and will go on
  hover(-1);
  while (state.layer !== wanted) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    state.from = state.layer;
    state.layer = wanted;
    state.progress = still ? 1 : 0;
    drawCard();
    await plot.draw(points(), {
      preventFilterReset: true,
      transition: !still,
      transitionDuration: MOVE,
      // the marks go along
      transitionEasing: (t) => (state.progress = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * Math.min(t, 1)) ** 3 / 2),
    });
    state.progress = 1;
    drawMarks();
  }
}
let wanted = 0;
const points = () => ({ x: maps[state.layer].x, y: maps[state.layer].y, z: kind });

/** Point at an image; -1: at none. */
function hover(image) {
  state.hovered = image;
  $("points").classList.toggle("hit", image >= 0);
  if (image >= 0) paint($("tip"), image);
  drawCard();
  drawMarks();
}

/** Pin an image and mark its neighbors; -1: unpin. */
function pin(image) {
  state.pinned = image;
  drawCard();
  drawMarks();
}

/** Pin an image that is in color, drawn at random. */
function pinAny() {
  const live = shuffled.filter(isLive);
  if (live.length) pin(live[Math.floor(Math.random() * live.length)]);
}

/** Select images; none: deselect. */
function select(images) {
  state.selection = images;
  if (images.length) plot.select(images, { preventEvent: true });
  else plot.deselect({ preventEvent: true });
  const wrong = images.filter(isWrong).length;
  $("selected").textContent = images.length
    ? `${images.length.toLocaleString("en")} ${things}${data.predicted ? `, ${wrong.toLocaleString("en")} predicted wrong` : ""}`
    : "none";
  $("export").disabled = $("clear").disabled = !images.length;
}

/** The selection as CSV: a row an image, its number in its split, and what is known of it. */
function csv() {
  const rows = state.selection.map((image) => [
    isTest(image) ? image - data.train : image,
    isTest(image) ? "test" : "train",
    ...(known ? [name(image)] : []),
    ...(data.predicted ? [data.classes[prediction[image]]] : []),
  ]);
  const head = ["id", "split", ...(known ? ["label"] : []), ...(data.predicted ? ["prediction"] : [])];
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

function exportIds() {
  if (!state.selection.length) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = `${data.dataset}_${data.layers[state.layer]}_selection.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function setBoxing(on) {
  $("box").setAttribute("aria-pressed", on);
  $("points").classList.toggle("boxing", on);
  plot.set({ mouseMode: on ? "lasso" : "panZoom" });
}

const look = (dx, dy, factor) => {
  const [x, y] = plot.get("cameraTarget");
  const distance = plot.get("cameraDistance") * factor;
  plot.zoomToLocation([x + dx * distance, y + dy * distance], distance);
};
const lookAtAll = () => plot.zoomToArea({ x: -1, y: -1, width: 2, height: 2 });

function toggleClass(number) {
  if (!state.classes.delete(number)) state.classes.add(number);
  restyle();
}

function toggleWrong() {
  state.wrong = data.predicted && !state.wrong;
  restyle();
}

function setHeldout(value) {
  state.heldout = value;
  restyle();
}

/** Undo, one thing at a time. */
function escape() {
  if (state.pinned >= 0) pin(-1);
  else if (state.selection.length) select([]);
  else {
    state.classes.clear();
    state.wrong = false;
    setHeldout("with");
  }
}

const inView = () => plot.get("pointsInView").filter(isLive).sort((a, b) => a - b);

const KEYS = {
  ArrowLeft: () => show(wanted - 1),
  ArrowRight: () => show(wanted + 1),
  "+": () => look(0, 0, 1 / 1.4),
  "=": () => look(0, 0, 1 / 1.4),
  "-": () => look(0, 0, 1.4),
  0: lookAtAll,
  r: pinAny,
  w: toggleWrong,
  h: () => data.test && setHeldout({ with: "only", only: "hidden", hidden: "with" }[state.heldout]),
  b: () => setBoxing($("box").getAttribute("aria-pressed") !== "true"),
  v: () => select(inView()),
  e: exportIds,
  "?": () => $("help").showModal(),
  Escape: escape,
};
const SHIFTED = {
  ArrowLeft: () => look(-0.3, 0, 1),
  ArrowRight: () => look(0.3, 0, 1),
  ArrowUp: () => look(0, 0.3, 1),
  ArrowDown: () => look(0, -0.3, 1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = /^[1-9]$/.test(key) ? () => show(key - 1) : (event.shiftKey && SHIFTED[key]) || KEYS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

// ---------------------------------------------------------------------------------------------------------------- the page

/** The images in a random order, the same each time, so that no class hides another. */
const shuffled = (() => {
  const order = Array.from({ length: n }, (_, image) => image);
  let seed = 1;
  for (let at = n - 1; at > 0; at--) {
    seed = (seed * 48271) % 2147483647; // Park and Miller's generator
    const other = seed % (at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
})();

/** Without images, the page's texts speak of rows, and without those held out of no training. */
function rename() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.tagName === "SCRIPT") continue;
    if (!data.test) text.data = text.data.replace(/\btraining /g, "");
    if (!data.size) text.data = text.data.replace(/\ban image\b/g, "a row").replace(/\bimage(s?)\b/g, "row$1");
  }
}

function furnish() {
  rename();
  document.body.classList.toggle("plain", !data.size);
  $("dataset").textContent = data.dataset;
  $("made").textContent = data.made && `Made by the workflow, ${data.made}.`;
  document.title = `What has each layer learned? ${data.dataset}`;
  document.body.classList.toggle("grey", data.grey);
  data.layers.forEach((layer, number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: layer });
    button.setAttribute("aria-pressed", number === 0);
    if (number < 9) button.setAttribute("aria-keyshortcuts", number + 1);
    button.onclick = () => show(number);
    $("layers").append(button);
  });
  const longest = Math.max(1, ...data.classes.map((text) => text.length));
  $("classes").style.setProperty("--wide", `${Math.max(46, 34 + 8 * longest)}px`);
  $("classes").classList.toggle("names", longest > 2);
  $("classes").parentElement.hidden = !known;
  data.classes.forEach((text, number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", value: number, title: text });
    const swatch = Object.assign(document.createElement("span"), { className: "swatch" });
    swatch.style.background = data.colors[number];
    button.append(swatch, Object.assign(document.createElement("span"), { className: "text", textContent: text }));
    button.onclick = () => toggleClass(number);
    $("classes").append(button);
  });
  $("wrong").hidden = !data.predicted;
  $("misses").textContent = shuffled.filter(isWrong).length.toLocaleString("en");
  $("heldout").hidden = !data.test;
  $("show").hidden = !data.predicted && !data.test;
  for (const button of $("heldout").querySelectorAll("button")) button.onclick = () => setHeldout(button.value);
  const actions = { ask: "?", box: "b", closer: "+", farther: "-", whole: 0, wrong: "w", export: "e" };
  for (const [id, key] of Object.entries(actions)) $(id).onclick = KEYS[key];
  $("clear").onclick = () => select([]);

  const letters = data.classes.reduce((sum, text) => sum + text.length, 0);
  const high = Math.min(22, Math.max(12, 22 * Math.sqrt(20 / letters)));
  names = data.classes.map((text) => {
    const element = Object.assign(svg("text", {}), { textContent: text });
    element.style.fontSize = `${high}px`;
    return { text: element, high, wide: element.getComputedTextLength() };
  });
  const counts = new Uint32Array(data.classes.length);
  if (known) for (const number of label) counts[number]++;
  ranked = [...counts.keys()].filter((number) => counts[number]).sort((a, b) => counts[b] - counts[a]);
  lines = Array.from({ length: data.nearest }, () => svg("line", {}));
  rings = Array.from({ length: data.nearest }, () => svg("circle", { r: 4.5 }));
  ring = svg("circle", { r: 6 });
  pinRing = svg("circle", { r: 8, class: "pin" });
}

/** Heed the plot's mouse: what it points at, clicks and boxes. */
function listen() {
  const mouse = { x: 0, y: 0, dragging: false };
  let boxed = false;
  const track = (event) => {
    const map = $("points").getBoundingClientRect();
    Object.assign(mouse, { x: event.clientX - map.left, y: event.clientY - map.top, dragging: event.buttons > 0 });
  };
  addEventListener("mousemove", track, { capture: true });
  addEventListener("mousedown", track, { capture: true });

  /** The image that is meant where the plot finds this one: what is grey is only a background. */
  const meant = (found) => {
    if (isLive(found)) return found;
    let [best, distance] = [-1, HIT];
    for (const image of shuffled) {
      if (!isLive(image)) continue;
      const [x, y] = place(image);
      const away = Math.hypot(x - mouse.x, y - mouse.y);
      if (away < distance) [best, distance] = [image, away];
    }
    return best;
  };
  plot.subscribe("pointOver", (found) => {
    if (mouse.dragging || state.progress < 1) return;
    const image = meant(found);
    if (image !== found) plot.hover(image, { preventEvent: true });
    if (image !== state.hovered) hover(image);
  });
  plot.subscribe("pointOut", () => hover(-1));
  plot.subscribe("lassoStart", () => {
    boxed = true;
    hover(-1);
  });
  plot.subscribe("lassoEnd", () => {
    boxed = false;
    select(plot.get("selectedPoints").filter(isLive).sort((a, b) => a - b));
  });
  plot.subscribe("select", ({ points: [found] }) => {
    if (boxed) return; // lassoEnd comes next
    select(state.selection); // a click pins, it does not select
    const image = meant(found);
    if (image >= 0) pin(image === state.pinned ? -1 : image);
  });
  plot.subscribe("drawing", drawMarks);
}

async function start() {
  await load();
  furnish();
  plot = window.explorer.plot = library.createScatterplot({
    canvas: $("points"),
    syncEvents: true,
    colorBy: "valueA",
    sizeBy: "valueA",
    opacity: 0.9,
    opacityInactiveScale: 0.12, // what is not selected
    pointSizeSelected: 0,
    pointOutlineWidth: 0,
    lassoType: "rectangle",
    lassoOnLongPress: false,
    lassoClearEvent: "lassoEnd",
    actionKeyMap: { lasso: "shift" },
    deselectOnDblClick: false,
    deselectOnEscape: false,
  });
  plot.get("camera").config({ isRotate: false });
  await plot.draw(points());
  await lookAtAll();
  listen();
  restyle();
  drawCard();
  addEventListener("keydown", onKey);
  addEventListener("resize", restyle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
}

// For the browser's console, and for the tests: explorer.pin(7), explorer.state, explorer.place(7).
const ready = start();
ready.catch((error) => ($("status").textContent = `This browser cannot draw the map: ${error.message}`));
window.explorer = { data, maps, state, show, pin, select, csv, place, ready };
