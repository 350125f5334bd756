// The start of the explorer, a page that needs no server. It draws with regl-scatterplot because this library moves
// points between maps on the GPU and has a box that selects every point in it. Bokeh does not move points, the box of
// deck.gl finds only points that nothing covers, and embedding-atlas reads its data from a database.

import { applyAddress, findMapInAddress, listenToAddress } from "./address.js";
import { drawCard } from "./card.js";
import { makeColorings } from "./coloring.js";
import { showBeside } from "./beside.js";
import { data, loadArrays, maps } from "./data.js";
import { $ } from "./elements.js";
import { formatSelection } from "./exchange.js";
import { listenToFind } from "./find.js";
import { handleKey } from "./keys.js";
import { showLayer, showMap, startWith } from "./layers.js";
import { addMarks, drawMarks } from "./marks.js";
import { fillPage, updatePage } from "./page.js";
import { drawPoints } from "./plot.js";
import { listenToMouse, listenToPointing, pinImage } from "./pointing.js";
import { listenToAreas, selectImages } from "./selection.js";
import { applyFilters, state } from "./state.js";
import { drawTiles } from "./tiles.js";
import { listenToTouch } from "./touch.js";
import { createView, linkView, locateImage, measureViews, showWholeMap, views } from "./views.js";

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
  const view = Object.assign(createView($("points"), $("marks"), () => state.map), { tiles: $("pictures") });
  addMarks(view);
  window.explorer.plot = view.plot;
  startWith(findMapInAddress());
  applyFilters();
  measureViews();
  await drawPoints(view);
  await showWholeMap();
  linkView(view);
  listenToMouse();
  for (const listen of [listenToPointing, listenToAreas, listenToTouch]) listen(view);
  listenToFind();
  view.plot.subscribe("drawing", () => (drawMarks(view), drawTiles(view)));
  updatePage();
  drawCard();
  listenToAddress(view.plot);
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
  showMap,
  beside: showBeside,
  views,
  pin: pinImage,
  select: selectImages,
  csv: formatSelection,
  place: locateImage,
  ready,
};
