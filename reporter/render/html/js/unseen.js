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

// What was counted by place in the code, and has no record of its own.
function droppedCard() {
  const left = data.dropped_total - data.dropped.length;
  const row = ([count, call, what, mask, mode, where, first, last]) => h("tr", {},
    h("td", {class: "num"}, number(count)), h("td", {class: "keep"}, raw(texts[call])),
    h("td", {}, what),
    h("td", {class: "oct keep"}, mask.replace("->", "→")),
    h("td", {class: "num"}, mode === kNone ? "" : modeText(mode)),
    h("td", {class: "time keep"}, `${offset(first)} to ${offset(last)} s`),
    h("td", {class: "site"}, where ? raw(where) : h("span", {class: "quiet"}, "no stack")));
  return h("div", {class: "card", id: "dropped"}, h("h3", {id: "dropped-title"}, "Summed up"),
    h("p", {}, data.run.dropped, " They are in no other part of this page."),
    data.dropped.length > 0 && h("div", {class: "scroll-x", tabindex: "0", role: "region",
                                         "aria-labelledby": "dropped-title"},
      h("table", {class: "list"},
        h("thead", {}, h("tr", {}, h("th", {scope: "col", class: "num"}, "Count"),
          ["Call", "What", "Mask"].map((name) => h("th", {scope: "col"}, name)),
          h("th", {scope: "col", class: "num"}, "Mode"),
          ["When", "Where"].map((name) => h("th", {scope: "col"}, name)))),
        h("tbody", {}, data.dropped.map(row)))),
    left > 0 && h("p", {class: "notice"}, `${number(left)} more rows are not on this page; `
      + "umaskaudit report --format json has them all."));
}

function renderUnseen() {
  const section = byId("unseen");
  add(section, sectionTitle("unseen-title", "Blind spots"));
  if (data.run.dropped) add(section, droppedCard());
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
