// The place in the call: which segment and which word are spoken at a time, and how to get there.

const segments = [...document.querySelectorAll(".segment")];
const starts = segments.map((segment) => Number(segment.dataset.start));
const player = document.getElementById("player");
const playhead = document.getElementById("playhead");
const place = { time: 0, segment: null, word: null, shown: null };

/** Index of the last number that is not above `value`; -1 where all are. */
function lastUpTo(numbers, value) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function clock(time) {
  const tenths = Math.floor(time * 10 + 1e-6);
  const seconds = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
  return `${Math.floor(tenths / 600)}:${seconds}.${tenths % 10}`;
}

function segmentAt(time) {
  const index = lastUpTo(starts, time + 0.001);
  return index < 0 ? null : segments[index];
}

function wordAt(segment, time) {
  const words = segment.words ?? (segment.words = [...segment.querySelectorAll(".w")]);
  const times = segment.times ?? (segment.times = words.map((word) => Number(word.dataset.at)));
  return words[lastUpTo(times, time + 0.001)] ?? null;
}

function moveClass(name, from, to) {
  if (from === to) return;
  from?.classList.remove(name);
  to?.classList.add(name);
}

/** Mark what is spoken at a time. */
function mark(time) {
  const segment = segmentAt(time);
  const word = segment && wordAt(segment, time);
  moveClass("now", place.segment, segment);
  moveClass("now", place.word, word);
  Object.assign(place, { time, segment, word });
  const share = DATA.duration > 0 ? Math.min(Math.max(time / DATA.duration, 0), 1) : 0;
  playhead.style.left = `${100 * share}%`;
  playhead.setAttribute("aria-valuenow", String(Math.round(time)));
  playhead.setAttribute("aria-valuetext", clock(time));
}

/** Go to a time: the player, the playhead, and the transcript unless it is left where it is. */
function seek(time, scrolls = true) {
  if (player && player.readyState > 0) player.currentTime = time;
  else if (player) player.addEventListener("loadedmetadata", () => (player.currentTime = place.time), { once: true });
  mark(time);
  if (scrolls && place.segment) reveal(place.segment);
}

function reveal(element) {
  element.scrollIntoView({ block: "center" });
}

/** Show where a sentence or a segment stands, and keep it marked until another is shown. */
function show(element) {
  moveClass("shown", place.shown, element);
  place.shown = element;
  reveal(element);
}

/** When a segment, or the first timed word of a sentence, is spoken. */
function timeOf(element) {
  return Number(element.querySelector(".w")?.dataset.at ?? element.closest(".segment").dataset.start);
}

function isSelecting() {
  return !(getSelection()?.isCollapsed ?? true);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek], [data-show]");
  const word = event.target.closest(".said") && event.target.closest(".w, .segment");
  if (link) {
    event.preventDefault();
    const target = link.dataset.show ? document.getElementById(link.dataset.show) : null;
    seek(Number(link.dataset.seek ?? timeOf(target)), !target);
    if (target) show(target);
  } else if (word && !isSelecting()) {
    seek(Number(word.dataset.at ?? word.dataset.start), false);
  }
});
