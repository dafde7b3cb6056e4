// Copies of what is shown: its address, the command that prints it, Markdown for an issue tracker.
// Must never put an unquoted byte of the audited program into a command, nor let a name be read as
// Markdown. Used by stories, findings and the tree.

const kEscapes = {n: 10, r: 13, t: 9, "\\": 92};

// The bytes of a name that escape() of the reporter made printable.
function bytesOf(shown) {
  const encoder = new TextEncoder(), bytes = [];
  const form = /\\(?:x([0-9a-f]{2})|u\{([0-9a-f]+)\}|([nrt\\]))|[^\\]+/gi;
  for (const [text, byte, point, letter] of shown.matchAll(form)) {
    if (byte) bytes.push(parseInt(byte, 16));
    else if (point) bytes.push(...encoder.encode(String.fromCodePoint(parseInt(point, 16))));
    else if (letter) bytes.push(kEscapes[letter]);
    else bytes.push(...encoder.encode(text));
  }
  return bytes;
}

// Quotes a name, given as the reporter shows it, as one word of a shell. Invisible characters are
// written in $'', which bash, zsh and ksh know, so that the copied text has no control character.
function shellWord(shown) {
  if (/^[\w@%+=:,./][\w@%+=:,./-]*$/.test(shown)) return shown;
  if (!shown.includes("\\")) return `'${shown.replaceAll("'", "'\\''")}'`;
  const one = (byte) => (byte === 39 || byte === 92 ? `\\${String.fromCharCode(byte)}`
    : byte >= 32 && byte < 127 ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`);
  const bytes = bytesOf(shown);
  const printable = bytes.every((byte) => byte >= 32 && byte < 127);
  return printable ? `'${String.fromCharCode(...bytes).replaceAll("'", "'\\''")}'`
    : `$'${bytes.map(one).join("")}'`;
}

// All below a directory, for --path: its name is no pattern. Escaped once for fnmatch(3), and the
// backslash once more, as the reporter shows it.
const globBelow = (shown) => `${shown.replace(/\\\\|[*?[]/g,
  (text) => (text === "\\\\" ? "\\\\\\\\" : `\\\\${text}`))}*`;

// "umaskaudit COMMAND RUN WORD..."; behind "--" where a name looks like an option.
function commandOf(command, ...words) {
  return ["umaskaudit", command, data.run.place, ...words].map(shellWord).join(" ");
}
function blameOf(path) {
  return path.startsWith("-")
    ? `umaskaudit blame -- ${shellWord(data.run.place)} ${shellWord(path)}`
    : commandOf("blame", path);
}

// A code span of CommonMark: no run of backticks in it is as long as its ends.
function codeSpan(text) {
  const runs = String(text).match(/`+/g) ?? [];
  const ends = "`".repeat(Math.max(0, ...runs.map((one) => one.length)) + 1);
  const space = /^[`\s]|[`\s]$/.test(text) ? " " : "";
  return text === "" ? "(empty)" : `${ends}${space}${text}${space}${ends}`;
}

// Lines for an issue tracker: `title` is Markdown, facts are [name, Markdown, ...].
function markdownOf(title, facts, command, map) {
  const lines = [`### ${title}`, ""];
  for (const [name, ...values] of facts.filter(Boolean))
    lines.push(`- **${name}:** ${values.filter((value) => value !== false && value != null)
      .join(" ")}`);
  lines.push(`- **Command:** ${codeSpan(command)}`);
  // The address of a file says nothing to others.
  if (location.protocol.startsWith("http")) lines.push(`- **Report:** <${linkOf(map)}>`);
  return `${lines.join("\n")}\n`;
}

// Copies through a text field: where the page has no Clipboard API, or may not use it.
function copyBySelection(text, place) {
  const focused = document.activeElement;
  const field = h("textarea", {class: "unseen", readonly: true, "aria-hidden": "true"});
  field.value = text;
  place.append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // Then by hand.
  }
  field.remove();
  focused?.focus({preventScroll: true});
  return copied;
}

// Where nothing else works: the text, chosen, for Ctrl+C.
function offerText(what, text, place) {
  const field = h("textarea", {class: "by-hand", readonly: true, rows: "4",
                               "aria-label": `${what}, to be copied by hand`});
  field.value = text;
  place.append(field);
  field.focus({preventScroll: true});
  field.select();
}

async function copyText(what, text, place) {
  const told = place.querySelector("[role=status]");
  place.querySelector(".by-hand")?.remove();
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copied = copyBySelection(text, place);
  }
  told.textContent = copied ? `${what} copied` : "Press Ctrl+C (Cmd+C) to copy this:";
  if (!copied) offerText(what, text, place);
}

function copyButton(what, make, bar) {
  return h("button", {type: "button", class: "button small",
                      onclick: () => copyText(what, make(), bar)},
    `Copy ${what === "Markdown" ? what : what.toLowerCase()}`);
}

// The button of one command alone.
function commandBar(name, command) {
  const bar = h("div", {class: "share", role: "group", "aria-label": `Copy ${name}`});
  return add(bar, h("code", {}, command), copyButton("Command", () => command, bar),
    h("span", {role: "status", class: "quiet"}));
}

// Buttons for one thing: {name, params: its keys of the address, command, markdown(command)}.
function shareBar({name, params, command, markdown}) {
  const bar = h("div", {class: "share", role: "group", "aria-label": `Copy ${name}`});
  const target = () => {
    const map = new Map(address);
    for (const key of kDrawers) map.delete(key);
    map.delete("f");
    for (const [key, value] of Object.entries(params)) map.set(key, String(value));
    return map;
  };
  return add(bar, copyButton("Link", () => linkOf(target()), bar),
    copyButton("Command", command, bar), copyButton("Markdown", () => markdown(target()), bar),
    h("span", {role: "status", class: "quiet"}));
}
