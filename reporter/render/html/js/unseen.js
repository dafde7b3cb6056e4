// What this run could not see or keep, and what this page left out.
// Must never be left out itself: a report without it says more than is known. Called by main.

const leftOutRemarks = [];

// Says so, in its place and in the last section, when the page has not all of something.
function leftOut(section, noun, shown, total, how) {
  if (shown >= total) return;
  const text = `${number(total - shown)} of ${number(total)} ${noun} are not on this page: ${how}.`;
  leftOutRemarks.push(text);
  add(section, h("p", {class: "notice left-out"}, text,
    " ", h("code", {}, "--limit N"), " keeps more, ", h("code", {}, "--limit 0"), " all of them; ",
    h("code", {}, "--path"), ", ", h("code", {}, "--since"), " and the other filters choose."));
}

function spotItem(spot) {
  return h("li", {class: "card spot"},
    h("h3", {}, spot.reason, spot.count > 1 && h("small", {}, `${number(spot.count)} times`)),
    spot.text && h("p", {}, raw(spot.text)), h("p", {class: "quiet"}, spot.advice));
}

function lossItem(loss) {
  return h("li", {class: "card spot lost"},
    h("h3", {}, `lost: ${loss.reason}`, h("small", {}, number(loss.count))),
    h("p", {class: "quiet"}, raw(loss.detail)));
}

function renderUnseen() {
  const section = byId("unseen");
  add(section, sectionTitle("unseen-title", "Blind spots"));
  if (data.run.dropped) add(section, h("p", {class: "notice"}, data.run.dropped));
  if (data.run.complete)
    add(section, h("p", {class: "card"}, "No blind spots were detected, and "
      + "no record was lost."));
  else
    add(section, h("ul", {class: "plain spots"}, data.losses.map(lossItem),
      data.blind_spots.map(spotItem)));
  if (data.symbol_notes.length > 0)
    add(section, h("details", {class: "card"},
      h("summary", {}, "Why some functions have no name"),
      h("ul", {class: "symbol-notes"}, data.symbol_notes.map((note) => h("li", {}, raw(note))))));
  const rest = [["fates", "later changes of objects", data.fates.length],
                ["processes", "process images", data.processes.length],
                ["notes", "notes", data.notes.length]];
  for (const [key, noun, shown] of rest)
    if (shown < data.totals[key])
      leftOutRemarks.push(`${number(data.totals[key] - shown)} of ${number(data.totals[key])} `
        + `${noun} are not on this page.`);
  if (leftOutRemarks.length > 0)
    add(section, h("h3", {class: "sub"}, "What this page leaves out"),
      h("ul", {class: "left-out-list"}, leftOutRemarks.map((text) => h("li", {}, text))));
}
