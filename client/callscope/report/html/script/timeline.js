// The drawing of the call: click to go there, point to read what it is.

const timeline = document.getElementById("timeline");
const tip = document.getElementById("tip");
const STEP_S = 5;
const TIP_LETTERS = 90;

function timeUnder(event) {
  const box = timeline.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * DATA.duration;
}

function momentOf(target) {
  return target.dataset.moment && document.getElementById(`${target.dataset.moment}-${target.dataset.index}`);
}

/** Time, speaker and first words of a segment; or what a mark stands for; or the time. */
function described(event) {
  const moment = momentOf(event.target);
  if (moment) return moment.textContent.trim().replace(/\s+/g, " ");
  const segment = segments[event.target.dataset.segment];
  if (!segment) return clock(timeUnder(event));
  const said = segment.querySelector(".said").textContent.trim();
  const short = said.length > TIP_LETTERS ? `${said.slice(0, TIP_LETTERS)}…` : said;
  return `${clock(Number(segment.dataset.start))} ${segment.querySelector(".voice").textContent}: ${short}`;
}

function showTip(event) {
  tip.textContent = described(event);
  tip.hidden = false;
  const width = tip.offsetWidth;
  tip.style.left = `${Math.max(Math.min(event.clientX - width / 2, innerWidth - width - 8), 8)}px`;
  tip.style.top = `${event.clientY + 18}px`;
}

timeline.addEventListener("pointermove", showTip);
timeline.addEventListener("pointerleave", () => (tip.hidden = true));
timeline.addEventListener("click", (event) => {
  const moment = momentOf(event.target);
  if (moment) return moment.click();
  const segment = segments[event.target.dataset.segment];
  seek(segment ? Number(segment.dataset.start) : timeUnder(event), false);
  const shown = segment ?? place.segment;
  if (shown) show(shown);
});

playhead.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S };
  const ends = { Home: 0, End: DATA.duration };
  const time = ends[event.key] ?? (event.key in steps ? place.time + steps[event.key] : null);
  if (time === null) return;
  event.preventDefault();
  seek(Math.min(Math.max(time, 0), DATA.duration), false);
});
