// The start of the explorer, a page that needs no server. It draws with regl-scatterplot because this library moves
// points between maps on the GPU and has a box that selects every point in it. Bokeh does not move points, the box of
// deck.gl finds only points that nothing covers, and embedding-atlas reads its data from a database.

import { applyAddress, listenToAddress } from "./address.js";
import { drawCard } from "./card.js";
import { makeColorings } from "./coloring.js";
import { data, loadArrays, maps } from "./data.js";
import { $ } from "./elements.js";
import { formatSelection } from "./exchange.js";
import { listenToFind } from "./find.js";
import { handleKey } from "./keys.js";
import { showLayer } from "./layers.js";
import { drawMarks } from "./marks.js";
import { fillPage, updatePage } from "./page.js";
import { createPlot, drawPoints, locateImage, plot, showWholeMap } from "./plot.js";
import { listenToMouse, pinImage } from "./pointing.js";
import { listenToAreas, selectImages } from "./selection.js";
import { applyFilters, state } from "./state.js";
import { listenToTouch } from "./touch.js";

/** React to keys, to the size of the window and to the theme. */
function listenToWindow() {
  addEventListener("keydown", handleKey);
  addEventListener("resize", updatePage);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", updatePage);
}

/** Start the explorer. */
async function startExplorer() {
  await loadArrays();
  makeColorings();
  fillPage();
  createPlot();
  window.explorer.plot = plot;
  applyFilters();
  await drawPoints();
  await showWholeMap();
  listenToMouse();
  listenToAreas();
  listenToTouch();
  listenToFind();
  plot.subscribe("drawing", drawMarks);
  updatePage();
  drawCard();
  listenToAddress(plot);
  await applyAddress();
  listenToWindow();
}

const ready = startExplorer();
ready.catch((error) => ($("status").textContent = `This browser cannot draw the map: ${error.message}`));

// For the browser's console and for the tests, for example explorer.pin(7), explorer.state or explorer.place(7).
window.explorer = {
  data,
  maps,
  state,
  show: showLayer,
  pin: pinImage,
  select: selectImages,
  csv: formatSelection,
  place: locateImage,
  ready,
};
