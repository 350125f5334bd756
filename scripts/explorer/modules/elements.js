// Helpers that find, make and change elements of the page.

/** Return the element with an id. */
export const $ = (id) => document.getElementById(id);

/** Return a new HTML element with the given properties. */
export const makeElement = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** Set several attributes of an element. */
export function setAttributes(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
}

/** Tell readers of the page, and the style sheets, whether a button is pressed. */
export function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", pressed);
}

/** Download a blob as a file with a name. */
export function download(blob, name) {
  const link = makeElement("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Return a number as text, with commas between thousands. */
export const formatNumber = (number) => number.toLocaleString("en");
