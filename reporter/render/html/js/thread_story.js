// The story of one thread: its mask changes, what it created, and whom its masks hit.
// Must never count what the page has no row for as nothing: it says when the page is cut.

const kListed = 20;

// "PID.TID", as the address has it.
const threadKey = (who) => `${data.who[who][0]}.${data.who[who][1]}`;
const isThread = (who, key) => threadKey(who) === key;
const threadOf = (key) => (data.who.some((_, who) => isThread(who, key)) ? key : kNone);

// Rows of `columns` whose thread has one of these numbers of `who`.
function rowsOf(columns, whos) {
  const rows = [];
  for (let i = 0; i < columns.count; ++i) if (whos.has(columns.who[i])) rows.push(i);
  return rows;
}

const changeText = (row) => h("span", {class: "oct"}, octal(changes.before[row]), " → ",
  h("span", {class: maskClass(changes.after[row])}, octal(changes.after[row])));

function listPart(title, rows, item) {
  if (rows.length === 0) return null;
  return part(title, h("ul", {class: "plain made"}, rows.slice(0, kListed).map(
    (row) => h("li", {}, item(row)))),
    rows.length > kListed && h("p", {class: "quiet"}, `and ${number(rows.length - kListed)} more`));
}

const objectItem = (object) => [
  modeOf(object) === null ? "?" : modeText(modeOf(object)), " ",
  linkTo(raw(pathOf(object)), () => openObject(object)),
  objects.rules[object] !== 0 && h("span", {class: "tag bad"}, "hit")];

const changeItem = (row) => [moment(changes.time[row]), " ",
  linkTo(changeText(row), () => openChange(row))];

// Objects of other threads that met a mask which one of these changes had set.
function hitBy(rows, whos) {
  const ids = new Set(rows.map((row) => changes.id[row])), hit = [];
  for (let i = 0; i < objects.count; ++i)
    if ((objects.rules[i] & kHitRules) !== 0 && ids.has(objects.setter[i])
      && !whos.has(objects.who[i])) hit.push(i);
  return hit;
}

function openThread(key) {
  const whos = new Set(data.who.map((_, who) => who).filter((who) => isThread(who, key)));
  const some = [...whos], last = some.at(-1);
  const changed = rowsOf(changes, whos), made = rowsOf(objects, whos);
  const hit = hitBy(changed, whos), met = made.filter((i) => (objects.rules[i] & kHitRules) !== 0);
  const [pid, tid] = data.who[last];
  const names = [...new Set(some.map((who) => data.who[who][2]).filter(Boolean))];
  const contexts = [...new Set(some.map(contextOf))];
  const command = commandOf("timeline", "--pid", String(pid), "--tid", String(tid));
  const counts = [counted(changed.length, "mask change"), counted(made.length, "object created",
    "objects created"), counted(hit.length, "object of others hit", "objects of others hit")];
  const markdown = (map) => markdownOf(`Thread ${codeSpan(threadText(last))}`, [
    ["Process", codeSpan(String(pid))], ["Counts", counts.join(", ")],
    changed.length > 0 && ["First mask change", codeSpan(`${octal(changes.before[changed[0]])} -> `
      + octal(changes.after[changed[0]])), siteOf(changes.stack[changed[0]])
      && `at ${codeSpan(siteOf(changes.stack[changed[0]]))}`],
  ], command, map);
  openStory(raw(shortThread(last)), `thread of process ${pid}`,
    {name: "this thread", params: {t: key}, command: () => command, markdown},
    h("dl", {class: "facts"},
      fact("Process", String(pid)), fact("Thread", String(tid)),
      names.length > 1 && fact("Names", raw(names.join(", "))),
      fact("fs context", contexts.join(", ")), fact("On this page", counts.join(", "))),
    changes.count < data.totals.changes || objects.count < data.totals.objects
      ? h("p", {class: "notice"}, "This page leaves out events; the thread may have more.") : null,
    made.length > 0 && h("p", {}, linkTo("Show its objects in the table", () => {
      visit(kNoDrawer, true);
      story.close();
      showThreads(threadText(objects.who[made[0]]));
    })),
    listPart(`Objects that its masks hit: ${number(hit.length)}`, hit, objectItem),
    listPart(`Its own objects that were hit: ${number(met.length)}`, met, objectItem),
    listPart(`Mask changes: ${number(changed.length)}`, changed, changeItem),
    listPart(`Created: ${number(made.length)}`, made, objectItem));
}
