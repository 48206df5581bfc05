// On paper everything is open; afterwards all is as it was. A link to a place opens there.

let opened = [];

addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].map((element) => ({ element, name: element.name }));
  for (const { element } of opened) {
    element.name = "";
    element.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const { element, name } of opened) {
    element.open = false;
    element.name = name;
  }
});

function showAddressed() {
  const addressed = /^#g\d+(s\d+)?$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (addressed) show(addressed);
}

addEventListener("hashchange", showAddressed);
showAddressed();
