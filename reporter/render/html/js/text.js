// Elements and words: how the page writes numbers, times, modes and names of the program.
// Must never make markup of text: children are text nodes, names are isolated from the bidi
// algorithm's surroundings. Used by all other files.

const byId = (id) => document.getElementById(id);

// An element. Attributes: null and false are left out, true is empty, onX listens. No "style": the
// page's policy forbids style attributes.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  return add(element, ...children);
}

// Appends children: elements, texts, lists of them; null and false are left out.
function add(element, ...children) {
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

// Text of the program, escaped by the reporter. A right-to-left name stays within its place.
const raw = (text, kind = "") => h("bdi", {class: `raw ${kind}`, dir: "ltr"}, text);

const kGrouped = new Intl.NumberFormat("en");
const number = (value) => kGrouped.format(value);
function counted(count, noun, nouns = `${noun}s`) {
  return `${number(count)} ${count === 1 ? noun : nouns}`;
}

const octal = (bits) => bits.toString(8).padStart(4, "0");

// "rw-r--r--" with s S t T, as ls(1) prints it.
function rwx(mode) {
  const text = [..."rwxrwxrwx"].map((letter, i) => (mode & (0o400 >> i) ? letter : "-"));
  const special = (bit, at, small, big) => {
    if (mode & bit) text[at] = text[at] === "x" ? small : big;
  };
  special(0o4000, 2, "s", "S");
  special(0o2000, 5, "s", "S");
  special(0o1000, 8, "t", "T");
  return text.join("");
}

// How alarming a mode or a mask is: writable by all, writable by the group.
const modeClass = (mode) => (mode & 0o2 ? "bad" : mode & 0o20 ? "warn" : "");
const maskClass = (mask) => (!(mask & 0o2) ? "bad" : !(mask & 0o20) ? "warn" : "");
const modeText = (mode) => h("span", {class: `oct ${modeClass(mode)}`}, octal(mode));
const maskText = (mask) => h("span", {class: `oct ${maskClass(mask)}`}, octal(mask));

// Three significant digits and a unit.
function duration(ns) {
  const short = (value) => Number(value.toPrecision(3));
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${short(ns / 1e3)} µs`;
  if (ns < 1e9) return `${short(ns / 1e6)} ms`;
  if (ns < 6e10) return `${short(ns / 1e9)} s`;
  return `${Math.floor(ns / 6e10)} min ${String(Math.floor((ns / 1e9) % 60)).padStart(2, "0")} s`;
}

// "+0.001234": seconds since the begin of the run, as the text reports have them.
function offset(ns) {
  const micros = Math.floor(Math.abs(ns) / 1e3);
  const fraction = String(micros % 1e6).padStart(6, "0");
  return `${ns < 0 ? "-" : "+"}${Math.floor(micros / 1e6)}.${fraction}`;
}
const moment = (ns) => h("span", {class: "time"}, `${offset(ns)} s`);

// A section's heading with a remark behind it.
function sectionTitle(id, title, remark) {
  return h("h2", {id}, title, remark && h("small", {}, remark));
}

// A label and its value, for lists of facts.
const fact = (name, ...value) => h("div", {class: "fact"}, h("dt", {}, name), h("dd", {}, value));

// Tells a screen reader what the eye sees.
function announce(text) {
  byId("live").textContent = text;
}
