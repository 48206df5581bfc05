// The page's texts, and the language they are shown in.

const DATA = JSON.parse(document.getElementById("data").textContent);
const ATTRIBUTES = ["aria-label", "title", "placeholder"];
let texts = DATA.texts[document.documentElement.lang];

/** A phrase's text. It is a key, or [key, {name: text or phrase}]. */
function say(phrase) {
  const [key, values] = Array.isArray(phrase) ? phrase : [phrase, {}];
  const filled = (whole, name) => (Object.hasOwn(values, name) ? textOf(values[name]) : whole);
  return texts[key].replace(/\{(\w+)\}/g, filled);
}

function textOf(value) {
  return Array.isArray(value) ? say(value) : value;
}

function unpacked(packed) {
  return packed.startsWith("[") ? JSON.parse(packed) : packed;
}

function speak(language) {
  texts = DATA.texts[language];
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = say(unpacked(element.dataset.text));
  }
  for (const name of ATTRIBUTES) {
    for (const element of document.querySelectorAll(`[data-${name}]`)) {
      element.setAttribute(name, say(unpacked(element.getAttribute(`data-${name}`))));
    }
  }
  showDates(language);
  document.dispatchEvent(new Event("language"));
}

function showDates(language) {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const date = new Date(element.dateTime);
    if (!Number.isNaN(date.getTime())) {
      element.textContent = date.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    }
  }
}

const choice = document.getElementById("language");
choice.addEventListener("change", () => speak(choice.value));
showDates(document.documentElement.lang);
