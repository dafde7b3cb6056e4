// The head of the page: what was run, the verdict, the numbers, who changed the mask, which modes.
// Must never count what the reporter has counted. Called by main.

const kSeverities = ["error", "warning", "note"];

// Those of one cause are one, as in the text report.
function severityCounts() {
  const counts = {error: 0, warning: 0, note: 0};
  data.findings.forEach((finding, i) => {
    if (causeOf(i) === i) ++counts[finding.severity];
  });
  return counts;
}

function verdict() {
  if (data.totals.findings === 0)
    return h("p", {class: "verdict good"}, "The rules found nothing wrong.");
  const counts = severityCounts();
  const worst = kSeverities.find((severity) => counts[severity] > 0);
  const words = kSeverities.filter((severity) => counts[severity] > 0)
    .map((severity) => counted(counts[severity], severity));
  return h("p", {class: `verdict ${worst}`}, h("a", {href: "#findings"}, words.join(", ")));
}

function tile(name, value, remark, tone = "") {
  return h("div", {class: "tile"}, h("dt", {}, name),
    h("dd", {class: tone}, value), remark && h("dd", {class: "remark"}, remark));
}

function tiles() {
  const counts = data.counts;
  const remarks = [
    counts.unsure > 0 && `and ${number(counts.unsure)} perhaps`,
    counts.existing > 0 && `${number(counts.existing)} opened`,
    counts.failed > 0 && `${number(counts.failed)} failed`,
    data.dropped_objects > 0 && `${number(data.dropped_objects)} more only counted`,
  ].filter(Boolean).join(", ");
  const record = data.run.complete ? ["complete", "good"]
    : data.losses.length > 0 ? ["incomplete", "bad"] : ["blind spots", "warn"];
  return h("dl", {class: "tiles"},
    tile("Objects created", number(counts.created), remarks),
    tile("Mask changes", number(counts.changes),
      counts.ambiguous > 0 && `${counted(counts.ambiguous, "creation")} met one`),
    tile("Process images", number(counts.processes)),
    tile("Threads", number(counts.threads)),
    tile("Record", h("a", {href: "#unseen"}, record[0]),
      data.run.complete ? "nothing lost"
        : counted(data.blind_spots.length + data.losses.length, "remark"), record[1]));
}

// The thread, or the program where several of its processes are one row.
function culpritName(one) {
  const key = `${one.pid}.${one.tid}`;
  const name = raw(one.processes > 1 ? one.thread : `${one.thread} ${one.tid}`);
  return [threadOf(key) === kNone ? name : linkTo(name, () => openThread(key)),
          one.processes > 1 && `, ${number(one.processes)} processes`];
}

function culpritTable() {
  if (data.culprits.length === 0) return h("p", {class: "quiet"}, "Nobody changed the mask.");
  const left = data.culprits_total - data.culprits.length;
  const row = (one) => h("tr", {},
    h("td", {class: "num"}, number(one.count)),
    h("td", {class: "keep"}, culpritName(one)),
    h("td", {class: `oct ${maskClass(one.widest)}`}, one.masks.replaceAll("->", "→").split(", ")
      .map((text, i) => [i > 0 && h("br"), h("span", {class: "keep"}, text)])),
    h("td", {class: "num", title: `longest ${duration(one.longest)}`}, duration(one.held)),
    h("td", {class: "site"}, one.where ? raw(one.where) : h("span", {class: "quiet"}, "no stack")));
  return h("div", {class: "scroll-x", tabindex: "0", role: "region",
                   "aria-labelledby": "culprits-title"},
    h("table", {class: "list culprits"},
      h("thead", {}, h("tr", {}, h("th", {scope: "col", class: "num"}, "Changes"),
        h("th", {scope: "col"}, "Thread"), h("th", {scope: "col"}, "Mask"),
        h("th", {scope: "col", class: "num"}, "In force"), h("th", {scope: "col"}, "Where"))),
      h("tbody", {}, data.culprits.slice(0, 12).map(row))),
    data.culprits.length > 12 && h("details", {class: "rest"},
      h("summary", {}, `${number(data.culprits.length - 12)} more`),
      h("table", {class: "list culprits"}, h("tbody", {}, data.culprits.slice(12).map(row)))),
    left > 0 && h("p", {class: "notice"}, `${number(left)} more are not on this page.`));
}

// How many objects came out with each mode; a click shows them in the table.
function modeBars() {
  const counts = new Map();
  for (let i = 0; i < objects.count; ++i)
    counts.set(modeOf(i), (counts.get(modeOf(i)) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1]);
  if (all.length === 0) return h("p", {class: "quiet"}, "No object was created.");
  const most = all[0][1];
  const bar = ([mode, count]) => {
    const meter = h("span", {class: `bar ${mode === null ? "" : modeClass(mode)}`});
    meter.style.width = `${Math.max(1, (count / most) * 100)}%`;
    const label = mode === null ? "not known" : octal(mode);
    return h("li", {}, h("button", {type: "button", class: "mode-bar",
                                    title: `Show the objects with mode ${label}`,
                                    onclick: () => showModes(mode)},
      h("span", {class: `oct ${mode === null ? "" : modeClass(mode)}`}, label),
      h("span", {class: "oct quiet"}, mode === null ? "" : rwx(mode)),
      h("span", {class: "track"}, meter),
      h("span", {class: "num"}, number(count))));
  };
  return h("div", {}, h("ul", {class: "plain modes"}, all.slice(0, 8).map(bar)),
    all.length > 8 && h("p", {class: "quiet"}, `and ${number(all.length - 8)} rarer modes`),
    objects.count < data.totals.objects && h("p", {class: "quiet"},
      `Of the ${number(objects.count)} objects that are on this page.`));
}

function renderSummary() {
  const run = data.run;
  const title = run.program || run.directory;
  document.title = `${title} - umaskaudit`;
  add(byId("summary"),
    h("p", {class: "kicker"}, "Who changed the umask, and what came of it"),
    h("h1", {id: "title"}, raw(title)),
    h("p", {class: "byline"}, [
      ["run ", raw(run.directory)], run.started, `recorded for ${duration(run.span)}`, run.ending,
    ].filter((piece) => piece !== "").map((piece) => h("span", {}, piece))),
    verdict(), tiles(),
    run.filtered && h("p", {class: "notice"}, "Made with a filter: objects, numbers and findings "
      + "are those that it selects. Mask changes of the same processes are shown all the same."),
    h("div", {class: "halves"},
      h("div", {class: "card"}, h("h2", {id: "culprits-title"}, "Who changed the umask"),
        culpritTable()),
      h("div", {class: "card"}, h("h2", {}, "Modes of the objects"), modeBars())));
}
