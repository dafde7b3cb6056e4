// The story of one object, mask change or note, in a dialog: who, when, why, and what came after.
// Must never say more than the record does. Opened by the table, the timeline, the findings and the
// address.

const story = byId("story");

// `share`: as shareBar() wants it; its params become the page's address.
function openStory(title, kind, share, ...sections) {
  const close = h("button", {type: "button", class: "button", onclick: () => story.close()},
    "Close");
  story.replaceChildren(
    h("header", {class: "story-head"},
      h("div", {}, h("p", {class: "kicker"}, kind), h("h2", {id: "story-title"}, title)), close),
    h("div", {class: "story-body", tabindex: "0", role: "region", "aria-labelledby": "story-title"},
      shareBar(share), sections));
  if (!story.open) story.showModal();
  story.querySelector(".story-body").scrollTop = 0;
  close.focus();
  // A drawer that the address has asked for is there already.
  const same = Object.entries(share.params).every(([key, id]) => address.get(key) === String(id));
  if (!same) visit({...kNoDrawer, ...share.params}, true);
}

// A click beside the dialog closes it.
story.addEventListener("click", (event) => {
  if (event.target === story) story.close();
});
// The event comes later than the end: another story may be open by then.
story.addEventListener("close", () => {
  if (!story.open) leaveDrawer();
});

const kOpeners = {
  o: (id) => openFound(objectOf(Number(id)), openObject),
  c: (id) => openFound(changeOf(Number(id)), openChange),
  t: (id) => openFound(threadOf(id), openThread),
  n: (id) => openFound(Number(id) in data.notes ? Number(id) : kNone, openNote),
};
const kDrawerNames = {o: "object", c: "mask change", t: "thread", n: "note"};

function openFound(row, open) {
  if (row === kNone) return false;
  open(row);
  return true;
}

addressed.push({keys: kDrawers, apply: (next, remark) => {
  const key = kDrawers.find((one) => next.has(one));
  if (key !== undefined && kOpeners[key](next.get(key))) return;
  if (key !== undefined) {
    remark(`${kDrawerNames[key]} ${next.get(key)} is not on this page`);
    for (const one of kDrawers) address.delete(one);
  }
  if (story.open) story.close();
}});

const part = (title, ...content) => h("section", {class: "part"}, h("h3", {}, title), content);

function linkTo(text, open) {
  return h("button", {type: "button", class: "link", onclick: open}, text);
}

const threadLink = (who) => linkTo(raw(threadText(who)), () => openThread(threadKey(who)));

function whoFacts(who, time) {
  return [fact("Thread", threadLink(who)), fact("Time", moment(time))];
}

function setterPart(object) {
  const shape = shapeOf(object), id = objects.setter[object];
  const ambiguous = shape.ambiguous && h("p", {class: "notice"},
    "The umask changed during the call: ", shape.ambiguous.map(octal).join(", "),
    " were all possible. The mode that came out decided.");
  if (id === 0)
    return part("Where the mask came from", ambiguous,
      h("p", {}, "The mask ", maskText(shape.mask), data.run.dropped
        ? " was inherited, or set by a call that there is no record of."
        : " was inherited: nobody in this run set it."));
  const row = changeOf(id);
  if (row === kNone)
    return part("Where the mask came from", ambiguous, h("p", {}, "The mask ",
      maskText(shape.mask), ` was set by umask call ${number(id)}, which is not on this page.`));
  const before = objects.time[object] - changes.time[row];
  const same = data.who[changes.who[row]][1] === data.who[objects.who[object]][1];
  return part("Where the mask came from", ambiguous,
    h("p", {}, "The mask ", maskText(shape.mask), " was set ",
      h("b", {}, same ? "by the same thread" : "by another thread"),
      before < 0 ? " during the call: " : `, ${duration(before)} before: `,
      linkTo(`umask(${octal(changes.argument[row])})`, () => openChange(row)), " by ",
      raw(threadText(changes.who[row])), "."),
    stackView(changes.stack[row]));
}

function fatePart(object) {
  const list = fatesOf(object);
  if (list.length === 0) return null;
  return part("What became of it", h("ol", {class: "fates"}, list.map(
    ([, after, who, stack, call, action, mode, name]) => h("li", {},
      h("span", {class: "time"}, `${duration(after)} later`), " ",
      raw(texts[call]), `: ${texts[action]} `,
      mode !== kNone && modeText(mode), name && raw(name),
      h("span", {class: "quiet"}, " by ", raw(threadText(who)),
        siteOf(stack) && [", ", raw(siteOf(stack))])))));
}

function findingPart(object) {
  const broken = rulesOf(object);
  if (broken.length === 0) return null;
  const shown = findingsOf(object);
  return part("Findings", h("ul", {class: "plain"}, broken.map((rule) => {
    const card = shown.find((i) => rules[data.findings[i].rule] === rule)
      ?? data.findings.findIndex((finding) => rules[finding.rule] === rule);
    return h("li", {}, h("b", {}, rule.id), `: ${rule.title} `,
      card >= 0 && linkTo("see the finding", () => {
        visit({...kNoDrawer, f: findingKeys[card]}, true);
        story.close();
        showFinding(card);
      }));
  })));
}

const kCertainty = {
  probably: "Another process may have made it at the same moment.",
  unknown: "It may have been there before: the record does not tell.",
};

const kStates = {
  gone: "its last name was removed",
  replaced: "a different file has this name now",
  unknown: "it went unseen",
};

const modeFact = (mode) => (mode === null ? "not known"
  : [modeText(mode), " ", h("span", {class: "oct quiet"}, rwx(mode))]);

function objectMarkdown(object, map) {
  const shape = shapeOf(object), mode = modeOf(object), setter = changeOf(objects.setter[object]);
  const by = (who, stack) => [`thread ${codeSpan(threadText(who))}`,
    siteOf(stack) && `at ${codeSpan(siteOf(stack))}`];
  return markdownOf(`${codeSpan(mode === null ? "?" : octal(mode))} ${codeSpan(pathOf(object))}`, [
    ["Created", `${shape.kind} by ${codeSpan(shape.call)},`, ...by(objects.who[object],
      objects.stack[object]), `${offset(objects.time[object])} s`],
    objects.born[object] > 0 && ["Born as", codeSpan(texts[objects.born[object] - 1])],
    shape.now !== undefined && ["Mode at birth",
      codeSpan(shape.final === null ? "?" : octal(shape.final))],
    shape.line && ["Mode", codeSpan(shape.line)],
    objects.setter[object] > 0 && setter !== kNone && ["Mask set",
      codeSpan(`umask(${octal(changes.argument[setter])})`), "by",
      ...by(changes.who[setter], changes.stack[setter])],
    rulesOf(object).length > 0 && ["Findings",
      rulesOf(object).map((rule) => codeSpan(rule.id)).join(", ")],
  ], blameOf(pathOf(object)), map);
}

// The command that derives the mode, where a mask alone decides.
function explainBar(shape) {
  if (!shape.steps || shape.ambiguous || shape.rows.some(([name]) => name === "default ACL"))
    return null;
  const words = ["umaskaudit", "explain", shape.kind === "dir" && "-d", octal(shape.requested),
                 octal(shape.mask)].filter(Boolean);
  return h("div", {class: "derivation-copy"}, commandBar("the derivation", words.join(" ")));
}

function openObject(object) {
  const shape = shapeOf(object);
  const share = {name: "this object", params: {o: objects.seq[object]},
                 command: () => blameOf(pathOf(object)),
                 markdown: (map) => objectMarkdown(object, map)};
  openStory(raw(pathOf(object)), `${shape.kind} created by ${shape.call}`, share,
    h("dl", {class: "facts"},
      objects.born[object] > 0 && fact("Born as", raw(texts[objects.born[object] - 1])),
      fact(shape.now === undefined ? "Mode" : "Mode at birth", modeFact(shape.final)),
      shape.now !== undefined && fact("Mode at the end", modeFact(shape.now)),
      shape.state && fact("At the end", kStates[shape.state]),
      whoFacts(objects.who[object], objects.time[object]),
      fact("fs context", String(contextOf(objects.who[object])))),
    kCertainty[shape.created] && h("p", {class: "notice"}, kCertainty[shape.created]),
    findingPart(object),
    part("How the mode came about", derivation(shape), explainBar(shape)),
    setterPart(object),
    part("Where it was created", stackView(objects.stack[object])),
    fatePart(object));
}

function windowText(row) {
  const closer = changes.closer[row];
  if (closer === kLeaked)
    return h("p", {class: "notice bad"}, "The mask before it was never put back.");
  if (closer === kNone) return null;
  return h("p", {}, "A window of ", h("b", {}, duration(changes.time[closer] - changes.time[row])),
    ": ", linkTo(`closed by umask(${octal(changes.argument[closer])})`, () => openChange(closer)),
    " at ", moment(changes.time[closer]), ".");
}

// Objects that were created under the mask that this call set, and others' within its window.
function createdUnder(row) {
  const closer = changes.closer[row], fs = contextOf(changes.who[row]);
  const end = closer >= 0 ? changes.time[closer] : -Infinity;
  const inside = (i) => objects.time[i] >= changes.time[row] && objects.time[i] <= end
    && contextOf(objects.who[i]) === fs;
  const made = [];
  for (let i = 0; i < objects.count; ++i)
    if (objects.setter[i] === changes.id[row] || inside(i)) made.push(i);
  if (made.length === 0) return null;
  return part(`Created meanwhile: ${counted(made.length, "object")}`,
    h("ul", {class: "plain made"}, made.slice(0, 20).map((object) => h("li", {},
      modeOf(object) === null ? "?" : modeText(modeOf(object)), " ",
      linkTo(raw(pathOf(object)), () => openObject(object)),
      objects.rules[object] !== 0 && h("span", {class: "tag bad"}, "hit")))),
    made.length > 20 && h("p", {class: "quiet"}, `and ${number(made.length - 20)} more`));
}

const changeCommand = (row) => {
  const [pid, tid] = data.who[changes.who[row]];
  const images = data.processes.filter((process) => process[1] === pid).length;  // are always told
  return commandOf("timeline", "--pid", String(pid), "--tid", String(tid), "--call",
    texts[changes.call[row]], "--since", `${changes.time[row]}ns`, "--limit", String(images + 1));
};

function changeMarkdown(row, map) {
  const closer = changes.closer[row];
  return markdownOf(`umask ${codeSpan(octal(changes.before[row]))} to `
    + codeSpan(octal(changes.after[row])), [
    ["Call", codeSpan(`${texts[changes.call[row]]}(${octal(changes.argument[row])})`), "by thread",
      codeSpan(threadText(changes.who[row])), `${offset(changes.time[row])} s`],
    siteOf(changes.stack[row]) && ["At", codeSpan(siteOf(changes.stack[row]))],
    closer >= 0 && ["Window", duration(changes.time[closer] - changes.time[row])],
    closer === kLeaked && ["Window", "never closed"],
  ], changeCommand(row), map);
}

function openNote(index) {
  const [, who, text] = data.notes[index];
  const time = noteTimes[index];
  const [pid, tid] = data.who[who];
  const command = commandOf("timeline", "--pid", String(pid), "--tid", String(tid), "--since",
    `${time}ns`);
  openStory(raw(texts[text]), "note of the program",
    {name: "this note", params: {n: index}, command: () => command,
     markdown: (map) => markdownOf(codeSpan(texts[text]), [
       ["Thread", codeSpan(threadText(who)), `${offset(time)} s`]], command, map)},
    h("dl", {class: "facts"}, whoFacts(who, time)));
}

function openChange(row) {
  const believed = changes.believed[row];
  const share = {name: "this mask change", params: {c: changes.id[row]},
                 command: () => changeCommand(row), markdown: (map) => changeMarkdown(row, map)};
  openStory(
    h("span", {class: "oct"}, octal(changes.before[row]), " → ",
      h("span", {class: maskClass(changes.after[row])}, octal(changes.after[row]))),
    `mask change ${number(changes.id[row])}`, share,
    h("dl", {class: "facts"},
      fact("Call", raw(`${texts[changes.call[row]]}(${octal(changes.argument[row])})`)),
      whoFacts(changes.who[row], changes.time[row]),
      fact("fs context", String(contextOf(changes.who[row])))),
    believed !== kNone && h("p", {class: "notice bad"}, "Somebody unseen had changed the mask: ",
      maskText(believed), " was set last, the kernel had ", maskText(changes.before[row]), "."),
    windowText(row),
    changes.opener[row] !== kNone && h("p", {}, "It closes the window that ",
      linkTo("this call", () => openChange(changes.opener[row])), " opened."),
    part("Where it was called", stackView(changes.stack[row])),
    createdUnder(row));
}
