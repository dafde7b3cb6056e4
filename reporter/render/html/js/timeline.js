// The timeline's canvas: draws the lanes between two moments.
// Must never draw more than a few marks a pixel, however many events there are: what falls into one
// column is drawn once. Moved by timeline_input.js.

const kRulerHeight = 30, kTopGap = 10, kTickGap = 110;
const kGutter = 46, kMargin = 10;  // left of the plot, for the masks; right of it

const view = {from: 0, to: Math.max(span, 1), scroll: 0, width: 0, height: 0, ratio: 1,
              lane: 0, mark: null, dirty: false, arrows: []};
let canvas = null, pen = null, palette = {};

// Colours by name, as the style sheet has them in the present theme.
function readPalette() {
  const probe = h("span", {hidden: true});
  document.body.append(probe);
  for (const name of ["text", "quiet", "line", "surface", "accent", "bad", "warn", "neutral",
                      "window", "window-bad", "window-warn"]) {
    probe.style.color = `var(--${name})`;
    palette[name] = getComputedStyle(probe).color;
  }
  palette.font = getComputedStyle(document.body).fontFamily;
  palette.mono = getComputedStyle(document.documentElement).getPropertyValue("--mono");
  probe.remove();
}

const plotWidth = () => Math.max(1, view.width - kGutter - kMargin);
const xOf = (time) => kGutter + ((time - view.from) / (view.to - view.from)) * plotWidth();
const timeAt = (x) => view.from + ((x - kGutter) / plotWidth()) * (view.to - view.from);
const laneTop = (lane) => lane.top + kRulerHeight + kTopGap - view.scroll;
const maskTone = (mask) => palette[maskClass(mask) || "neutral"];

function levelY(lane, mask) {
  return laneTop(lane) + lane.head + lane.levelOf.get(mask) * kLevelStep + kLevelStep / 2;
}

// 1, 2 or 5 times a power of ten, so that ticks are about kTickGap apart.
function tickStep() {
  const rough = ((view.to - view.from) / plotWidth()) * kTickGap;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function tickText(time, step) {
  const unit = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]].find(([size]) => step >= size)
    ?? [1, "ns"];
  return `${number(Math.round(time / unit[0]))} ${unit[1]}`;
}

function drawRuler() {
  const step = tickStep();
  pen.fillStyle = palette.surface;
  pen.fillRect(0, 0, view.width, kRulerHeight);
  pen.font = `11px ${palette.font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = Math.round(xOf(time));
    pen.fillStyle = palette.line;
    pen.fillRect(x, kRulerHeight - 8, 1, 8);
    pen.fillStyle = palette.quiet;
    if (x + 50 < view.width) pen.fillText(tickText(time, step), x + 5, kRulerHeight / 2 + 3);
  }
  pen.fillStyle = palette.line;
  pen.fillRect(0, kRulerHeight - 1, view.width, 1);
  // Where in the run this is.
  const all = Math.max(span, 1);
  pen.fillStyle = palette.accent;
  if (view.to - view.from < all * 0.999)
    pen.fillRect(kGutter + (view.from / all) * plotWidth(), 0,
      Math.max(3, ((view.to - view.from) / all) * plotWidth()), 3);
}

function drawGrid() {
  const step = tickStep();
  pen.fillStyle = palette.line;
  pen.globalAlpha = 0.5;
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step)
    pen.fillRect(Math.round(xOf(time)), kRulerHeight, 1, view.height);
  pen.globalAlpha = 1;
}

function drawWindows(lane, top) {
  const columns = new Uint8Array(Math.ceil(view.width) + 1);  // 1 + the gravest tone
  for (const window of lane.windows) {  // by their begin; their ends are in no order
    if (window.from > view.to) break;
    if (window.to < view.from) continue;
    const end = Math.min(columns.length - 1, xOf(window.to));
    for (let x = Math.max(kGutter, Math.floor(xOf(window.from))); x <= end; ++x)
      columns[x] = Math.max(columns[x], window.tone + 1);
  }
  const tones = ["window", "window-warn", "window-bad"];
  for (let x = 0; x < columns.length;) {
    let end = x + 1;
    while (end < columns.length && columns[end] === columns[x]) ++end;
    if (columns[x] > 0) {
      pen.fillStyle = palette[tones[columns[x] - 1]];
      pen.fillRect(x, top + lane.head, end - x, lane.height - lane.head);
    }
    x = end;
  }
}

// The mask as a step line. Steps that are closer than a pixel become one upright line.
function drawSteps(lane) {
  const rows = lane.changes, time = (i) => changes.drawn[rows[i]];
  const x0 = Math.max(kGutter, xOf(lane.start));
  let i = lowerBound(rows.length, time, view.from);
  let mask = i === 0 ? lane.first : changes.after[rows[i - 1]];
  let x = x0, high = levelY(lane, mask), low = high;
  const flat = (from, to, of) => {
    pen.fillStyle = maskTone(of);
    pen.fillRect(from, levelY(lane, of) - 1, Math.max(to - from, 1), 2);
  };
  for (; i < rows.length && time(i) <= view.to; ++i) {
    const next = xOf(time(i)), y = levelY(lane, changes.after[rows[i]]);
    if (next - x >= 1) {
      if (low > high) upright(x, high, low);
      flat(x, next, mask);
      x = next;
      high = low = levelY(lane, mask);
    }
    high = Math.min(high, y);
    low = Math.max(low, y);
    mask = changes.after[rows[i]];
  }
  if (low > high) upright(x, high, low);
  const end = Math.min(view.width, xOf(lane.end));
  if (end > x) flat(x, end, mask);
  // The last event of its processes: when they ended was not seen.
  if (lane.end < span && lane.end >= view.from && lane.end <= view.to)
    upright(end, levelY(lane, mask) - 4, levelY(lane, mask) + 4);
}

// Where changes have no row: from the least to the greatest mask that they set. What the line would
// say there is not known, so that narrow gaps cover it.
function drawGaps(lane) {
  for (const gap of lane.gaps) {
    if (gap.to < view.from || gap.from > view.to) continue;
    const x = Math.max(kGutter, xOf(gap.from)), end = Math.min(view.width, xOf(gap.to));
    const high = levelY(lane, gap.least), height = levelY(lane, gap.most) - high + 2;
    const wide = end - x > 40;
    pen.fillStyle = palette.surface;
    if (!wide) pen.fillRect(x, high - 1, end - x, height);
    pen.fillStyle = palette.neutral;
    pen.globalAlpha = wide ? 0.15 : 0.5;
    pen.fillRect(x, high - 1, end - x, height);
    pen.globalAlpha = 1;
    if (end - x < 140) continue;
    pen.font = `11px ${palette.font}`;
    pen.fillText(`${counted(gap.count, "change")} not on this page`, x + 6, high + height + 8);
  }
}

// A thread's own calls of umask: a tick for each, one for those of the same pixel.
function drawCalls(lane, top) {
  const rows = lane.changes, time = (i) => changes.drawn[rows[i]];
  let last = -1;
  pen.fillStyle = palette.neutral;
  for (let i = lowerBound(rows.length, time, view.from);
       i < rows.length && time(i) <= view.to; ++i) {
    const x = Math.round(xOf(time(i)));
    if (x === last) continue;
    pen.fillRect(x, top + lane.head, 1, lane.height - lane.head);
    last = x;
  }
}

function upright(x, high, low) {
  pen.fillStyle = palette.neutral;
  pen.fillRect(x - 0.5, high - 1, 1, low - high + 2);
}

// Whether the table's filters let it through.
const isLit = (object) => table.matching === null || table.matching[object] === 1;

// Creations: a mark for each, or a bar where they are many; those that were hit stand out. What
// the table's filters hide is grey, and lies behind.
function drawObjects(lane, top) {
  if (table.matching !== null) drawMarks(lane, top, false);
  drawMarks(lane, top, true);
}

function drawMarks(lane, top, lit) {
  const width = Math.ceil(view.width) + 1;
  const many = new Uint32Array(width), hit = new Uint8Array(width);
  const rows = lane.objects, time = (i) => objects.time[rows[i]];
  let most = 1;
  for (let i = lowerBound(rows.length, time, view.from);
       i < rows.length && time(i) <= view.to; ++i) {
    if (isLit(rows[i]) !== lit) continue;
    const x = Math.min(width - 1, Math.round(xOf(time(i))));
    most = Math.max(most, ++many[x]);
    if (lit && objects.rules[rows[i]] & kHitRules) hit[x] = 1;
  }
  const base = top + lane.height - 2;
  for (let x = 0; x < width; ++x) {
    if (many[x] === 0) continue;
    const height = 6 + 8 * (most === 1 ? 0 : Math.log(many[x]) / Math.log(most));
    pen.fillStyle = hit[x] ? palette.bad : lit ? palette.accent : palette.line;
    pen.fillRect(x, base - (hit[x] ? Math.max(height, 11) : height), hit[x] ? 2 : 1.5,
      hit[x] ? Math.max(height, 11) : height);
  }
}

function drawLaneText(lane, top) {
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  if (lane.levelOf === undefined) {
    pen.font = `12px ${palette.font}`;
    pen.fillStyle = palette.text;
    pen.fillText(lane.title, kGutter, top + 8);
    return;
  }
  const quiet = lane.lines > 1 ? "" : `   mask ${octal(lane.first)} throughout`;
  pen.font = `600 12px ${palette.font}`;
  pen.fillStyle = palette.text;
  pen.fillText(lane.title, 8, top + 9);
  const width = pen.measureText(lane.title).width;
  pen.font = `12px ${palette.font}`;
  pen.fillStyle = palette.quiet;
  pen.fillText(`   fs context ${lane.fs}${quiet}`, 8 + width, top + 9);
  if (lane.lines < 2) return;
  pen.font = `11px ${palette.mono}`;
  const seen = new Set();
  for (const mask of lane.masks) {
    const y = levelY(lane, mask);
    if (seen.has(y)) continue;
    seen.add(y);
    const text = octal(mask);
    pen.fillStyle = maskClass(mask) ? palette[maskClass(mask)] : palette.quiet;
    pen.fillText(text, 8, y + 0.5);
  }
}

function drawMark() {
  if (!view.mark) return;
  const lane = lanes[view.lane], top = laneTop(lane), x = xOf(view.mark.time);
  pen.strokeStyle = palette.text;
  pen.setLineDash([3, 2]);
  pen.strokeRect(Math.round(x) + 0.5, kRulerHeight, 0, view.height);
  pen.setLineDash([]);
  const y = view.mark.change !== undefined && lane.levelOf !== undefined && lane.lines > 1
    ? levelY(lane, changes.after[view.mark.change]) : top + lane.height - 8;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 5, 0, 7);
  pen.stroke();
  pen.lineWidth = 1;
}

function drawNotes() {
  pen.font = `11px ${palette.font}`;
  for (const [i, [, , text]] of data.notes.entries()) {
    const x = Math.round(xOf(noteTimes[i]));
    if (x < kGutter || x > view.width) continue;
    pen.fillStyle = palette.quiet;
    pen.fillRect(x, kRulerHeight, 1, view.height);
    pen.fillText(texts[text].slice(0, 40), x + 4, view.height - 8);
  }
}

function draw() {
  view.dirty = false;
  pen.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  pen.fillStyle = palette.surface;
  pen.fillRect(0, 0, view.width, view.height);
  drawGrid();
  for (const lane of lanes) {
    const top = laneTop(lane);
    if (top + lane.height < kRulerHeight || top > view.height) continue;
    drawWindows(lane, top);
    if (lane.levelOf === undefined) drawCalls(lane, top);
    if (lane.lines > 1) drawSteps(lane);
    if (lane.lines > 1) drawGaps(lane);
    drawObjects(lane, top);
    drawLaneText(lane, top);
    pen.fillStyle = palette.line;
    if (lanes[lane.index + 1]?.levelOf !== undefined)
      pen.fillRect(0, Math.round(top + lane.height + kLaneGap / 2) - 1, view.width, 1);
    else pen.fillRect(kGutter, Math.round(top + lane.height), view.width, 1);
  }
  drawArrows();
  drawNotes();
  drawMark();
  drawRuler();
}

function redraw() {
  if (view.dirty || !canvas) return;
  view.dirty = true;
  requestAnimationFrame(draw);
}

// After the table's filters: what they hide is grey here, and said to be.
function dimTimeline() {
  if (!canvas) return;
  const dimmed = table.matching !== null;
  byId("timeline-dimmed").hidden = !dimmed;
  byId("timeline-dimmed").lastChild.textContent =
    `hidden by the filter (${number(objects.count - table.shown.length)})`;
  redraw();
}

function resizeTimeline() {
  const box = canvas.parentElement.getBoundingClientRect();
  view.ratio = window.devicePixelRatio || 1;
  view.width = Math.max(1, box.width);
  view.height = canvas.parentElement.clientHeight;
  canvas.width = Math.round(view.width * view.ratio);
  canvas.height = Math.round(view.height * view.ratio);
  canvas.style.width = `${view.width}px`;
  canvas.style.height = `${view.height}px`;
  redraw();
}
