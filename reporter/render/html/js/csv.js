// The rows that the table shows, as a file for a spreadsheet.
// Must never let a name be read as a formula, or end a line: names are as the page shows them,
// escaped. Used by table.js.

const kCsvTitles = ["time_s", "path", "born_path", "kind", "call", "requested", "mask",
                    "created_as", "mode", "state", "thread", "findings"];

// As csv_cell() of the reporter.
function csvCell(text) {
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll("\"", "\"\"")}"` : safe;
}

function csvRow(object) {
  const shape = shapeOf(object), mode = modeOf(object), born = objects.born[object];
  return [(objects.time[object] / 1e9).toFixed(9), pathOf(object),
          born > 0 ? texts[born - 1] : "", shape.kind, shape.call,
          octal(shape.requested), octal(shape.mask),
          shape.final === null ? "" : octal(shape.final), mode === null ? "" : octal(mode),
          shape.state ?? "", threadText(objects.who[object]),
          rulesOf(object).map((rule) => rule.id).join(" ")].map((text) => csvCell(String(text)));
}

const csvOf = (shown) => [kCsvTitles, ...Array.from(shown, csvRow)]
  .map((cells) => `${cells.join(",")}\r\n`).join("");

function downloadCsv() {
  const address = URL.createObjectURL(new Blob([csvOf(table.shown)], {type: "text/csv"}));
  const link = h("a", {href: address, download: "objects.csv", hidden: true});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
