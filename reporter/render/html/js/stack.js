// Stacks as lists of frames, the innermost first; the program's own code stands out.
// Must never leave a frame out: what is folded away can be opened. Used by findings and stories.

const kOpenFrames = 8;

const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);

function frameItem(index, role) {
  const [symbol, file, line, module, address, marks, language] = frames[index];
  const isScript = language !== undefined;
  const where = texts[file] ? `${texts[file]}${line ? `:${line}` : ""}` : "";
  const code = texts[module] ? `${texts[module]}+0x${address.toString(16)}` : "";
  const place = isScript ? texts[language]
    : code ? baseName(code) : `generated code 0x${address.toString(16)}`;
  const title = [where, isScript ? `${place}, run by ${texts[module]}` : code];
  return h("li", {class: role, title: title.filter(Boolean).join("\n")},
    h("span", {class: "symbol"}, raw(symbol || (isScript && baseName(where)) || place),
      (marks & 1) !== 0 && h("span", {class: "tag"}, "inlined")),
    h("span", {class: "where"},
      raw(symbol && where ? baseName(where) : isScript || symbol ? place : baseName(where))));
}

const isFolded = (index) => (frames[index][5] & 2) !== 0;

function stackView(index) {
  const stack = stacks[index];
  if (stack.frames.length === 0)
    return h("p", {class: "quiet"}, "No stack was recorded.");
  const role = (i) => (i === stack.at ? "culprit-frame" : i < stack.at ? "runtime-frame" : "");
  const items = [], folded = [];
  stack.frames.forEach((frame, i) =>
    (isFolded(frame) ? folded : items).push(frameItem(frame, role(i))));
  const inner = stack.frames.slice(0, stack.at + 1).filter((frame) => !isFolded(frame));
  const last = Math.max(kOpenFrames, inner.length);
  const list = (some, start) => h("ol", {class: "frames", start}, some);
  if (items.length <= last + 1 && folded.length === 0 && !stack.cut && !stack.partial &&
      !stack.started)
    return list(items, 0);
  const shown = items.length <= last + 1 ? items.length : last;
  const rest = items.slice(shown);
  return h("div", {}, list(items.slice(0, shown), 0),
    rest.length > 0 && h("details", {class: "more-frames"},
      h("summary", {}, counted(rest.length, "more frame")), list(rest, last)),
    folded.length > 0 && h("details", {class: "more-frames"},
      h("summary", {}, counted(folded.length, "library frame")),
      list(folded, 0)),
    stack.cut && h("p", {class: "quiet"}, "Recorded to this depth; the stack went on."),
    stack.partial && h("p", {class: "quiet"}, "Frames of the script may be missing."),
    stack.started && h("p", {class: "quiet"}, raw(`Started by ${stack.started}`)));
}

// The place in the program's own code, as one line; empty when there was no stack.
const siteOf = (index) => stacks[index].site;
