// The table of calls: sorted, searched, a page at a time, and taken away as CSV.

const PAGE = 50;
const [NAME, LINK, DATE, LANGUAGE, ROLES, LACKS, ABOUT, FIRST_FIGURE] = [0, 1, 2, 3, 4, 5, 6, 7];
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/; // the wide ones run too, where Japanese is set
const SCALE = { percent: 100, minutes: 1 / 60, seconds: 1, count: 1, score: 1 };
const DIGITS = { percent: 0, minutes: 1, seconds: 1, count: 0, score: 2 };

const table = document.getElementById("table");
const search = document.getElementById("search");
const every = document.getElementById("every");
const clear = document.getElementById("clear");
const before = document.getElementById("before");
const after = document.getElementById("after");
const haystacks = DATA.rows.map((row) => [row[NAME], row[DATE], row[LANGUAGE], row[LACKS], row[ABOUT]].join(" ").toLowerCase());
const figures = DATA.figures.map((figure, place) => ({ ...figure, place: place + FIRST_FIGURE }));

let order = { place: DATE, down: true };
let bar = null; // the bar whose calls are shown
let first = 0;
let chosen = [];

function valueOf(value, unit) {
  if (value === null) return say(["unit.number", { value: "–" }]);
  const sign = unit === "score" && value > 0 ? "+" : "";
  return say([DATA.written[unit], { value: `${sign}${(value * SCALE[unit]).toFixed(DIGITS[unit])}`.replace("-", "−") }]);
}

function languageOf(code) {
  return texts[`language.${code}`] ?? code ?? "–";
}

/** What a row is sorted by. Rows come in the order of their dates, which may be of several time zones. */
function keyOf(call) {
  return order.place === DATE ? call : DATA.rows[call][order.place];
}

function ahead(one, other) {
  const [a, b] = [keyOf(one), keyOf(other)];
  if (a === null || b === null) return (a === null) - (b === null) || one - other;
  const sooner = a < b ? -1 : a > b ? 1 : one - other;
  return order.down ? -sooner : sooner;
}

function choose() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const calls = bar ? callsOf(bar) : DATA.rows.keys();
  chosen = [...calls].filter((call) => words.every((word) => haystacks[call].includes(word))).sort(ahead);
  first = 0;
  draw();
}

function cell(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function line(call) {
  const row = DATA.rows[call];
  const made = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  const name = cell(row[LINK] ? "a" : "bdi", row[NAME]);
  if (row[LINK]) name.href = row[LINK];
  head.append(name);
  made.append(head, cell("td", row[DATE].replace("T", " ").slice(0, 16), "date"), cell("td", languageOf(row[LANGUAGE])));
  for (const figure of figures) {
    if (figure.shown || every.checked) made.append(cell("td", valueOf(row[figure.place], figure.unit), "number"));
  }
  return made;
}

function draw() {
  table.classList.toggle("every", every.checked);
  table.tBodies[0].replaceChildren(...chosen.slice(first, first + PAGE).map(line));
  const last = Math.min(first + PAGE, chosen.length);
  const shown = { first: chosen.length ? first + 1 : 0, last, all: chosen.length };
  const range = Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, String(value)]));
  document.getElementById("count").textContent = say(["overview.range", range]);
  document.getElementById("narrowed").textContent = bar ? nameOf(bar) : "";
  before.disabled = first === 0;
  after.disabled = last >= chosen.length;
  clear.hidden = !bar && !search.value;
}

function sortBy(button) {
  const figure = figures.find((one) => one.name === button.dataset.figure);
  const place = figure ? figure.place : Number(button.dataset.sort);
  order = { place, down: order.place === place ? !order.down : Boolean(figure) || place === DATE };
  for (const head of table.querySelectorAll("th[aria-sort]")) head.setAttribute("aria-sort", "none");
  button.closest("th").setAttribute("aria-sort", order.down ? "descending" : "ascending");
  choose();
}

function turn(by) {
  first += by;
  draw();
  document.getElementById("calls").scrollIntoView({ block: "start" });
}

/** A cell that no spreadsheet runs, and that stays one cell wherever lists are separated otherwise. */
function quoted(value) {
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value ?? "");
  return /[",;\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download() {
  const heads = ["file", "page", "date", "language", "roles_known", "degraded", "metadata", ...figures.map((one) => one.name)];
  const lines = [heads, ...chosen.map((call) => DATA.rows[call])].map((row) => row.map(quoted).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  link.download = "calls.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const button of table.querySelectorAll("th button")) button.addEventListener("click", () => sortBy(button));
search.addEventListener("input", choose);
every.addEventListener("change", draw);
document.getElementById("download").addEventListener("click", download);
before.addEventListener("click", () => turn(-PAGE));
after.addEventListener("click", () => turn(PAGE));
document.addEventListener("language", draw);
