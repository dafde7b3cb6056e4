// The timeline's arrows: from the change of a mask to each creation of another thread that met it.
// Must never draw more than a few a pixel: those that lie on each other are one. Part of the
// timeline's canvas.

const kArrowStep = 6, kMostArrows = 250;  // pixels that one arrow stands for; in one picture

const arrowStart = ({change, from}) => [xOf(changes.drawn[change]),
  laneTop(lanes[from]) + lanes[from].height - 9];
const arrowEnd = ({object, to}) => [xOf(objects.time[object]),
  laneTop(lanes[to]) + lanes[to].height - 12];

function drawArrow(one, strong) {
  const [x0, y0] = arrowStart(one), [x1, y1] = arrowEnd(one);
  const down = y1 > y0 ? 1 : -1, bend = Math.min(Math.abs(y1 - y0) / 2, 30) * down;
  pen.globalAlpha = strong ? 1 : isLit(one.object) ? 0.65 : 0.15;
  pen.lineWidth = strong ? 2 : 1.25;
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.bezierCurveTo(x0, y0 + bend, x1, y1 - bend, x1, y1 - 4 * down);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x1 - 4, y1 - 7 * down);
  pen.lineTo(x1 + 4, y1 - 7 * down);
  pen.fill();
  pen.globalAlpha = 1;
  pen.lineWidth = 1;
}

// Those that are in sight, one for each few pixels and pair of lanes.
function arrowsInSight() {
  const seen = new Set(), some = [];
  let left = 0;
  const time = (i) => objects.time[arrows[i].object];
  for (let i = lowerBound(arrows.length, time, view.from);
       i < arrows.length && time(i) <= view.to; ++i) {
    const one = arrows[i], [x, y] = arrowEnd(one), y0 = arrowStart(one)[1];
    if (Math.max(y, y0) < kRulerHeight || Math.min(y, y0) > view.height) continue;
    const place = `${one.from}/${one.to}/${Math.floor(x / kArrowStep)}`;
    if (seen.has(place) || some.length >= kMostArrows) {
      ++left;
      continue;
    }
    seen.add(place);
    some.push(one);
  }
  return {some, left};
}

function drawArrows() {
  if (arrows.length === 0) return;
  const {some, left} = arrowsInSight();
  pen.save();
  pen.beginPath();
  pen.rect(kGutter, kRulerHeight, view.width - kGutter, view.height - kRulerHeight);
  pen.clip();
  pen.strokeStyle = pen.fillStyle = palette.bad;
  for (const one of some) drawArrow(one, false);
  const marked = arrows.find((one) => one.object === view.mark?.object);
  if (marked) drawArrow(marked, true);
  pen.restore();
  view.arrows = some;
  const text = `${counted(arrows.length, "creation")} met a mask that another thread had set: `
    + `${counted(some.length, "arrow")} in sight${left > 0
      ? `, ${number(left)} more fall together with them; zoom in` : ""}.`;
  const told = byId("timeline-arrows");
  if (told.textContent !== text) told.textContent = text;
}
