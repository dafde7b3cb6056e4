// The directories of the objects: how many each holds, the widest mode below it, how many were hit.
// Must never count an object twice. Used by the tree and by the filters.

// {label, path: all up to the next slash, count, hits, worst: mode or null, worstOpen, gone, kids}.
function newDirectory(label, path) {
  return {label, path, count: 0, hits: 0, worst: null, worstOpen: -1, gone: 0, kids: new Map()};
}

function tally(into, from) {
  into.count += from.count;
  into.hits += from.hits;
  into.gone += from.gone;
  if (from.worstOpen > into.worstOpen) [into.worstOpen, into.worst] = [from.worstOpen, from.worst];
}

// What lies in each directory itself, by the number of its text. What is gone opens nothing.
function directoryCounts() {
  const counts = new Map();
  for (let i = 0; i < objects.count; ++i) {
    const at = objects.directory[i], shape = shapeOf(i), mode = modeOf(i);
    if (!counts.has(at)) counts.set(at, newDirectory("", texts[at]));
    const one = counts.get(at), gone = shape.state === "gone" || shape.state === "replaced";
    ++one.count;
    one.hits += objects.rules[i] !== 0 ? 1 : 0;
    one.gone += gone ? 1 : 0;
    if (gone || mode === null) continue;
    const open = openness(i);
    if (open > one.worstOpen) [one.worstOpen, one.worst] = [open, mode];
  }
  return counts;
}

// A directory with one directory and nothing else in it is shown together with that.
function joinChains(node) {
  for (let kids = [...node.kids.values()]; kids.length === 1 && kids[0].count === node.count;
       kids = [...node.kids.values()]) {
    node.label += kids[0].label;
    node.path = kids[0].path;
    node.kids = kids[0].kids;
  }
  node.kids = [...node.kids.values()].sort((a, b) => (a.label < b.label ? -1 : 1));
  node.kids.forEach(joinChains);
}

// The roots: "/", and what the record has no whole path for.
const directoryTree = (() => {
  const top = newDirectory("", "");
  for (const [at, own] of directoryCounts()) {
    let node = top, path = "";
    for (const part of texts[at] === "" ? [""] : texts[at].slice(0, -1).split("/")) {
      path = texts[at] === "" ? "" : `${path}${part}/`;
      if (!node.kids.has(part))
        node.kids.set(part, newDirectory(texts[at] === "" ? "(no directory)" : `${part}/`, path));
      node = node.kids.get(part);
      tally(node, own);
    }
  }
  const roots = [...top.kids.values()];
  roots.forEach(joinChains);
  return roots.sort((a, b) => (a.label < b.label ? -1 : 1));
})();

// The first `most` directories, those nearer to the root before others.
function someDirectories(most) {
  const found = directoryTree.filter((node) => node.path !== "");
  for (let i = 0; i < found.length && found.length < most; ++i) found.push(...found[i].kids);
  return found.slice(0, most);
}

const kMostChoices = 200;

// The same filter for findings and objects: whatever is below a directory.
function directoryChoice() {
  const some = someDirectories(kMostChoices).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (some.length === 0) return null;
  return h("label", {class: "field dir"}, h("span", {}, "Directory"),
    h("select", {class: "choose-directory", onchange: (event) => {
      setDirectory(event.target.value);
      visit({dir: query.dir}, true);
    }}, h("option", {value: ""}, "all"), some.map(({path, count}) => h("option", {value: path},
      `${path} (${number(count)})`))));
}

// Narrows findings and objects to what is below `path`; "": to nothing.
function setDirectory(path) {
  query.dir = path;
  query.inside = path === "" ? null
    : Uint8Array.from(texts, (text) => (text.startsWith(path) ? 1 : 0));
  for (const choice of document.querySelectorAll(".choose-directory")) {
    if (path !== "" && ![...choice.options].some((option) => option.value === path))
      add(choice, h("option", {value: path}, path));
    choice.value = path;
  }
  drawCards();
  refresh();
  markDirectory();
}

addressed.push({keys: ["dir"], apply: (next, remark) => {
  const path = next.get("dir") ?? "";
  const known = path === "" || texts.some((text, at) => text.startsWith(path)
    && objects.directory.includes(at));
  if (!known) {
    remark(`nothing was created in '${path}'`);
    address.delete("dir");
  }
  if (query.dir !== (known ? path : "")) setDirectory(known ? path : "");
}});
