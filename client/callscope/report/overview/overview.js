// The table of calls: sorted, searched, narrowed down to a bar, and taken away as CSV.

const PAGE = 50;
const FIRST_FIGURE = 5; // before it: file, page, date, language, metadata
const FORMULA = /^[=+\-@\t\r]/;
const SCALE = { percent: 100, minutes: 1 / 60, seconds: 1, count: 1, score: 1 };
const DIGITS = { percent: 0, minutes: 1, seconds: 1, count: 0, score: 2 };
const SIGN = { percent: " %", minutes: " min", seconds: " s", count: "", score: "" };

const body = document.querySelector("#table tbody");
const search = document.getElementById("search");
const clear = document.getElementById("clear");
const haystacks = DATA.rows.map((row) => `${row[0]} ${row[2]} ${row[3] ?? ""} ${row[4]}`.toLowerCase());
const shownFigures = DATA.figures.map((figure, place) => ({ ...figure, place: place + FIRST_FIGURE })).filter((one) => one.shown);

let order = { place: 2, down: true };
let narrowed = null; // the calls of a bar, or all
let first = 0;
let chosen = [];

function valueOf(value, unit) {
  if (value === null) return "–";
  const sign = unit === "score" && value > 0 ? "+" : "";
  return `${sign}${(value * SCALE[unit]).toFixed(DIGITS[unit])}${SIGN[unit]}`.replace("-", "−");
}

function choose() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const calls = narrowed ?? DATA.rows.keys();
  chosen = [...calls].filter((call) => words.every((word) => haystacks[call].includes(word)));
  const value = (call) => DATA.rows[call][order.place];
  chosen.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return (a === null) - (b === null) || one - other;
    const ahead = a < b ? -1 : a > b ? 1 : one - other;
    return order.down ? -ahead : ahead;
  });
  first = 0;
  draw();
}

function cell(tag, text, number) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (number) made.className = "number";
  return made;
}

function line(call) {
  const row = DATA.rows[call];
  const made = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  const said = document.createElement(row[1] ? "a" : "bdi");
  if (row[1]) said.href = row[1].split("/").map(encodeURIComponent).join("/").replaceAll("%2E%2E", "..");
  said.textContent = row[0];
  name.append(said);
  made.append(name, cell("td", row[2].replace("T", " ").slice(0, 16), false));
  for (const figure of shownFigures) made.append(cell("td", valueOf(row[figure.place], figure.unit), true));
  return made;
}

function draw() {
  body.replaceChildren(...chosen.slice(first, first + PAGE).map(line));
  const last = Math.min(first + PAGE, chosen.length);
  const range = ["overview.range", { first: String(chosen.length ? first + 1 : 0), last: String(last), all: String(chosen.length) }];
  document.getElementById("count").textContent = say(range);
  document.getElementById("before").disabled = first === 0;
  document.getElementById("after").disabled = last >= chosen.length;
  clear.hidden = narrowed === null && !search.value;
}

function sortBy(button) {
  const figure = shownFigures.find((one) => one.name === button.dataset.figure);
  const place = figure ? figure.place : Number(button.dataset.sort);
  order = { place, down: order.place === place ? !order.down : place !== 0 };
  for (const head of document.querySelectorAll("#table th[aria-sort]")) head.setAttribute("aria-sort", "none");
  button.closest("th").setAttribute("aria-sort", order.down ? "descending" : "ascending");
  choose();
}

function narrow(bar) {
  const again = bar.getAttribute("aria-pressed") === "true";
  release();
  if (!again) {
    bar.setAttribute("aria-pressed", "true");
    narrowed = DATA.bins[Number(bar.closest("[data-panel]").dataset.panel)][Number(bar.dataset.bin)];
    document.getElementById("calls").scrollIntoView({ block: "start" });
  }
  choose();
}

function release() {
  narrowed = null;
  for (const bar of document.querySelectorAll('.column[aria-pressed="true"]')) bar.removeAttribute("aria-pressed");
}

function quoted(value) {
  const text = value === null ? "" : typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download() {
  const heads = ["file", "page", "date", "language", "metadata", ...DATA.figures.map((figure) => figure.name)];
  const lines = [heads, ...chosen.map((call) => DATA.rows[call])].map((row) => row.map(quoted).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  link.download = "calls.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const button of document.querySelectorAll("#table th button")) button.addEventListener("click", () => sortBy(button));
for (const bar of document.querySelectorAll('.column[role="button"]')) {
  bar.addEventListener("click", () => narrow(bar));
  bar.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      narrow(bar);
    }
  });
}
search.addEventListener("input", choose);
clear.addEventListener("click", () => {
  search.value = "";
  release();
  choose();
});
document.getElementById("download").addEventListener("click", download);
document.getElementById("before").addEventListener("click", () => { first -= PAGE; draw(); });
document.getElementById("after").addEventListener("click", () => { first += PAGE; draw(); });
document.addEventListener("language", draw);
choose();
