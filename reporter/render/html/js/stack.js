// Stacks as lists of frames, the innermost first; the program's own code stands out.
// Must never leave a frame out: what is folded away can be opened. Used by findings and stories.

const kOpenFrames = 8;

const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);

function frameItem(index, role) {
  const [symbol, file, line, module, address, inlined] = frames[index];
  const where = texts[file] ? `${texts[file]}${line ? `:${line}` : ""}` : "";
  const place = texts[module]
    ? `${baseName(texts[module])}+0x${address.toString(16)}`
    : `generated code 0x${address.toString(16)}`;
  const titles = [where, `${texts[module]}+0x${address.toString(16)}`];
  return h("li", {class: role, title: titles.filter(Boolean).join("\n")},
    h("span", {class: "symbol"}, raw(symbol || place),
      inlined === 1 && h("span", {class: "tag"}, "inlined")),
    h("span", {class: "where"}, raw(where ? baseName(where) : symbol ? place : "")));
}

function stackView(index) {
  const stack = stacks[index];
  if (stack.frames.length === 0)
    return h("p", {class: "quiet"}, "No stack was recorded.");
  const role = (i) => (i === stack.at ? "culprit-frame" : i < stack.at ? "runtime-frame" : "");
  const items = stack.frames.map((frame, i) => frameItem(frame, role(i)));
  const last = Math.max(kOpenFrames, stack.at + 1);
  const list = (some, start) => h("ol", {class: "frames", start}, some);
  if (items.length <= last + 1 && !stack.cut) return list(items, 0);
  const rest = items.slice(last);
  return h("div", {}, list(items.slice(0, last), 0),
    rest.length > 0 && h("details", {class: "more-frames"},
      h("summary", {}, counted(rest.length, "more frame")), list(rest, last)),
    stack.cut && h("p", {class: "quiet"}, "Recorded to this depth; the stack went on."));
}

// The place in the program's own code, as one line; empty when there was no stack.
const siteOf = (index) => stacks[index].site;
