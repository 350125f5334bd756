// The filters, which decide what is in color: classes, wrong predictions and held-out images.

import { data, hasHeldOut, hasLabels, isWrong, shuffledImages } from "./data.js";
import { $, formatNumber, setPressed } from "./elements.js";
import { clearLegend, fitChips, makeChip } from "./legend.js";
import { updatePage } from "./page.js";
import { state } from "./state.js";

/** Add a button for each class; together they are the legend. */
export function addClassButtons() {
  fitChips($("classes"), data.classes);
  $("classes").parentElement.hidden = !hasLabels;
  $("classes").append(...data.classes.map((text, label) => makeChip(text, data.colors[label], label, toggleClass)));
}

/** Prepare the buttons for wrong predictions and held-out images; hide those without any. */
export function prepareFilterButtons() {
  $("wrong").hidden = $("next").hidden = !data.predicted;
  $("misses").textContent = formatNumber(shuffledImages.filter(isWrong).length);
  $("heldout").hidden = !hasHeldOut;
  $("show").hidden = !data.predicted && !hasHeldOut;
  for (const button of $("heldout").querySelectorAll("button")) button.onclick = () => setHeldOut(button.value);
}

/** Add a class to those in color, or remove it. */
function toggleClass(label) {
  if (!state.classes.delete(label)) state.classes.add(label);
  updatePage();
}

/** Color only wrong predictions, or all. */
export function toggleWrong() {
  state.wrong = data.predicted && !state.wrong;
  updatePage();
}

/** Show held-out images "with" the others, color "only" these, or keep them "hidden". */
function setHeldOut(value) {
  state.heldout = value;
  updatePage();
}

/** Go on to the next way to show held-out images. */
export function cycleHeldOut() {
  if (hasHeldOut) setHeldOut({ with: "only", only: "hidden", hidden: "with" }[state.heldout]);
}

/** Color all images. */
export function clearFilters() {
  state.classes.clear();
  state.wrong = false;
  clearLegend();
  setHeldOut("with");
}

/** Show on the buttons which filters are on. */
export function pressFilterButtons() {
  for (const button of $("classes").children) setPressed(button, state.classes.has(Number(button.value)));
  for (const button of $("heldout").querySelectorAll("button")) setPressed(button, button.value === state.heldout);
  setPressed($("wrong"), state.wrong);
}
