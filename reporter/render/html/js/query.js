// Which objects the table shows, and in which order.
// Must never touch the document. Used by table.js.

// dir: only what is below; inside: by the number of a directory's text, whether it is. See
// directories.js.
const query = {words: [], filters: {}, sort: data.run.sort, down: false, dir: "", inside: null};

// What a filter or a sort looks at: a value for each object.
const kFields = {
  kind: (i) => shapeOf(i).kind,
  call: (i) => shapeOf(i).call,
  mode: (i) => (modeOf(i) === null ? "not known" : octal(modeOf(i))),
  mask: (i) => octal(shapeOf(i).mask),
  thread: (i) => threadText(objects.who[i]),
};

let searchTexts = null;

function matches(object) {
  if (query.inside !== null && query.inside[objects.directory[object]] === 0) return false;
  for (const [name, value] of Object.entries(query.filters)) {
    if (name === "finding") {
      if (value === "any" ? objects.rules[object] === 0
        : value === "none" ? objects.rules[object] !== 0
          : !(objects.rules[object] & (1 << Number(value)))) return false;
    } else if (kFields[name](object) !== value) return false;
  }
  return query.words.every((word) => searchTexts[object].includes(word));
}

// The widest access first, as `report --sort mode` has it.
const openness = (object) => {
  const mode = modeOf(object) ?? 0;
  return ((mode & 0o7) << 9) | ((mode & 0o70) << 3) | (mode & 0o700);
};

// Ranks are made once for each column: sorting 100,000 paths takes longer than looking at them.
const ranks = {};

function rankBy(values) {
  const order = Uint32Array.from({length: objects.count}, (_, i) => i);
  order.sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b));
  const rank = new Uint32Array(objects.count);
  order.forEach((object, place) => {
    rank[object] = place > 0 && values[order[place - 1]] === values[object]
      ? rank[order[place - 1]] : place;
  });
  return rank;
}

function rankOf(key) {
  const each = (of) => Array.from({length: objects.count}, (_, i) => of(i));
  ranks[key] ??= key === "time" ? Uint32Array.from({length: objects.count}, (_, i) => i)
    : key === "mode" ? rankBy(each((i) => -openness(i)))
      : key === "asked" ? rankBy(each((i) => shapeOf(i).requested))
        : rankBy(each(key === "path" ? pathOf : kFields[key]));
  return ranks[key];
}

// The objects that match, in order.
function runQuery() {
  searchTexts ??= Array.from({length: objects.count}, (_, i) => pathOf(i).toLowerCase());
  const found = new Uint32Array(objects.count);
  let count = 0;
  for (let i = 0; i < objects.count; ++i) if (matches(i)) found[count++] = i;
  const some = found.subarray(0, count);
  if (query.sort !== "time") {
    const rank = rankOf(query.sort);
    some.sort((a, b) => rank[a] - rank[b] || a - b);
  }
  return query.down ? some.reverse() : some;
}

// The values of a field with how often they occur, the commonest first.
function valuesOf(name) {
  const counts = new Map();
  for (let i = 0; i < objects.count; ++i) {
    const value = kFields[name](i);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
