// How a requested mode became the mode on disk: the bits as a table, and the steps.
// Must never compute a mode: the rows and steps are the reporter's. Used by the story.

// One bit: "r" where it is set, with what happened to it as its class.
function bitCell(bits, at, letter, fate) {
  const set = (bits >> at) & 1;
  return h("span", {class: `bit ${set ? "on" : "off"} ${fate}`}, set || fate ? letter : "·");
}

// Bits from the highest to the lowest, in groups of three. `taken`: bits that got lost here,
// `added`: bits that the call did not request.
function bitGroups(bits, special, taken, added) {
  const letters = "rwxrwxrwx";
  const groups = [];
  const group = (cells) => h("span", {class: "bits-group"}, cells);
  const fate = (at) => ((taken >> at) & 1 ? "taken" : (added >> at) & 1 ? "added" : "");
  if (special)
    groups.push(group([11, 10, 9].map((at) => bitCell(bits, at, "sst"[11 - at], fate(at)))));
  for (let high = 8; high > 0; high -= 3)
    groups.push(group([high, high - 1, high - 2].map(
      (at) => bitCell(bits, at, letters[8 - at], fate(at)))));
  return h("span", {class: "bits", "aria-hidden": "true"}, groups);
}

const kBitRows = {
  "mask": "mask in force",
  "complement": "what it lets through",
  "default ACL": "default ACL lets through",
  "request": "asked for",
  "honoured": "of that, honoured",
  "AND": "both",
  "result": "mode on disk",
};

function bitTable(shape) {
  const all = shape.rows.reduce((bits, row) => bits | (row[0] === "complement" ? 0 : row[1]), 0);
  const special = (all & 0o7000) !== 0;
  const asked = shape.rows.find((row) => row[0] === "request")?.[1] ?? 0;
  const heads = [special && "special", "owner", "group", "others"].filter(Boolean);
  return h("table", {class: "derivation"},
    h("caption", {class: "unseen"}, "The bits that were combined"),
    h("thead", {}, h("tr", {}, h("td"),
      h("th", {scope: "col"}, h("span", {class: "bits"},
        heads.map((name) => h("span", {class: "bits-name"}, name)))),
      h("th", {scope: "col", class: "num"}, "octal"))),
    h("tbody", {}, shape.rows.map(([name, bits]) => {
      const after = name === "AND" || name === "result";
      const taken = after ? asked & ~bits : name === "mask" ? bits & asked : 0;
      const added = name === "result" && asked ? bits & ~asked : 0;
      const tone = name === "result" ? `result ${modeClass(bits)}` : "";
      return h("tr", {class: tone},
        h("th", {scope: "row"}, kBitRows[name] ?? name),
        h("td", {}, bitGroups(bits, special, taken, added),
          h("span", {class: "unseen"}, rwx(bits))),
        h("td", {class: "oct num"}, octal(bits)));
    })));
}

function stepList(shape) {
  return h("ol", {class: "steps"}, shape.steps.map(([rule, sets, clears, mode, why]) =>
    h("li", {},
      h("span", {class: "oct"}, octal(mode)),
      h("span", {class: "step-rule"}, rule),
      h("span", {class: "step-change"},
        sets !== 0 && rule !== "requested" && h("span", {class: "oct bad"}, `+${octal(sets)}`),
        clears !== 0 && h("span", {class: "oct"}, `−${octal(clears)}`)),
      h("span", {class: "step-why"}, why))));
}

function derivation(shape) {
  if (!shape.steps) return h("p", {class: "quiet"}, "Nothing is known of how its mode came about.");
  const guess = shape.final === null;
  return h("div", {},
    h("p", {class: "equation oct", id: "equation"}, shape.line),
    bitTable(shape),
    stepList(shape),
    h("p", {}, guess && "Its mode could not be read; this is what it must have been. ", shape.may));
}
