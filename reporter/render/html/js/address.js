// The page's address: the part behind "#" says what is shown, and the browser's history leads back.
// Must never fail on an address: what this page does not have is said in a note. Each file that
// shows something adds to `addressed`; visit() changes the address, showAddress() obeys it.

// A word without "=" is a section; then, in this order, what is shown. o: an object by its seq in
// the record, c: a mask change by its number, t: a thread, n: a note, f: a finding.
const kDrawers = ["o", "c", "t", "n"];
const kNoDrawer = Object.fromEntries(kDrawers.map((key) => [key, null]));
const kAddressKeys = ["f", "severity", "rule", "dir", "q", "mode", "mask", "kind", "call", "thread",
                      "finding", "sort", "from", "to", ...kDrawers];
const kSections = ["summary", "findings", "timeline", "directories", "objects", "unseen"];

// {keys, apply(address, remark, first)}: called when one of the keys is another than before.
const addressed = [];
const address = new Map();
const kSaveAfter = 250;  // ms; browsers count what changes their history
let saving = 0;
let leaving = null;  // steps that wait until the browser has gone back, which the page asked for

// What encodeURIComponent leaves, and Markdown or a shell would read as their own.
const encoded = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replace(/[!'()*~]/g,
  (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

function addressText(map) {
  const words = map.has("at") ? [map.get("at")] : [];
  for (const key of kAddressKeys) if (map.has(key)) words.push(`${key}=${encoded(map.get(key))}`);
  return words.join("&");
}

// The whole address of this page, showing `map`.
function linkOf(map) {
  const text = addressText(map);
  return location.href.split("#")[0] + (text && `#${text}`);
}

function parseAddress(text, remark) {
  const found = new Map();
  for (const word of text.replace(/^#/, "").split("&").filter(Boolean)) {
    const at = word.indexOf("=");
    const key = at < 0 ? "at" : word.slice(0, at);
    let value = word.slice(at + 1);
    try {
      value = decodeURIComponent(value);
    } catch {
      remark(`'${value}' is no part of an address`);
      continue;
    }
    if (at < 0 ? kSections.includes(value) : kAddressKeys.includes(key)) found.set(key, value);
    else remark(`'${at < 0 ? value : key}' is nothing that this page has`);
  }
  return found;
}

const hasDrawer = (map) => kDrawers.some((key) => map.has(key));

function noteAddress(remarks) {
  const note = byId("address-note");
  note.hidden = remarks.length === 0;
  note.replaceChildren(...(remarks.length === 0 ? []
    : ["The address asks for something else: ", raw(remarks.join("; ")), ". The rest is shown."]));
  if (remarks.length > 0) note.scrollIntoView({block: "center"});
}

// Changes the address; null takes a key away. `push`: Back leads to what was before. It does not
// show anything: who calls it has done so.
function visit(changes, push = false) {
  if (leaving) {
    leaving.push(() => visit(changes, push));
    return;
  }
  const before = new Map(address);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") address.delete(key);
    else address.set(key, String(value));
  }
  noteAddress([]);
  if (push) {
    saveAddress(before);
    if (linkOf(address) !== location.href) changeHistory("pushState", address, 1);
  } else if (saving === 0) {
    saving = setTimeout(saveAddress, kSaveAfter);
  }
}

// `deeper`: 1 for a new entry. The entries remember how many lie between them and the one without a
// drawer.
function changeHistory(how, map, deeper) {
  const depth = hasDrawer(map) ? (history.state?.depth ?? 0) + deeper : 0;
  try {
    history[how]({depth}, "", linkOf(map));
  } catch {
    // A page that is shown where it may have no address.
  }
}

// What was changed without an entry of its own, if anything was.
function saveAddress(map = address) {
  if (saving !== 0) changeHistory("replaceState", map, 0);
  clearTimeout(saving);
  saving = 0;
}

// The drawer was closed by hand: goes back to where it was opened, so that Forward opens it again.
function leaveDrawer() {
  const depth = history.state?.depth ?? 0;
  if (leaving) leaving.length = 0;
  if (!hasDrawer(address)) return;
  if (depth === 0) {
    visit(kNoDrawer, true);  // the page was opened at this address
    return;
  }
  saveAddress();
  for (const key of kDrawers) address.delete(key);
  leaving = [];
  history.go(-depth);
}

// Shows what the address asks for.
function showAddress(first = false) {
  const remarks = [];
  const remark = (text) => remarks.push(text);
  const before = new Map(address), next = parseAddress(location.hash, remark);
  address.clear();
  for (const [key, value] of next) address.set(key, value);
  for (const {keys, apply} of addressed)
    if (first || keys.some((key) => before.get(key) !== next.get(key))) apply(next, remark, first);
  noteAddress(remarks);
}

function followAddress() {
  addEventListener("pagehide", () => saveAddress());
  addEventListener("popstate", () => {
    clearTimeout(saving);
    saving = 0;
    const steps = leaving;
    leaving = null;
    if (!steps || (steps.length === 0 && linkOf(address) !== location.href)) showAddress();
    for (const step of steps ?? []) step();
  });
  // A link within the page moves it and keeps what is chosen.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const id = link.hash.slice(1);
    byId(id).scrollIntoView();
    if (id === "main") byId(id).focus({preventScroll: true});
    else visit({at: id, f: null}, true);
  });
  showAddress(true);
}

addressed.push({keys: ["at"], apply: (next) => {
  if (next.has("at")) byId(next.get("at")).scrollIntoView();
}});
