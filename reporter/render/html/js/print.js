// The page on paper: light, the table as rows of a real table, an open story before all else.
// Must never leave anything of it on the screen afterwards. Called by main.

const kPrintedRows = 400;

function printedTable() {
  const some = [...table.shown.subarray(0, kPrintedRows)], left = table.shown.length - some.length;
  const row = (object) => h("tr", {},
    h("td", {class: "num"}, modeOf(object) === null ? "?" : modeText(modeOf(object))),
    h("td", {class: "oct num"}, octal(shapeOf(object).requested)),
    h("td", {class: `oct num ${maskClass(shapeOf(object).mask)}`}, octal(shapeOf(object).mask)),
    h("td", {class: "path-cell"}, raw(pathOf(object))),
    h("td", {}, rulesOf(object).map((rule) => rule.id).join(", ")));
  return [h("table", {class: "list"},
    h("thead", {}, h("tr", {}, ["Mode", "Asked", "Mask"].map(
      (name) => h("th", {scope: "col", class: "num"}, name)),
      ["Path", "Findings"].map((name) => h("th", {scope: "col"}, name)))),
    h("tbody", {}, some.map(row))),
  left > 0 && h("p", {class: "notice"}, `${number(left)} more objects are not printed; a filter of `
    + "the page chooses.")];
}

// A copy of the open drawer: what lies over a page is not laid out on paper.
function printedStory() {
  if (!story.open) return [];
  const copies = [...story.children].map((child) => child.cloneNode(true));
  for (const copy of copies)
    for (const one of [copy, ...copy.querySelectorAll("[id], button")]) one.removeAttribute("id");
  return copies;
}

function beginPrint() {
  endPrint();
  document.documentElement.classList.add("printing");
  add(byId("objects"), h("div", {class: "printed"}, printedTable()));
  if (story.open) byId("main").prepend(h("section", {class: "printed card"}, printedStory()));
  if (!canvas) return;
  readPalette();
  draw();
}

function endPrint() {
  document.documentElement.classList.remove("printing");
  for (const one of document.querySelectorAll(".printed")) one.remove();
  if (!canvas) return;
  readPalette();
  draw();
}

function followPrint() {
  addEventListener("beforeprint", beginPrint);
  addEventListener("afterprint", endPrint);
}
