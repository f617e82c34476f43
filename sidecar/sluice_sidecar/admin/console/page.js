// Elements of the page: found by id, and made. What comes from outside goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, { style, text, title } = {}, ...children) {
  const element = document.createElement(tag);
  if (style) element.className = style;
  if (text !== undefined) element.textContent = text;
  if (title) element.title = title;
  element.append(...children);
  return element;
}
