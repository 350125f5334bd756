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

/** Return a number as text, with commas between thousands. */
export const formatNumber = (number) => number.toLocaleString("en");
