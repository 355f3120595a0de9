// Tables of a page: columns that sort, and each table as CSV. Everything is readable without it.
// It loads nothing, sends nothing and writes no markup: all text goes in as text.
const MISSING = /^(untested|none|never|no interval|not recorded|–|-)?($|[\s:])/u;
const NUMBER = /^([<>≤≥]\s*)?([+\-−]?\d[\d,]*(?:\.\d+)?(?:e[+\-]?\d+)?)(?=$|[\s[(%*†‡/])/iu;

const text = (node) => node.textContent.replace(/\s+/gu, " ").trim();

// A cell's own text and what stands smaller beneath it, apart.
function parts(cell) {
  const copy = cell.cloneNode(true);
  const small = [...copy.querySelectorAll(".range")].map((one) => { one.remove(); return text(one); });
  copy.querySelectorAll("svg").forEach((one) => one.remove());
  return { main: text(copy), note: small.filter(Boolean).join(", ") };
}

function numberOf(main) {
  const found = NUMBER.exec(main);
  return found ? Number(found[2].replace("−", "-").replaceAll(",", "")) : null;
}

// The cell below a heading, where cells before it may span several columns.
function cellAt(row, column) {
  let place = 0;
  for (const cell of row.cells) {
    place += cell.colSpan;
    if (column < place) return cell;
  }
  return null;
}

function key(row, column) {
  const cell = cellAt(row, column);
  if (!cell) return { missing: true };
  if (cell.dataset.sort !== undefined) return { number: Number(cell.dataset.sort) };
  const { main } = parts(cell);
  if (cell.classList.contains("untested") || MISSING.test(main)) return { missing: true };
  return { number: numberOf(main), words: main };
}

function sorted(rows, column, direction) {
  const found = rows.map((row, place) => ({ row, place, ...key(row, column) }));
  const known = found.filter((one) => !one.missing);
  const numeric = known.every((one) => one.number !== null && !Number.isNaN(one.number));
  const compare = numeric
    ? (a, b) => a.number - b.number
    : (a, b) => a.words.localeCompare(b.words, "en", { numeric: true });
  known.sort((a, b) => direction * compare(a, b) || a.place - b.place);
  return { rows: [...known, ...found.filter((one) => one.missing)].map((one) => one.row), numeric };
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  if (table.tHead.rows.length > 1 || original.length < 2) return;
  let column = 0;
  heads.forEach((head) => {
    const place = column;
    column += head.colSpan;
    if (head.colSpan > 1 || !text(head)) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    const arrow = document.createElement("span");
    arrow.className = "arrow";
    button.insertBefore(arrow, button.querySelector(".range"));
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const { numeric } = sorted(original, place, 1);
      const order = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const next = before === null ? order[0] : before === order[0] ? order[1] : null;
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      if (next) head.setAttribute("aria-sort", next);
      const rows = next ? sorted(original, place, next === "ascending" ? 1 : -1).rows : original;
      body.append(...rows);
    });
  });
}

// A name may look like a formula to a spreadsheet; a number that begins with a sign is none.
function field(value) {
  const whole = /^[+\-]?\d+(\.\d+)?(e[+\-]?\d+)?$/iu.test(value);
  const harmless = !whole && /^[=+\-@\t\r]/u.test(value) ? `'${value}` : value;
  return /[",\n\r]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

// "[0.67, 0.78]" becomes two columns; what else stands beneath a figure, and why, becomes a third.
function columnsOf(rows, head, place) {
  const cells = rows.map((row) => {
    const cell = cellAt(row, place);
    if (!cell) return { main: "", low: "", high: "", note: "" };
    const found = parts(cell);
    const whole = found.note ? found.note : found.main;
    const ends = /\[([^\],]+), ([^\]]+)\]/u.exec(whole);
    const point = found.note || !ends || found.main.startsWith("[") ? found.main : found.main.replace(ends[0], "").trim();
    const rest = [ends ? found.note.replace(ends[0], "").trim() : found.note, cell.title];
    return { main: ends && point === ends[0] ? "" : point, low: ends?.[1] ?? "", high: ends?.[2] ?? "", note: rest.filter(Boolean).join("; ") };
  });
  const { main, note } = parts(head);
  const name = note ? `${main} (${note})` : main;
  return [["main", ""], ["low", " low"], ["high", " high"], ["note", " note"]]
    .filter(([part]) => part === "main" || cells.some((one) => one[part]))
    .map(([part, suffix]) => [name + suffix, ...cells.map((one) => one[part])])
    .filter((values) => values.some(Boolean));
}

function csvOf(table) {
  const rows = [...table.tBodies[0].rows];
  let place = 0;
  const columns = [...table.tHead.rows[0].cells].flatMap((head) => {
    const found = columnsOf(rows, head, place);
    place += head.colSpan;
    return found;
  });
  const lines = [0, ...rows.map((_, i) => i + 1)].map((i) => columns.map((one) => field(one[i])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function nameOf(table) {
  const title = table.closest("section")?.querySelector("h2");
  const near = table.caption ?? table.closest(".panel, details")?.querySelector("h3, summary");
  return [title, near].filter(Boolean).map(text).join(" – ") || "table";
}

function offerCsv(table) {
  const button = document.createElement("button");
  const name = nameOf(table);
  button.type = "button";
  button.className = "csv";
  button.textContent = "CSV";
  button.setAttribute("aria-label", `CSV of ${name}`);
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(table)], { type: "text/csv;charset=utf-8" }));
    link.download = `${`${document.title} ${name}`.replace(/[^\p{L}\p{N}=.-]+/gu, "_").slice(0, 120)}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  const box = table.closest(".scroll");
  (box ?? table).after(button);
  if (box) {
    // A box that scrolls has to be reached by keyboard.
    Object.assign(box, { tabIndex: 0, role: "region", ariaLabel: name });
  }
}

for (const table of document.querySelectorAll("main table")) {
  if (!table.tHead || !table.tBodies.length) continue;
  offerCsv(table);
  makeSortable(table);
}

// A printed page shows what is folded, but for the numbers of figures, which are drawn above them,
// and for further models, which would be most of the paper: those are printed where they are open.
const folded = () => [...document.querySelectorAll("details:not(.numbers, .more):not([open])")];
let opened = [];
addEventListener("beforeprint", () => { opened = folded(); opened.forEach((one) => { one.open = true; }); });
addEventListener("afterprint", () => { opened.forEach((one) => { one.open = false; }); opened = []; });
