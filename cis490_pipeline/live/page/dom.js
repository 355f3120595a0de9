// Elements from text. Nothing here parses markup: a host may be called <img onerror=…>.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: `facts` are attributes; `text`, `class`, `on` (events) and `style` are special. */
export function el(name, facts = {}, ...children) {
  return fill(document.createElement(name), facts, children);
}

/** The same for SVG. */
export function svg(name, facts = {}, ...children) {
  return fill(document.createElementNS(SVG, name), facts, children);
}

function fill(node, facts, children) {
  for (const [key, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") node.textContent = value;
    else if (key === "on") for (const [kind, call] of Object.entries(value)) node.addEventListener(kind, call);
    else if (key === "style") for (const [rule, set] of Object.entries(value)) node.style.setProperty(rule, set);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return node;
}

/** Put these in the place of everything in `node`. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat().filter((one) => one !== null && one !== undefined));
}

/** A table of texts and nodes; the first cell of a row is its heading. */
export function table(head, rows, facts = {}) {
  const cell = (kind) => (one, place) => {
    const made = one instanceof Node ? el(kind, {}, one) : el(kind, { text: one });
    if (kind === "th") made.setAttribute("scope", place === 0 && !facts.header ? "row" : "col");
    return made;
  };
  return el("div", { class: "scroll" }, el("table", { class: facts.class },
    facts.caption ? el("caption", { text: facts.caption }) : null,
    el("thead", {}, el("tr", {}, head.map((one) => el("th", { scope: "col" }, one instanceof Node ? one : document.createTextNode(one))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((one, place) => cell(place === 0 ? "th" : "td")(one, place)))))));
}
