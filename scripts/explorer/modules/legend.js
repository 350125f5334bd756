// The legend of the coloring: a button for each of its entries, or a ramp with two ends. Both filter the images.

import { colorings, getColoring, getRampColor, isDark } from "./coloring.js";
import { $, makeElement, setPressed } from "./elements.js";
import { updatePage } from "./page.js";
import { state } from "./state.js";

const RAMP_STOPS = 8; // of the gradient

let shown = ""; // the coloring and the theme whose legend is shown

/** Add the colorings to their list, and listen to it and to the ends of the ramp. */
export function prepareLegend() {
  $("color").append(...colorings.map(({ key, name }) => makeElement("option", { value: key, textContent: name })));
  $("coloring").hidden = colorings.length < 2;
  $("color").onchange = () => {
    state.coloring = $("color").value;
    clearLegend();
    updatePage();
  };
  for (const id of ["low", "high"]) $(id).oninput = () => setRange(id);
}

/** Leave all entries and numbers in color. */
export function clearLegend() {
  state.entries.clear();
  state.range = null;
}

/** Return a button that stands for a color. */
export function makeChip(text, color, value, toggle) {
  const button = makeElement("button", { type: "button", value, title: text });
  const swatch = makeElement("span", { className: "swatch" });
  swatch.style.background = color;
  button.append(swatch, makeElement("span", { className: "text", textContent: text }));
  button.onclick = () => toggle(value);
  return button;
}

/** Make the buttons of a group as wide as their longest text needs. */
export function fitChips(group, texts) {
  const longest = Math.max(1, ...texts.map((text) => text.length));
  group.style.setProperty("--wide", `${Math.max(46, 34 + 8 * longest)}px`);
  group.classList.toggle("names", longest > 2);
}

/** Add an entry to those in color, or remove it. */
function toggleEntry(number) {
  if (!state.entries.delete(number)) state.entries.add(number);
  updatePage();
}

/** Take the range from the ends of the ramp; the end that moves pushes the other one. */
function setRange(moved) {
  const ends = ["low", "high"].map((id) => Number($(id).value));
  if (ends[0] > ends[1]) ends.fill(Number($(moved).value));
  state.range = ends[0] <= 0 && ends[1] >= getColoring().high ? null : ends;
  updatePage();
}

/** Show the legend of the coloring, unless it is the classes', which have buttons of their own. */
function drawLegend({ key, entries, high }) {
  $("legend").hidden = !entries || key === "class" || key === "none";
  $("ramp").hidden = Boolean(entries);
  if (entries) {
    fitChips($("legend"), entries.map(({ text }) => text));
    $("legend").replaceChildren(...entries.map(({ text, color }, number) => makeChip(text, color, number, toggleEntry)));
    return;
  }
  const stops = Array.from({ length: RAMP_STOPS }, (_, stop) => getRampColor(stop / (RAMP_STOPS - 1)));
  $("bar").style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  for (const id of ["low", "high"]) Object.assign($(id), { min: 0, max: high, step: high > 20 ? high / 100 : 1 });
}

/** Bring the legend in line with the state. */
export function updateLegend() {
  const coloring = getColoring();
  $("color").value = coloring.key;
  if (shown !== `${coloring.key} ${isDark()}`) drawLegend(coloring);
  shown = `${coloring.key} ${isDark()}`;
  for (const button of $("legend").children) setPressed(button, state.entries.has(Number(button.value)));
  $("classes").classList.toggle("gray", !coloring.ofClasses);
  if (coloring.entries) return;
  const [low, high] = state.range ?? [0, coloring.high];
  [$("low").value, $("high").value] = [low, high];
  $("range").textContent = `${low} to ${high}${coloring.unit}`;
}
