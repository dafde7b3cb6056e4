// What the timeline draws: for each fs context a lane with its mask, and where threads share it one
// for each of them, with its windows and creations; and who hit whom.
// Must never look at a pixel. Built once, read by timeline.js.

const kLaneTitle = 22, kLevelStep = 20, kRug = 22, kLaneGap = 16, kMostLevels = 6;
const kThreadTitle = 17, kBars = 18, kThreadGap = 5;

// Rules that say: another thread's mask decided this object's mode.
const kHitRules = ["window-overlap", "strict-overlap", "lost-mask", "leaked-mask"]
  .reduce((mask, id) => mask | (1 << rules.findIndex((rule) => rule.id === id)), 0);

function makeContexts() {
  const byContext = new Map(), ends = new Map();
  for (let i = 0; i < data.ends.length; i += 2) ends.set(data.ends[i], data.ends[i + 1]);
  const lane = (fs) => {
    if (!byContext.has(fs))
      byContext.set(fs, {fs, thread: null, names: [], changes: [], objects: [], gaps: [],
                         born: null, birth: null, end: ends.get(fs) ?? span});
    return byContext.get(fs);
  };
  let now = 0;
  for (const [step, pid, , fs, mask, command] of data.processes) {
    now += step;
    const one = lane(fs);
    if (one.born === null) [one.born, one.birth] = [mask, now];
    one.names.push(`${texts[command]} ${pid}`);
  }
  for (let i = 0; i < changes.count; ++i) lane(contextOf(changes.who[i])).changes.push(i);
  for (let i = 0; i < objects.count; ++i) lane(contextOf(objects.who[i])).objects.push(i);
  for (let i = 0; i < data.gaps.length; i += 5) {
    const [fs, part, count, least, most] = data.gaps.slice(i, i + 5);
    const from = part * data.gap_ns;
    lane(fs).gaps.push({from, to: from + data.gap_ns, count, least, most});
  }
  return [...byContext.values()].filter(
    (one) => one.changes.length + one.objects.length + one.gaps.length > 0);
}

// The mask before the first change on the page.
function firstMask(lane) {
  const change = lane.changes[0], object = lane.objects[0];
  if (change !== undefined) return changes.before[change];
  return lane.born ?? (object === undefined ? lane.gaps[0].most : shapeOf(object).mask);
}

// A lane's own rows of the masks, the widest on top. Where there are too many for lines of their
// own, neighbours share one.
function setLevels(lane) {
  const masks = new Set([lane.first]);
  for (const row of lane.changes) masks.add(changes.after[row]);
  for (const gap of lane.gaps) masks.add(gap.least).add(gap.most);
  lane.masks = [...masks].sort((a, b) => a - b);
  const lines = Math.min(lane.masks.length, kMostLevels);
  lane.levelOf = new Map(lane.masks.map(
    (mask, i) => [mask, Math.floor((i * lines) / lane.masks.length)]));
  lane.lines = lines;
}

function setWindows(lane, hitChanges) {
  lane.windows = lane.changes.filter((row) => changes.closer[row] !== kNone).map((row) => {
    const closer = changes.closer[row];
    return {
      from: changes.drawn[row],
      to: closer >= 0 ? changes.drawn[closer] : lane.end,
      tone: hitChanges.has(changes.id[row]) ? 2 : closer === kLeaked ? 1 : 0,
    };
  });
}

// The lanes of the threads that share a context: none where there is but one.
function threadLanes(context) {
  const byThread = new Map();
  const lane = (who) => {
    const key = threadKey(who);
    if (!byThread.has(key))
      byThread.set(key, {fs: context.fs, thread: key, who, changes: [], objects: [], gaps: [],
                         end: context.end});
    const one = byThread.get(key);
    one.who = who;  // its latest name
    return one;
  };
  for (const row of context.changes) lane(changes.who[row]).changes.push(row);
  for (const row of context.objects) lane(objects.who[row]).objects.push(row);
  if (byThread.size < 2) {
    context.thread = [...byThread.keys()][0] ?? null;
    return [];
  }
  context.objects = [];  // they are on the threads' lanes
  return [...byThread.values()];
}

function setTitle(lane) {
  const names = lane.names.filter((name, i) => name !== lane.names[i - 1]);
  const who = changes.who[lane.changes[0]] ?? objects.who[lane.objects[0]];
  lane.title = names.slice(-2).join(" → ") || (who === undefined ? "" : threadText(who));
}

function setStart(lane) {
  lane.start = Math.min(lane.birth ?? Infinity, changes.drawn[lane.changes[0]] ?? Infinity,
    objects.time[lane.objects[0]] ?? Infinity, lane.gaps[0]?.from ?? Infinity);
}

const lanes = (() => {
  const all = [], hitChanges = new Set();
  for (let i = 0; i < objects.count; ++i)
    if (objects.rules[i] & kHitRules) hitChanges.add(objects.setter[i]);
  let top = 0;
  const place = (lane, title, body, gap) => {
    Object.assign(lane, {top, index: all.length, head: title, height: title + body});
    top += lane.height + gap;
    setWindows(lane, hitChanges);
    all.push(lane);
  };
  all.contexts = 0;
  for (const context of makeContexts()) {
    ++all.contexts;
    context.first = firstMask(context);
    setLevels(context);
    setStart(context);
    setTitle(context);
    context.stepHeight = context.lines > 1 ? context.lines * kLevelStep : 0;
    const threads = threadLanes(context);
    const shared = threads.length > 0;
    place(context, kLaneTitle, context.stepHeight + (shared ? 0 : kRug),
      shared ? kThreadGap : kLaneGap);
    for (const lane of threads) {
      Object.assign(lane, {lines: 0, title: shortThread(lane.who)});
      place(lane, kThreadTitle, kBars, lane === threads.at(-1) ? kLaneGap : kThreadGap);
    }
  }
  all.height = top;
  return all;
})();

// Creations that met a mask which another lane's thread had set, by time: {object, change, from,
// to} with the numbers of the lanes.
const arrows = (() => {
  const ofChange = new Map(), ofObject = new Map(), found = [];
  lanes.forEach((lane, index) => {
    if (lane.thread === null) return;
    for (const row of lane.changes) ofChange.set(row, index);
    for (const row of lane.objects)
      if (objects.rules[row] & kHitRules) ofObject.set(row, index);
  });
  for (const [object, to] of [...ofObject].sort((a, b) => a[0] - b[0])) {
    const change = objects.setter[object] === 0 ? kNone : changeOf(objects.setter[object]);
    const from = ofChange.get(change);
    if (from !== undefined && from !== to) found.push({object, change, from, to});
  }
  return found;
})();

// All of a lane's events in order, for those who walk: {time, change} or {time, object}.
function walk(lane, time, forward) {
  const pick = (rows, times) => {
    const at = (k) => times[rows[k]];
    let i = lowerBound(rows.length, at, time);
    if (forward) while (i < rows.length && at(i) <= time) ++i;
    else --i;
    return i >= 0 && i < rows.length ? rows[i] : kNone;
  };
  const change = pick(lane.changes, changes.drawn), object = pick(lane.objects, objects.time);
  if (change === kNone && object === kNone) return null;
  const earlier = changes.drawn[change] < objects.time[object];
  if (object === kNone || (change !== kNone && earlier === forward))
    return {time: changes.drawn[change], change};
  return {time: objects.time[object], object};
}
