// The data block as columns: what row i of the objects, the mask changes and the fates is.
// Must never change after it was read. html.cc says what a row holds; used by all other files.

const data = JSON.parse(byId("data").textContent);
byId("data").textContent = "";  // the text is read; 100,000 rows need not be kept twice

const {texts, stacks, frames, shapes, rules} = data;
const span = data.run.span;  // ns; all times are since the begin of the run

const objects = (() => {
  const rows = data.objects, count = rows.length;
  const columns = {
    count,
    time: new Float64Array(count),
    who: new Uint32Array(count),
    stack: new Uint32Array(count),
    shape: new Uint32Array(count),
    setter: new Uint32Array(count),
    directory: new Uint32Array(count),
    name: new Array(count),
    seq: new Float64Array(count),  // its number in the record, rising
    rules: new Uint32Array(count),
    born: new Uint32Array(count),  // 1 + the text of its name at birth; 0: the name that it has
  };
  let now = 0, seq = 0;
  rows.forEach((row, i) => {
    columns.time[i] = now += row[0];
    columns.who[i] = row[1];
    columns.stack[i] = row[2];
    columns.shape[i] = row[3];
    columns.setter[i] = row[4];
    columns.directory[i] = row[5];
    columns.name[i] = row[6];
    columns.seq[i] = seq += row[7];
    columns.rules[i] = row[8] ?? 0;
    columns.born[i] = row[9] ?? 0;
  });
  data.objects = null;
  return columns;
})();

const kNone = -1;     // no such row
const kLeaked = -2;   // a window that no call closed

const changes = (() => {
  const rows = data.changes, count = rows.length;
  const columns = {
    count,
    time: new Float64Array(count),
    who: new Uint32Array(count),
    stack: new Uint32Array(count),
    id: new Uint32Array(count),
    call: new Uint32Array(count),
    argument: new Uint32Array(count),
    before: new Uint16Array(count),
    after: new Uint16Array(count),
    believed: new Int32Array(count).fill(kNone),
    closer: new Int32Array(count).fill(kNone),  // the row that closes the window opened here
    opener: new Int32Array(count).fill(kNone),  // the row whose window is closed here
  };
  let now = 0, id = 0;
  for (const row of rows) [row[0], row[3]] = [now += row[0], id += row[3]];
  rows.sort((a, b) => a[3] - b[3]);
  rows.forEach((row, i) => {
    columns.time[i] = row[0];
    columns.who[i] = row[1];
    columns.stack[i] = row[2];
    columns.id[i] = row[3];
    columns.call[i] = row[4];
    columns.argument[i] = row[5];
    columns.before[i] = row[6];
    columns.after[i] = row[7];
    if (row.length > 8) columns.believed[i] = row[8];
  });
  data.changes = null;
  return columns;
})();

// The first index in the sorted `list` (or list of rows into `column`) that is not below `value`.
function lowerBound(count, at, value) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The row of the umask call `id`; kNone when it is not on the page.
function changeOf(id) {
  const row = lowerBound(changes.count, (i) => changes.id[i], id);
  return row < changes.count && changes.id[row] === id ? row : kNone;
}

// The row of the object that the record has as number `seq`; kNone when it is not on the page.
function objectOf(seq) {
  const row = lowerBound(objects.count, (i) => objects.seq[i], seq);
  return row < objects.count && objects.seq[row] === seq ? row : kNone;
}

for (let i = 0; i < data.windows.length; i += 2) {
  const open = changeOf(data.windows[i]);
  if (open === kNone) continue;
  const close = data.windows[i + 1] === 0 ? kLeaked : changeOf(data.windows[i + 1]);
  changes.closer[open] = close;
  if (close >= 0) changes.opener[close] = open;
}

// When to draw a change. Its clock is read after the call: a creation may have met the mask before
// that, and then the line must not come later.
changes.drawn = changes.time.slice();
for (let i = 0; i < objects.count; ++i) {
  const row = objects.setter[i] === 0 ? kNone : changeOf(objects.setter[i]);
  if (row !== kNone) changes.drawn[row] = Math.min(changes.drawn[row], objects.time[i]);
}
{
  const next = new Map();  // by context: when the change behind this one is drawn
  for (let row = changes.count - 1; row >= 0; --row) {
    const fs = data.who[changes.who[row]][3];
    changes.drawn[row] = Math.min(changes.drawn[row], next.get(fs) ?? Infinity);
    next.set(fs, changes.drawn[row]);
  }
}

// What became of an object: rows of data.fates.
const fatesOf = (() => {
  const byObject = new Map();
  for (const fate of data.fates) {
    const list = byObject.get(fate[0]);
    if (list) list.push(fate);
    else byObject.set(fate[0], [fate]);
  }
  return (object) => byObject.get(object) ?? [];
})();

// Findings that show this object among their examples.
const findingsOf = (() => {
  const byObject = new Map();
  data.findings.forEach((finding, i) => {
    for (const victim of finding.victims) {
      const object = victim.event?.[4] ?? -1;
      if (object !== kNone) byObject.set(object, [...(byObject.get(object) ?? []), i]);
    }
  });
  return (object) => byObject.get(object) ?? [];
})();

// When each note was made.
const noteTimes = (() => {
  let now = 0;
  return data.notes.map(([step]) => now += step);
})();

const shapeOf = (object) => shapes[objects.shape[object]];
const pathOf = (object) => texts[objects.directory[object]] + objects.name[object];
const rulesOf = (object) => rules.filter((_, i) => objects.rules[object] & (1 << i));
const contextOf = (who) => data.who[who][3];
// The final mode of an object; null when the shim could not read it.
// The mode that the run left the object with.
const modeOf = (object) => shapeOf(object).now ?? shapeOf(object).final;

// "writer 102"
function shortThread(who) {
  const [, tid, name] = data.who[who];
  return `${name ? `${name} ` : ""}${tid}`;
}

// "writer 102 of process 100"; without the process when that is the same number.
function threadText(who) {
  const [pid, tid] = data.who[who];
  return `${shortThread(who)}${pid === tid ? "" : ` of process ${pid}`}`;
}
