// The bars of the histograms: each leads to its calls. One of a histogram is in the tab order, arrow keys move on.

function callsOf(column) {
  return DATA.bins[Number(column.closest("[data-panel]").dataset.panel)][Number(column.dataset.bin)];
}

/** What the bar's histogram is of, and the bar's range. */
function nameOf(column) {
  const of = [...column.closest("[data-panel]").querySelectorAll(".of")].map((part) => part.textContent.trim());
  return `${of.join(", ")}: ${column.querySelector("title").textContent}`;
}

function narrow(column) {
  const again = bar === column;
  release();
  if (!again) {
    bar = column;
    bar.setAttribute("aria-pressed", "true");
  }
  choose();
  if (bar) {
    clear.focus({ preventScroll: true });
    document.getElementById("calls").scrollIntoView({ block: "start" });
  }
}

function release() {
  bar?.setAttribute("aria-pressed", "false");
  bar = null;
}

function move(column, key) {
  const columns = [...column.parentNode.querySelectorAll('[role="button"]')];
  const here = columns.indexOf(column);
  const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: columns.length - 1 };
  const next = columns[places[key]];
  if (!next) return;
  column.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function pressed(event) {
  if (event.key === "Enter" || event.key === " ") narrow(event.currentTarget);
  else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) move(event.currentTarget, event.key);
  else return;
  event.preventDefault();
}

for (const column of document.querySelectorAll('.column[role="button"]')) {
  column.addEventListener("click", () => narrow(column));
  column.addEventListener("keydown", pressed);
}
clear.addEventListener("click", () => {
  const back = bar;
  search.value = "";
  release();
  choose();
  (back ?? search).focus();
});
choose();
