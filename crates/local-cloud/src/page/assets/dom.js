// Elements, and lists of them that keep what is already there: focus and scroll position stay where they are.

const byId = (id) => document.getElementById(id);

/** An element: `make("p.muted", {id: "x"}, "text", child)`. An attribute `onclick` is a listener. */
function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setClass(element, name, on) {
  element.classList.toggle(name, Boolean(on));
}

/**
 * Makes the children of `parent` those of `items`, in their order. A child is made once for its key and then only updated, and it is
 * moved only if the order has changed.
 */
function reconcile(parent, items, keyOf, create, update) {
  const known = (parent.known ??= new Map());
  const keys = items.map(keyOf);
  const wanted = new Set(keys);
  for (const [key, child] of known) {
    if (!wanted.has(key)) {
      child.remove();
      known.delete(key);
    }
  }
  if (!known.size) parent.replaceChildren();
  let next = parent.firstElementChild;
  items.forEach((item, index) => {
    let child = known.get(keys[index]);
    if (!child) {
      child = create(item);
      known.set(keys[index], child);
    }
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
    update?.(child, item);
  });
}

/** A line that says that a list is empty. */
function placeholder(parent, text) {
  if (!parent.known?.size && parent.textContent !== text) parent.replaceChildren(make("li.muted", {}, text));
}
