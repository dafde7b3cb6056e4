// Puts the page together: sections, navigation, colours.
// Must never ask for anything that is not in the page.

function renderNavigation() {
  const remarks = data.blind_spots.length + data.losses.length;
  const links = [["findings", "Findings", data.totals.findings], ["timeline", "Timeline", null],
                 ["directories", "Directories", null],
                 ["objects", "Objects", data.counts.created + data.counts.unsure],
                 ["unseen", "Not seen", remarks]];
  add(byId("nav"), ...links.map(([id, name, count]) => h("a", {href: `#${id}`}, name,
    count !== null && h("span", {class: "count"}, number(count)))));
}

function followTheme() {
  const apply = () => {
    readPalette();
    redraw();
  };
  byId("theme").addEventListener("change", (event) => {
    document.documentElement.dataset.theme = event.target.value;
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
}

// "/" for the search, as on the pages where code is looked at.
function followSlash() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("story").open || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    byId("search").scrollIntoView({block: "center"});
    byId("search").focus({preventScroll: true});
  });
}

renderNavigation();
renderSummary();
renderFindings();
renderTimeline();
renderDirectories();
renderObjects();
renderUnseen();
followTheme();
followSlash();
followPrint();
followAddress();
