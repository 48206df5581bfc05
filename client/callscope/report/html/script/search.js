// Search in the transcript. Hits are painted by the browser over the text, which stays as it is.

const query = document.getElementById("query");
const hitsOut = document.getElementById("hits");
const buttons = { previous: document.getElementById("previous"), next: document.getElementById("next") };
const paints = Boolean(globalThis.CSS?.highlights && globalThis.Highlight);
const TYPING_MS = 120;
const found = { hits: [], at: -1, timer: 0 };

function folded(text) {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text;
}

/** A segment's text and its nodes, read once. */
function textIn(segment) {
  if (segment.found) return segment.found;
  const walker = document.createTreeWalker(segment.querySelector(".said"), NodeFilter.SHOW_TEXT);
  const nodes = [];
  const ends = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push(walker.currentNode);
    ends.push(text.length);
    text += walker.currentNode.data;
  }
  return (segment.found = { nodes, begins: ends, text: folded(text) });
}

function* hitsIn(segment, wanted) {
  const { text } = textIn(segment);
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    yield { segment, start: at, end: at + wanted.length };
  }
}

function rangeOf(hit) {
  const { nodes, begins } = textIn(hit.segment);
  const range = document.createRange();
  const first = lastUpTo(begins, hit.start);
  const last = lastUpTo(begins, hit.end - 1);
  range.setStart(nodes[first], hit.start - begins[first]);
  range.setEnd(nodes[last], hit.end - begins[last]);
  return range;
}

function paintAll() {
  if (!paints) return;
  const hits = new Highlight();
  for (const hit of found.hits) hits.add(rangeOf(hit));
  CSS.highlights.set("hit", hits);
}

function paintCurrent() {
  const current = found.hits[found.at];
  if (paints) {
    const now = new Highlight(...(current ? [rangeOf(current)] : []));
    now.priority = 1;
    CSS.highlights.set("hit-now", now);
  }
  moveClass("hit", found.segment, current?.segment);
  found.segment = current?.segment;
  for (const button of Object.values(buttons)) button.disabled = !current;
  tellHits();
}

function tellHits() {
  const all = found.hits.length;
  const phrase = all ? ["search.hits", { at: String(found.at + 1), all: String(all) }] : "search.none";
  hitsOut.textContent = query.value.trim() ? say(phrase) : "";
}

function search() {
  const wanted = folded(query.value.trim().normalize("NFC"));
  found.hits = wanted ? segments.flatMap((segment) => [...hitsIn(segment, wanted)]) : [];
  found.at = found.hits.length ? 0 : -1;
  found.wanted = query.value;
  paintAll();
  paintCurrent();
  if (found.hits.length) reveal(found.hits[0].segment);
}

function goTo(step) {
  if (!found.hits.length) return;
  found.at = (found.at + step + found.hits.length) % found.hits.length;
  paintCurrent();
  reveal(found.hits[found.at].segment);
}

query.addEventListener("input", () => {
  clearTimeout(found.timer);
  found.timer = setTimeout(search, TYPING_MS);
});
query.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter") {
    event.preventDefault();
    clearTimeout(found.timer);
    if (found.wanted === query.value) goTo(event.shiftKey ? -1 : 1);
    else search();
  } else if (event.key === "Escape") {
    query.value = "";
    search();
  }
});
buttons.previous.addEventListener("click", () => goTo(-1));
buttons.next.addEventListener("click", () => goTo(1));
document.addEventListener("language", tellHits);
