// The recording: the transcript follows it.

const follow = document.getElementById("follow");

const toolbar = document.querySelector(".toolbar");

function isInSight(element) {
  const box = element.getBoundingClientRect();
  return box.top >= toolbar.getBoundingClientRect().bottom && box.bottom <= innerHeight;
}

function heed() {
  const before = place.segment;
  mark(player.currentTime);
  const moved = place.segment && place.segment !== before;
  if (moved && follow.checked && !isInSight(place.segment)) reveal(place.segment);
  if (!player.paused && !player.ended) requestAnimationFrame(heed);
}

if (player) {
  player.addEventListener("play", heed);
  player.addEventListener("seeked", heed);
  player.addEventListener("error", () => (document.getElementById("no-sound").hidden = false));
  if (player.error) document.getElementById("no-sound").hidden = false;
}
