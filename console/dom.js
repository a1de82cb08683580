// Makes elements. Text only ever becomes text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// A part of a page that is drawn again only when what it shows has changed: a player keeps playing, focus stays.
export function drawnOnce(element, draw) {
  let last;
  return (shown) => {
    const now = JSON.stringify(shown);
    if (now === last) return;
    last = now;
    const held = document.activeElement;
    const index = focusable(element).indexOf(held);
    replace(element, draw(shown));
    if (index >= 0) giveBack(held, focusable(element)[index]);
  };
}

const focusable = (element) => [...element.querySelectorAll("h1, a, button, input, summary, [tabindex='0']")];

// What was drawn anew has other elements. Where another control has come to stand, the focus does not go to that.
function giveBack(held, now) {
  if (!now || (now.tagName !== "H1" && now.textContent !== held.textContent)) return;
  if (now.tagName === "H1") now.tabIndex = -1;
  now.focus({ preventScroll: true });
}

// What the window's tab says.
export function entitle(...words) {
  document.title = [...words, "BabyChain"].filter(Boolean).join(" · ");
}

let counted = 0;
export function freshId(prefix) {
  counted += 1;
  return `${prefix}-${counted}`;
}
