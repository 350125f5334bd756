// The exchange of selections with other programs: ids as CSV, or as JSON with the address of the page.

import { data, getClassName, hasHeldOut, hasLabels, locateInSplit, maps, nameMap, numberInData, predictions, texts } from "./data.js";
import { $, download, formatNumber } from "./elements.js";
import { joinSelection } from "./selection.js";
import { isInColor, state } from "./state.js";

const MAX_NAMED = 3; // ids that a message lists

/** Return what is known of an image, by column: its number in its split, its file, label and prediction. */
function describeImage(image) {
  const { split, id } = locateInSplit(image);
  return {
    id,
    split,
    ...Object.fromEntries(data.texts.map((column) => [column, texts[column][image]])),
    ...(hasLabels && { label: getClassName(image) }),
    ...(data.predicted && { prediction: data.classes[predictions[image]] }),
  };
}

/** Return the selection as CSV, one row per image. */
export function formatSelection() {
  const rows = state.selection.map(describeImage);
  const quote = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [Object.keys(describeImage(0)), ...rows.map(Object.values)].map((row) => `${row.map(quote).join(",")}\n`).join("");
}

/** Download a text as a file whose name ends in this way. */
function save(text, type, ending) {
  if (!state.selection.length) return;
  download(new Blob([text], { type }), `${data.dataset}_${nameMap(maps[state.map])}_selection.${ending}`.replaceAll(/[, ]+/g, "_"));
}

export const exportSelection = () => save(formatSelection(), "text/csv", "csv");

/** Download the selection as JSON, with the address of what the page shows. */
export function exportState() {
  const images = state.selection.map(describeImage);
  save(JSON.stringify({ dataset: data.dataset, address: location.hash, images }, null, 1), "application/json", "json");
}

/** Return the rows of a CSV file by column. */
function parseTable(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  const [header, ...others] = rows.filter((row) => row.some(Boolean));
  return others.map((row) => Object.fromEntries((header ?? []).map((column, at) => [column, row[at]])));
}

/** Select the images in color that a file lists by id and split; say how many others it lists. */
function importSelection(text) {
  let rows;
  try {
    rows = text.trimStart().startsWith("{") ? JSON.parse(text).images : parseTable(text);
  } catch {
    rows = undefined;
  }
  const isSplit = (row) => row.split !== undefined || !hasHeldOut;
  if (!Array.isArray(rows) || !rows.length || !rows.every((row) => row?.id !== undefined && isSplit(row))) {
    $("imported").textContent = "The file needs the columns id and split, as the export has them.";
    return;
  }
  const texts = [...new Set(rows.map(({ id, split = "train" }) => `${split}:${id}`))];
  const missing = texts.filter((name) => numberInData(name) < 0);
  const found = texts.map(numberInData).filter((image) => image >= 0);
  const colored = found.filter(isInColor);
  joinSelection(colored);
  const listed = missing.slice(0, MAX_NAMED).join(", ") + (missing.length > MAX_NAMED ? ", …" : "");
  const absent = missing.length ? `, ${formatNumber(missing.length)} are not on this page: ${listed}` : "";
  const gray = found.length > colored.length ? `, ${formatNumber(found.length - colored.length)} are gray or hidden` : "";
  $("imported").textContent = `${formatNumber(colored.length)} imported${gray}${absent}`;
}

/** Prepare the buttons that export and import. */
export function prepareExchange() {
  $("json").onclick = exportState;
  $("import").onclick = () => $("file").click();
  $("file").onchange = async () => {
    const [file] = $("file").files;
    if (file) importSelection(await file.text());
    $("file").value = ""; // so that the same file can be read again
  };
}
