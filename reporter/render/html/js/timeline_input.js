// Zoom, pan, pointing and keys of the timeline.
// Must never take the wheel from the page unless Ctrl says so. Calls timeline.js to draw.

const kReach = 10;  // pixels from which a mark is meant
const kTitleReach = 260;  // pixels from the left in which a lane's title is meant
const kNoteHeight = 16, kNoteReach = 100;  // pixels
const kLeastView = 50;  // ns; nothing happens faster

let drag = null;
const pointers = new Map();

function setView(from, to) {
  const all = Math.max(span, 1);
  const length = Math.min(Math.max(to - from, kLeastView), all), before = [view.from, view.to];
  view.from = Math.min(Math.max(0, from), all - length);
  view.to = view.from + length;
  byId("timeline-range").textContent = length >= all
    ? `the whole run, ${duration(all)}`
    : `${offset(view.from)} s to ${offset(view.to)} s, ${duration(length)}`;
  if (before[0] !== view.from || before[1] !== view.to) visit(viewAddress());
  redraw();
}

function viewAddress() {
  const whole = view.to - view.from >= Math.max(span, 1);
  return {from: whole ? null : Math.floor(view.from), to: whole ? null : Math.ceil(view.to)};
}

addressed.push({keys: ["from", "to"], apply: (next, remark) => {
  if (!canvas) return;
  const [from, to] = ["from", "to"].map((key) => Number(next.get(key) ?? NaN));
  const known = from >= 0 && to > from && from < Math.max(span, 1);
  if (next.has("from") && !known) remark("the timeline has no such part");
  if (known) setView(from, to);
  else setView(0, span);
}});

// A finding's window, and as much before and after it.
function showWindow(window) {
  const length = Math.max(window.end - window.begin, kLeastView);
  setView(window.begin - length, window.end + length);
  visit({...viewAddress(), at: "timeline", f: null}, true);
  byId("timeline").scrollIntoView();
}

// The next creation that met another thread's mask, of all lanes.
function nextHit() {
  const now = view.mark?.object !== undefined ? view.mark.time : -1;
  const next = arrows.find(({object}) => objects.time[object] > now) ?? arrows[0];
  choose({lane: next.to, time: objects.time[next.object], object: next.object}, false);
}


// Zooms by `factor` (below 1: in) around a moment, which stays where it is.
function zoom(factor, around = view.mark?.time ?? (view.from + view.to) / 2) {
  setView(around - (around - view.from) * factor, around + (view.to - around) * factor);
}

const pan = (part) => {
  const by = (view.to - view.from) * part;
  if (view.from + by < 0 || view.to + by > Math.max(span, 1))
    setView(by < 0 ? 0 : span - (view.to - view.from), by < 0 ? view.to - view.from : span);
  else setView(view.from + by, view.to + by);
};

// The event under the pointer: {lane, time, change} or {lane, time, object}; null for none.
function eventAt(x, y) {
  const note = y > view.height - kNoteHeight ? noteAt(timeAt(x)) : kNone;
  if (note !== kNone) return {note};
  const index = lanes.findIndex((lane) => {
    const top = laneTop(lane);
    return y >= top && y <= top + lane.height;
  });
  if (index < 0) return null;
  const lane = lanes[index], time = timeAt(x);
  if (y < laneTop(lane) + lane.head && lane.thread !== null && x < kTitleReach)
    return {lane: index, thread: lane.thread};
  const onRug = y > laneTop(lane) + lane.height - kRug;
  const object = nearest(lane.objects, objects.time, x, time,
    (row) => (objects.rules[row] & kHitRules) !== 0);
  const change = nearest(lane.changes, changes.drawn, x, time, () => false);
  const as = (kind, row, times) => ({lane: index, time: times[row], [kind]: row});
  if (object !== kNone && (onRug || change === kNone)) return as("object", object, objects.time);
  return change === kNone ? null : as("change", change, changes.drawn);
}

// The last note before `time` whose text reaches to it, or nearly.
function noteAt(time) {
  const reach = timeAt(kNoteReach) - timeAt(0);
  return noteTimes.findLastIndex((at) => at <= time && at + reach >= time);
}

// The row nearest to x, one that is `grave` before others; kNone when all are too far.
function nearest(rows, times, x, time, grave) {
  const at = (i) => times[rows[i]];
  const reach = timeAt(x + kReach) - time;
  let best = kNone, distance = Infinity;
  for (let i = lowerBound(rows.length, at, time - reach);
       i < rows.length && at(i) <= time + reach; ++i) {
    const away = Math.abs(at(i) - time) - (grave(rows[i]) ? reach : 0);
    if (away < distance) [best, distance] = [rows[i], away];
  }
  return best;
}

function markText(mark) {
  if (mark.thread !== undefined) return `thread ${mark.thread.split(".")[1]}`;
  if (mark.note !== undefined) return texts[data.notes[mark.note][2]];
  if (mark.change !== undefined) {
    const row = mark.change;
    return `${offset(changes.time[row])} s  ${texts[changes.call[row]]} `
      + `${octal(changes.before[row])} → ${octal(changes.after[row])}  `
      + threadText(changes.who[row]);
  }
  const shape = shapeOf(mark.object);
  const mode = shape.final === null ? "mode unknown" : octal(shape.final);
  return `${offset(mark.time)} s  ${mode} ${pathOf(mark.object)}  `
    + threadText(objects.who[mark.object]);
}

function openMark(mark) {
  if (mark.thread !== undefined) openThread(mark.thread);
  else if (mark.note !== undefined) openNote(mark.note);
  else if (mark.change !== undefined) openChange(mark.change);
  else openObject(mark.object);
}

function point(event) {
  const tip = byId("timeline-tip"), box = canvas.getBoundingClientRect();
  const found = eventAt(event.clientX - box.left, event.clientY - box.top);
  canvas.classList.toggle("pointing", found !== null);
  tip.hidden = found === null;
  if (!found) return;
  tip.textContent = markText(found);
  const left = Math.min(event.clientX - box.left + 14, view.width - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${event.clientY - box.top + 18}px`;
}

function pointerDown(event) {
  pointers.set(event.pointerId, event.clientX);
  const base = {from: view.from, to: view.to, moved: false};
  if (pointers.size === 1) drag = {...base, x: event.clientX};
  if (pointers.size === 2) drag = {...base, apart: pinch(), moved: true};
}

const pinch = () => Math.max(10, Math.abs([...pointers.values()].reduce((a, b) => a - b)));

function pointerMove(event) {
  if (!pointers.has(event.pointerId)) return point(event);
  pointers.set(event.pointerId, event.clientX);
  if (pointers.size === 2 && drag.apart) {
    const middle = (drag.from + drag.to) / 2, half = (drag.to - drag.from) / 2;
    const length = half * (drag.apart / pinch());
    return setView(middle - length, middle + length);
  }
  const by = event.clientX - drag.x;
  if (!drag.moved && Math.abs(by) < 4) return undefined;
  if (!drag.moved) canvas.setPointerCapture(event.pointerId);
  drag.moved = true;
  byId("timeline-tip").hidden = true;
  const shift = (by / plotWidth()) * (drag.to - drag.from);
  return setView(drag.from - shift, drag.to - shift);
}

function pointerUp(event) {
  pointers.delete(event.pointerId);
  if (pointers.size > 0 || !drag) return;
  const click = !drag.moved && event.type === "pointerup";
  drag = null;
  if (!click) return;
  const box = canvas.getBoundingClientRect();
  const found = eventAt(event.clientX - box.left, event.clientY - box.top);
  if (found?.thread !== undefined || found?.note !== undefined) openMark(found);
  else if (found) choose(found, true);
}

function wheel(event) {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    zoom(1.0015 ** event.deltaY, timeAt(event.clientX - canvas.getBoundingClientRect().left));
  } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    pan(event.deltaX / plotWidth());
  }
}

// Makes an event the marked one; brings it into view.
function choose(mark, open) {
  view.lane = mark.lane;
  view.mark = mark;
  const length = view.to - view.from;
  if (mark.time < view.from || mark.time > view.to)
    setView(mark.time - length / 2, mark.time + length / 2);
  const box = canvas.parentElement, lane = lanes[mark.lane];
  if (laneTop(lane) < kRulerHeight || laneTop(lane) + lane.height > view.height)
    box.scrollTop = lane.top - 10;
  announce(markText(mark));
  redraw();
  if (open) openMark(mark);
}

function stepTo(forward) {
  const lane = lanes[view.lane];
  const found = walk(lane, view.mark?.time ?? (forward ? view.from - 1 : view.to + 1), forward);
  if (found) choose({...found, lane: view.lane}, false);
}

function laneBy(step) {
  const index = view.lane + step;
  if (index < 0 || index >= lanes.length) return;
  view.lane = index;
  const lane = lanes[index];
  const found = walk(lane, view.mark?.time ?? view.from, true) ?? walk(lane, Infinity, false);
  if (found) choose({...found, lane: index}, false);
}

const kKeys = {
  ArrowRight: (event) => (event.shiftKey ? pan(0.2) : stepTo(true)),
  ArrowLeft: (event) => (event.shiftKey ? pan(-0.2) : stepTo(false)),
  ArrowDown: () => laneBy(1),
  ArrowUp: () => laneBy(-1),
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  0: () => setView(0, span),
  Home: () => {
    view.mark = {time: -1};
    stepTo(true);
  },
  End: () => {
    view.mark = {time: Infinity};
    stepTo(false);
  },
  Enter: () => view.mark && openMark(view.mark),
  " ": () => view.mark && openMark(view.mark),
  t: () => lanes[view.lane].thread !== null && openThread(lanes[view.lane].thread),
  n: () => arrows.length > 0 && nextHit(),
};

function timelineKey(event) {
  const action = event.ctrlKey || event.metaKey || event.altKey ? null : kKeys[event.key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

const keys = (...names) => names.map((name, i) => [i > 0 && " ", h("kbd", {}, name)]);
const legend = (tone, text) => h("li", {}, h("span", {class: `legend ${tone}`}), text);

function renderTimeline() {
  const section = byId("timeline");
  add(section, sectionTitle("timeline-title", "Timeline", lanes.contexts > 1
    ? `${number(lanes.contexts)} fs contexts, each with a mask of its own` : null));
  if (lanes.length === 0) {
    add(section, h("p", {class: "card quiet"}, "No mask change and no creation was recorded."));
    return;
  }
  const button = (label, text, action) => h("button",
    {type: "button", class: "button", "aria-label": label, title: label, onclick: action}, text);
  canvas = h("canvas", {"aria-hidden": "true"});
  const spacer = h("div", {class: "timeline-spacer"});
  const box = h("div", {class: "timeline-box", tabindex: "0", role: "application",
                        "aria-roledescription": "timeline", "aria-describedby": "timeline-help",
                        "aria-labelledby": "timeline-title", onkeydown: timelineKey},
    canvas, spacer);
  add(section, h("div", {class: "card timeline-card"},
    h("div", {class: "toolbar"},
      h("span", {id: "timeline-range", class: "time"}),
      h("span", {class: "buttons"},
        arrows.length > 0 && h("button", {type: "button", class: "button", id: "next-hit",
                                          onclick: nextHit}, "Next hit"),
        h("span", {class: "button-group"}, button("Zoom out", "−", () => zoom(2)),
          button("Zoom in", "+", () => zoom(0.5)),
          button("Fit the whole run", "Fit", () => setView(0, span))))),
    h("div", {class: "timeline-frame"}, box,
      h("div", {id: "timeline-tip", class: "tip", hidden: true})),
    h("ul", {class: "legends"}, legend("step", "mask in force"),
      legend("step warn", "lets the group write"), legend("step bad", "lets everyone write"),
      legend("window", "window"), legend("window bad", "window that hit somebody"),
      legend("object", "creation"), legend("object bad", "creation that was hit"),
      h("li", {id: "timeline-dimmed", hidden: true}, h("span", {class: "legend object dim"}), ""),
      arrows.length > 0 && legend("arrow", "from a change to whom it hit"),
      data.ends.length > 0 && h("li", {id: "timeline-ends"},
        "A line that stops early: the last event of its processes; their ends were not seen")),
    arrows.length > 0 && h("p", {id: "timeline-arrows", class: "quiet hint"}),
    h("p", {id: "timeline-help", class: "quiet hint"},
      "Drag to pan, pinch or Ctrl + wheel to zoom, click an event for its story. ",
      h("span", {class: "keys"}, "Keys: ", keys("←", "→"), " from event to event, ",
        keys("↑", "↓"), " lane, ", keys("T"), " thread, ", keys("N"), " next hit, ",
        keys("Shift ←", "Shift →"), " pan, ",
        keys("+", "−", "0"), " zoom, ", keys("Enter"), " story."))));
  leftOut(section, "mask changes", changes.count, data.totals.changes,
    "those that no finding names and under which no object on this page was created");
  pen = canvas.getContext("2d");
  const full = lanes.height + kRulerHeight + kTopGap;
  box.style.height = `${Math.min(full + 6, 480)}px`;
  spacer.style.height = `${Math.max(0, full - Math.min(full + 6, 480))}px`;
  box.addEventListener("scroll", () => {
    view.scroll = box.scrollTop;
    redraw();
  });
  for (const [name, action] of Object.entries({pointerdown: pointerDown, pointermove: pointerMove,
                                               pointerup: pointerUp, pointercancel: pointerUp}))
    canvas.addEventListener(name, action);
  canvas.addEventListener("pointerleave", () => {
    byId("timeline-tip").hidden = true;
  });
  canvas.addEventListener("wheel", wheel, {passive: false});
  readPalette();
  new ResizeObserver(resizeTimeline).observe(box);
  setView(0, span);
}
