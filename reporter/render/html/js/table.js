// The created objects as a table: only the rows in sight exist, however many there are.
// Must never make a row for each object. Rows are drawn anew on scrolling; query.js orders them.

const kTallest = 8e6;  // pixels; browsers lose precision further down
const kSpare = 6;      // rows above and below what is in sight

// matching: by object, whether it is shown; null: all are.
const table = {shown: new Uint32Array(0), matching: null, active: 0, rows: [], rowHeight: 34,
               grid: null, body: null, pending: false};

const kColumns = [
  ["time", "Time"], ["path", "Path"], ["kind", "Kind"], ["call", "Call"], ["asked", "Asked"],
  ["mask", "Mask"], ["mode", "Mode"], ["thread", "Thread"],
];

const narrow = matchMedia("(max-width: 759px)");

function cell(column, ...content) {
  return h("span", {role: "gridcell", class: `cell ${column}`}, content);
}

function rowCells(object) {
  const shape = shapeOf(object), mode = modeOf(object);
  const hits = rulesOf(object).map((rule) => rule.id);
  return [
    cell("time", offset(objects.time[object])),
    cell("path", h("bdi", {class: "raw directory", dir: "ltr"}, texts[objects.directory[object]]),
      h("bdi", {class: "raw name", dir: "ltr"}, objects.name[object]),
      hits.length > 0 && h("span", {class: "tag bad", title: hits.join(", ")}, hits[0]),
      shape.state && h("span", {class: "tag"}, shape.state)),
    cell("kind", shape.kind), cell("call", raw(shape.call)),
    cell("asked oct", octal(shape.requested)),
    cell(`mask oct ${maskClass(shape.mask)}`, octal(shape.mask), shape.ambiguous && "?"),
    cell("mode", mode === null ? "?" : [
      shape.now !== undefined && shape.final !== null && h("span", {class: "oct quiet"},
        octal(shape.final), " › "),
      modeText(mode), " ",
      h("span", {class: "oct quiet letters"}, rwx(mode))]),
    cell("thread", raw(shortThread(objects.who[object]))),
  ];
}

function makeRow() {
  const row = h("div", {role: "row", class: "row"});
  row.addEventListener("click", () => {
    const {place} = row;  // drawing may give the row another one: the table was scrolled just now
    table.active = place;
    drawRows();
    openObject(table.shown[place]);
  });
  table.body.append(row);
  return row;
}

// Below kTallest a row is at its place; above, the scrolled part stands for the part of the rows.
function firstRow() {
  const {grid, shown, rowHeight} = table;
  const full = shown.length * rowHeight;
  if (full <= kTallest) return {first: grid.scrollTop / rowHeight, offset: 0};
  const inSight = grid.clientHeight / rowHeight;
  const part = grid.scrollTop / Math.max(1, kTallest - grid.clientHeight);
  const first = part * (shown.length - inSight);
  return {first, offset: grid.scrollTop - first * rowHeight};
}

function drawRows() {
  table.pending = false;
  const {grid, shown, rowHeight} = table;
  const inSight = Math.ceil(grid.clientHeight / rowHeight);
  const {first, offset: shift} = firstRow();
  const from = Math.max(0, Math.floor(first) - kSpare);
  const to = Math.min(shown.length, Math.floor(first) + inSight + kSpare);
  while (table.rows.length < to - from) table.rows.push(makeRow());
  while (table.rows.length > to - from) table.rows.pop().remove();
  table.rows.forEach((row, i) => {
    const place = from + i;
    row.style.transform = `translateY(${place * rowHeight + shift}px)`;
    const state = `${shown[place]}/${place}/${place === table.active}`;
    if (row.state === state) return;
    Object.assign(row, {state, place, id: `row-${place}`});
    row.setAttribute("aria-rowindex", place + 2);
    row.setAttribute("aria-selected", place === table.active);
    row.replaceChildren(...rowCells(shown[place]));
  });
  if (shown.length > 0) grid.setAttribute("aria-activedescendant", `row-${table.active}`);
  else grid.removeAttribute("aria-activedescendant");
}

function drawSoon() {
  if (table.pending) return;
  table.pending = true;
  requestAnimationFrame(drawRows);
}

// Scrolls so that the active row is in sight.
function reveal() {
  const {grid, shown, rowHeight, active} = table;
  const head = grid.querySelector(".head").offsetHeight;
  const full = shown.length * rowHeight, room = grid.clientHeight - head;
  if (full <= kTallest) {
    const top = active * rowHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + rowHeight > grid.scrollTop + room) grid.scrollTop = top + rowHeight - room;
  } else {
    const inSight = grid.clientHeight / rowHeight, {first} = firstRow();
    if (active < first || active > first + inSight - 2)
      grid.scrollTop = (Math.max(0, active - inSight / 2) / (shown.length - inSight))
        * (kTallest - grid.clientHeight);
  }
  drawRows();
}

function tableKey(event) {
  const page = Math.max(1, Math.floor(table.grid.clientHeight / table.rowHeight) - 2);
  const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page,
                 Home: -Infinity, End: Infinity};
  if (event.target !== table.grid || table.shown.length === 0) return;
  if (event.key === "Enter" || event.key === " ") openObject(table.shown[table.active]);
  else if (event.key in steps)
    table.active = Math.min(table.shown.length - 1, Math.max(0, table.active + steps[event.key]));
  else return;
  event.preventDefault();
  reveal();
}

// What narrows the table.
const filterNames = () => [query.words.length > 0 && "search", query.dir !== "" && "directory",
                           ...Object.keys(query.filters)].filter(Boolean);

// The table as the address has it.
function tableAddress() {
  const {mode, mask, kind, call, thread, finding} = query.filters;
  const rule = finding === undefined ? null : rules[Number(finding)]?.id ?? finding;
  const sorted = query.sort !== data.run.sort || query.down;
  return {q: query.words.join(" "), mode: mode ?? null, mask: mask ?? null, kind: kind ?? null,
          call: call ?? null, thread: thread ?? null, finding: rule,
          sort: sorted ? `${query.sort}${query.down ? ".down" : ""}` : null};
}

function narrowed() {
  refresh();
  visit(tableAddress());
}

addressed.push({keys: ["q", "mode", "mask", "kind", "call", "thread", "finding", "sort"],
                apply: (next, remark, first) => {
  resetQuery();
  const text = next.get("q") ?? "";
  byId("search").value = text;
  query.words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const name of ["mode", "mask", "kind", "call", "thread", "finding"]) {
    if (!next.has(name)) continue;
    const rule = name === "finding" ? rules.findIndex(({id}) => id === next.get(name)) : -1;
    const value = rule >= 0 ? String(rule) : next.get(name);
    const choice = byId(`filter-${name}`);
    if (choice && [...choice.options].some((option) => option.value === value)) {
      query.filters[name] = choice.value = value;
    } else {
      remark(`no object has the ${name} '${next.get(name)}'`);
      address.delete(name);
    }
  }
  const [sort, down] = (next.get("sort") ?? data.run.sort).split(".");
  const known = kColumns.some(([key]) => key === sort) && (down === undefined || down === "down");
  if (!known) remark(`the table has no order '${next.get("sort")}'`);
  query.sort = known ? sort : data.run.sort;
  query.down = known && down === "down";
  if (!first || next.size > 0) refresh();
}});

// Runs the query again and shows its first row.
function refresh() {
  table.shown = runQuery();
  table.matching = null;
  if (table.shown.length < objects.count) {
    table.matching = new Uint8Array(objects.count);
    for (const object of table.shown) table.matching[object] = 1;
  }
  table.active = 0;
  table.body.style.height = `${Math.min(kTallest, table.shown.length * table.rowHeight)}px`;
  table.grid.setAttribute("aria-rowcount", table.shown.length + 1);
  table.grid.scrollTop = 0;
  const all = objects.count;
  byId("object-count").textContent = table.shown.length === all ? counted(all, "object")
    : `${number(table.shown.length)} of ${counted(all, "object")}`;
  byId("objects-hidden").textContent = table.shown.length === all ? ""
    : `${number(all - table.shown.length)} hidden by ${filterNames().join(", ")}`;
  byId("no-objects").hidden = table.shown.length > 0;
  for (const head of table.grid.querySelectorAll("[role=columnheader]"))
    head.setAttribute("aria-sort", head.dataset.key !== query.sort ? "none"
      : query.down ? "descending" : "ascending");
  byId("sort-by").value = `${query.sort}${query.down ? " down" : ""}`;
  byId("reset").hidden = filterNames().length === 0;
  byId("csv").disabled = table.shown.length === 0;
  for (const row of table.rows) row.state = null;
  drawRows();
  dimTimeline();
}

function sortBy(key) {
  query.down = query.sort === key && !query.down;
  query.sort = key;
  narrowed();
}

function setFilter(name, value) {
  if (value === "") delete query.filters[name];
  else query.filters[name] = value;
  narrowed();
}

function filterChoice(name, label, values) {
  if (values.length < 2 && name !== "finding") return null;
  return h("label", {class: "field"}, h("span", {}, label),
    h("select", {id: `filter-${name}`, onchange: (event) => setFilter(name, event.target.value)},
      h("option", {value: ""}, "all"),
      values.map(([value, count, text]) => h("option", {value},
        `${text ?? value} (${number(count)})`))));
}

// The filter on findings has the rules by their number.
function findingValues() {
  const counts = rules.map((_, i) => {
    let count = 0;
    for (let k = 0; k < objects.count; ++k) if (objects.rules[k] & (1 << i)) ++count;
    return count;
  });
  const any = objects.rules.reduce((count, mask) => count + (mask !== 0), 0);
  if (any === 0) return [];
  return [["any", any, "any finding"], ["none", objects.count - any, "none"],
          ...rules.map((rule, i) => [String(i), counts[i], rule.id])
            .filter(([, count]) => count > 0)];
}

// The table with the objects of one mode: what the summary's bars open.
const showModes = (mode) => showFiltered("mode", mode === null ? "not known" : octal(mode));
const showThreads = (thread) => showFiltered("thread", thread);

function showFiltered(name, value) {
  resetQuery();
  const choice = byId(`filter-${name}`);
  if (choice) query.filters[name] = choice.value = value;
  setDirectory("");
  visit({...tableAddress(), dir: null, at: "objects", f: null}, true);
  byId("objects").scrollIntoView();
  table.grid.focus({preventScroll: true});
}

function resetQuery() {
  query.words = [];
  query.filters = {};
  byId("search").value = "";
  for (const choice of document.querySelectorAll("select[id^=filter-]")) choice.value = "";
}

function objectTools() {
  const search = h("input", {type: "search", id: "search", autocomplete: "off", spellcheck: "false",
                             placeholder: "Part of a path ( / )", oninput: (event) => {
    query.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    narrowed();
  }});
  const findings = findingValues();
  return h("div", {class: "toolbar fields"},
    h("label", {class: "field wide"}, h("span", {}, "Search"), search),
    filterChoice("mode", "Mode", valuesOf("mode")), filterChoice("mask", "Mask", valuesOf("mask")),
    filterChoice("kind", "Kind", valuesOf("kind")), filterChoice("call", "Call", valuesOf("call")),
    filterChoice("thread", "Thread", valuesOf("thread")),
    findings.length > 0 && filterChoice("finding", "Finding", findings), directoryChoice(),
    h("label", {class: "field only-narrow"}, h("span", {}, "Order"),
      h("select", {id: "sort-by", onchange: (event) => {
        [query.sort, query.down] = [event.target.value.split(" ")[0],
                                    event.target.value.endsWith("down")];
        narrowed();
      }}, kColumns.flatMap(([key, name]) => [
        h("option", {value: key}, name),
        h("option", {value: `${key} down`}, `${name} ↓`),
      ]))));
}

function fitRows() {
  table.rowHeight = narrow.matches ? 62 : 34;
  refresh();
}

function renderObjects() {
  const section = byId("objects");
  add(section, sectionTitle("objects-title", "Objects created"));
  table.body = h("div", {class: "rows", role: "rowgroup"});
  const heads = kColumns.map(([key, name]) => h("span",
    {role: "columnheader", class: `cell ${key}`, "data-key": key, "aria-sort": "none"},
    h("button", {type: "button", onclick: () => sortBy(key)}, name)));
  table.grid = h("div", {class: "grid", role: "grid", tabindex: "0", id: "grid",
                         "aria-labelledby": "objects-title", "aria-colcount": kColumns.length,
                         onkeydown: tableKey},
    h("div", {class: "head", role: "rowgroup"},
      h("div", {role: "row", class: "head-row", "aria-rowindex": "1"}, heads)),
    table.body);
  add(section, h("div", {class: "card table-card"}, objectTools(),
    h("div", {class: "toolbar counts"},
      h("span", {id: "object-count", role: "status"}), h("span", {id: "objects-hidden"}),
      h("button", {type: "button", class: "link", id: "reset", hidden: true, onclick: () => {
        resetQuery();
        setDirectory("");
        visit({...tableAddress(), dir: null});
        byId("search").focus();
      }}, "Show all"),
      h("button", {type: "button", class: "button small", id: "csv", onclick: downloadCsv},
        "Download CSV")),
    table.grid, h("p", {id: "no-objects", class: "quiet empty", hidden: true},
      objects.count > 0 ? "No object matches." : "No object was created.")));
  leftOut(section, "objects", objects.count, data.totals.objects,
    "those that findings name come first, then the earliest");
  table.grid.addEventListener("scroll", drawSoon, {passive: true});
  narrow.addEventListener("change", fitRows);
  new ResizeObserver(drawSoon).observe(table.grid);
  fitRows();
}
