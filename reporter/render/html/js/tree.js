// The tree of directories, by mouse and by keys (WAI-ARIA, tree view pattern).
// Must never make an item before its directory is opened: a run may have made a million of them.

const kItemsAtOnce = 200, kItemsAtFirst = 14;
const tree = {list: null, active: null};

// Words for who does not see the columns.
const unseen = (text) => h("span", {class: "unseen"}, text);

// An item of the list, which is flat: levels are told by attributes.
function treeItem(level, attributes, ...content) {
  const item = h("li", {role: "treeitem", "aria-level": level, "aria-selected": "false",
                        tabindex: "-1", ...attributes},
    h("div", {class: "tree-row"}, content));
  item.level = level;
  return item;
}

function directoryItem(node, level, at, size) {
  const open = node.kids.length > 0, gone = node.gone > 0 && `${number(node.gone)} gone`;
  const twisty = h("span", {class: `twisty ${open ? "" : "none"}`, "aria-hidden": "true"});
  const item = treeItem(level, {"aria-posinset": at + 1, "aria-setsize": size,
                                "aria-expanded": open ? "false" : null}, twisty,
    h("span", {class: "tree-name"}, raw(node.label)),
    h("span", {class: "tree-hits"}, node.hits > 0
      && h("span", {class: "tag bad"}, number(node.hits), unseen(" named by findings"))),
    h("span", {class: "tree-mode"}, unseen(" widest mode "),
      node.worst === null ? h("span", {class: "quiet"}, "–")
        : [modeText(node.worst), h("span", {class: "oct quiet letters"}, ` ${rwx(node.worst)}`)]),
    h("span", {class: "num tree-count", title: gone}, number(node.count),
      unseen(` objects${gone ? `, ${gone}` : ""}`)));
  item.node = node;
  item.firstChild.style.paddingInlineStart = `${(level - 1) * 18 + 8}px`;
  item.addEventListener("click", (event) => {
    activate(item);
    if (event.target === twisty || node.path === "") toggle(item);
    else chooseItem(item);
  });
  return item;
}

// Items of `nodes` behind the item `after`; null: at the begin.
function fill(after, nodes, level, from) {
  const some = nodes.slice(from, from + kItemsAtOnce);
  const items = some.map((node, i) => directoryItem(node, level, from + i, nodes.length));
  const left = nodes.length - from - some.length;
  if (left > 0) {
    const more = treeItem(level, {class: "tree-more"},
      `Show ${number(Math.min(left, kItemsAtOnce))} more of ${number(left)}`);
    more.more = () => {
      const first = fill(more, nodes, level, from + kItemsAtOnce)[0];
      more.remove();
      activate(first);
    };
    more.addEventListener("click", () => more.more());
    items.push(more);
  }
  if (after === null) tree.list.append(...items);
  else after.after(...items);
  return items;
}

const isOpen = (item) => item.getAttribute("aria-expanded") === "true";

// The items below an open one, all levels of them.
function itemsBelow(item) {
  const below = [];
  for (let next = item.nextElementSibling; next && next.level > item.level;
       next = next.nextElementSibling) below.push(next);
  return below;
}

function toggle(item, open = !isOpen(item)) {
  if (!item.hasAttribute("aria-expanded") || isOpen(item) === open) return;
  item.setAttribute("aria-expanded", String(open));
  if (open) fill(item, item.node.kids, item.level + 1, 0);
  const below = open ? [] : itemsBelow(item);
  if (below.includes(tree.active)) activate(item);
  for (const one of below) one.remove();
}

// Makes an item the one that Tab leads to.
function activate(item, focus = true) {
  tree.active?.setAttribute("tabindex", "-1");
  tree.active = item;
  item.setAttribute("tabindex", "0");
  if (focus) item.focus();
}

// Filters by an item's directory, and back.
function chooseItem(item) {
  if (item.more) {
    item.more();
    return;
  }
  if (item.node.path === "") return;
  setDirectory(query.dir === item.node.path ? "" : item.node.path);
  visit({dir: query.dir}, true);
}

function parentItem(item) {
  let above = item.previousElementSibling;
  while (above && above.level >= item.level) above = above.previousElementSibling;
  return above ?? item;
}

const kTreeKeys = {
  ArrowRight: (item) => (isOpen(item) ? activate(item.nextElementSibling) : toggle(item, true)),
  ArrowLeft: (item) => (isOpen(item) ? toggle(item, false) : activate(parentItem(item))),
  ArrowDown: (item) => activate(item.nextElementSibling ?? item),
  ArrowUp: (item) => activate(item.previousElementSibling ?? item),
  Home: () => activate(tree.list.firstChild),
  End: () => activate(tree.list.lastChild),
  Enter: chooseItem,
  " ": chooseItem,
};

function treeKey(event) {
  const item = event.target.closest("[role=treeitem]");
  const action = event.ctrlKey || event.metaKey || event.altKey ? null : kTreeKeys[event.key];
  if (!item || !action) return;
  event.preventDefault();
  action(item);
}

// Shows which directory is chosen, and opens the way to it.
function markDirectory() {
  if (!tree.list) return;
  const path = query.dir;
  for (let item = tree.list.firstChild; path !== "" && item; item = item.nextElementSibling) {
    const above = item.node?.path || null;
    if (above !== null && above !== path && path.startsWith(above)) toggle(item, true);
  }
  for (const item of tree.list.children)
    item.setAttribute("aria-selected", String(path !== "" && item.node?.path === path));
  byId("tree-status").replaceChildren(...(path === "" ? ["Findings and objects of all directories."]
    : ["Findings and objects below ", raw(path), ` only: ${number(table.shown.length)} of ${
      counted(objects.count, "object")}.`]));
  byId("tree-tools").hidden = path === "";
}

function treeTools() {
  const map = () => [["Directory", codeSpan(query.dir)],
                     ["Objects", `${number(table.shown.length)} of ${number(objects.count)}`]];
  const command = () => commandOf("report", "--all", "--path", globBelow(query.dir));
  return h("div", {class: "toolbar", id: "tree-tools", hidden: true},
    h("span", {class: "tree-links"},
      linkTo("Show its objects", () => {
        byId("objects").scrollIntoView();
        table.grid.focus({preventScroll: true});
      }),
      linkTo("Show all directories", () => {
        setDirectory("");
        visit({dir: null}, true);
        tree.active.focus();
      })),
    shareBar({name: "this directory", params: {}, command,
              markdown: (target) => markdownOf(`Below ${codeSpan(query.dir)}`, map(), command(),
                target)}));
}

// Opens level by level what fits a screen.
function openSome() {
  for (let items = [...tree.list.children]; items.length > 0;) {
    const kids = items.reduce((sum, item) => sum + (item.node?.kids.length ?? 0), 0);
    if (kids === 0 || tree.list.children.length + kids > kItemsAtFirst) return;
    const level = items[0].level + 1;
    for (const item of items) toggle(item, true);
    items = [...tree.list.children].filter((item) => item.level === level);
  }
}

function renderDirectories() {
  const section = byId("directories");
  add(section, sectionTitle("directories-title", "Directories", "with the widest mode below each"));
  if (directoryTree.length === 0) {
    add(section, h("p", {class: "card quiet"}, "No object was created."));
    return;
  }
  tree.list = h("ul", {role: "tree", class: "tree plain", id: "tree",
                       "aria-labelledby": "directories-title", onkeydown: treeKey});
  fill(null, directoryTree, 1, 0);
  add(section, h("div", {class: "card"},
    h("p", {id: "tree-status", role: "status", class: "quiet"}), treeTools(),
    h("div", {class: "tree-head", "aria-hidden": "true"}, h("span", {class: "tree-name"},
      "Directory"), h("span", {class: "tree-hits"}, "Named by findings"),
      h("span", {class: "tree-mode"}, "Widest mode"), h("span", {class: "tree-count"}, "Objects")),
    tree.list,
    h("p", {class: "quiet hint"}, "Objects that are gone count, and have no part in the mode. ",
      h("span", {class: "keys"}, "Keys: ", keys("↑", "↓"), " up and down, ",
      keys("→", "←"), " open and close, ", keys("Enter"), " show this directory alone."))));
  leftOut(section, "objects", objects.count, data.totals.objects,
    "the counts of directories are without them");
  activate(tree.list.firstChild, false);
  openSome();
  markDirectory();
}
