// Findings as cards: the culprit and the victim side by side, the window, the objects hit, what to
// do instead. Must never soften or sharpen what the rule says. Called by finding_list.js.

// By number of a finding: the earlier one that has the same cause.
const sameCauses = new Map(data.same_causes);
const causeOf = (index) => sameCauses.get(index) ?? index;
// Each finding has a card. What is counted, here and in the text report, are causes.
const causesIn = (indexes) => new Set(indexes.map(causeOf)).size;
// That of the cause: its worst.
const severityOf = (index) => data.findings[causeOf(index)].severity;

function causeNote(index) {
  const others = [...sameCauses.values()].filter((first) => first === index).length;
  const cards = `${others === 1 ? "which" : "each of which"} has a card of its own`;
  if (others > 0)
    return h("p", {class: "quiet cause"},
      `The same call hit ${counted(others, "other function")}, ${cards}.`);
  const first = sameCauses.get(index);
  return first !== undefined && h("p", {class: "quiet cause"}, "The same call as in ",
    linkTo("an earlier finding", () => showFinding(first)), ": it is mended in one place.");
}

// "umask 0022 → 0000 by thread 'setter'", with the stack below.
function side(role, event, what, began) {
  const [time, who, stack, call, object, id] = event;
  const change = id === 0 ? kNone : changeOf(id);
  return h("section", {class: `side ${role.toLowerCase()}`},
    h("h4", {}, role),
    h("p", {class: "side-what"}, raw(texts[call]), " ", what || (change !== kNone
      && [maskText(changes.before[change]), " → ", maskText(changes.after[change])])),
    h("p", {class: "side-who"}, threadLink(who), " at ", moment(time)),
    began && h("p", {class: "quiet"}, "The call began before that umask returned, and returned at ",
      "the time that is shown."),
    stackView(stack),
    object !== kNone && linkTo("Show details", () => openObject(object)),
    change !== kNone && linkTo("Show details", () => openChange(change)));
}

function birth(title, event) {
  if (!event) return null;
  return h("details", {class: "birth"},
    h("summary", {}, `Where the ${title} thread was created`),
    h("p", {class: "side-who"}, "by ", raw(threadText(event[1])), " at ", moment(event[0])),
    stackView(event[2]));
}

// The window to scale, with the examples in it.
function ruler(finding) {
  const window = finding.window;
  if (!window) return null;
  const length = window.end - window.begin;
  const masks = window.before !== window.inside;  // else it is a window of another kind
  const strip = h("div", {class: `ruler-strip ${finding.victims.length > 0 ? "hit" : ""}`,
                          "aria-hidden": "true"},
    masks && h("span", {class: "ruler-mask"}, octal(window.inside)));
  for (const victim of finding.victims) {
    const at = (victim.event[0] - window.begin) / length;
    if (!(at >= 0 && at <= 1)) continue;
    const mark = h("span", {class: "ruler-mark"});
    mark.style.left = `${at * 100}%`;
    strip.append(mark);
  }
  const several = window.count > 1 && `; ${number(window.count)} windows, `
    + `${duration(window.shortest)} to ${duration(window.longest)}`;
  return h("div", {class: "ruler"},
    h("p", {}, h("b", {}, `Window of ${duration(length)}`),
      window.open && ", until the end of the run", several, " ",
      lanes.length > 0 && linkTo("Show in the timeline", () => showWindow(window))),
    length > 0 && h("div", {class: "ruler-row"},
      masks && h("span", {class: "oct"}, octal(window.before)), strip,
      masks && h("span", {class: "oct"}, window.open ? "…" : octal(window.before))));
}

function victimRow(victim, processes) {
  const object = victim.event?.[4] ?? -1;
  const path = object === kNone ? raw(victim.path)
    : linkTo(raw(victim.path), () => openObject(object));
  const changed = victim.mode !== victim.expected;
  return h("tr", {},
    h("td", {class: "num"}, processes ? maskText(victim.mask) : modeText(victim.mode)),
    h("td", {class: "oct num"}, processes ? octal(victim.expected_mask)
      : changed ? octal(victim.expected) : "same"),
    h("td", {class: "path-cell"}, path),
    h("td", {class: "quiet"}, processes ? "" : [
      `${victim.kind}, asked ${octal(victim.requested)}, mask ${octal(victim.mask)}`,
      victim.mask !== victim.expected_mask && ` not ${octal(victim.expected_mask)}`,
      victim.ambiguous && "; the umask changed during the call"]));
}

function victimTable(finding) {
  const victims = finding.victims.filter((victim) => victim.path !== "");
  if (victims.length === 0) return null;
  const processes = rules[finding.rule].id === "exec-in-window";
  const noun = processes ? ["process", "processes"] : ["object", "objects"];
  const first = finding.count > victims.length && `, the first ${victims.length}:`;
  return h("div", {class: "victims"},
    h("h4", {}, counted(finding.count, ...noun), first),
    h("table", {class: "list"},
      h("thead", {class: "unseen"}, h("tr", {}, ["mode", "expected", "path", "why"].map(
        (name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, victims.map((victim) => victimRow(victim, processes)))));
}

function sides(finding) {
  const victim = finding.victims[0], culprit = finding.culprit, window = finding.window;
  const alone = victim?.event && culprit && victim.event.join() === culprit.join();
  const views = [];
  if (culprit && !alone && finding.story.length === 0) {
    const masks = window && texts[culprit[3]] === "umask"
      && [maskText(window.before), " → ", maskText(window.inside)];
    views.push(side("Culprit", culprit, masks));
  }
  if (victim?.event) views.push(side(alone ? "Created" : "Victim", victim.event, raw(victim.path),
    victim.began_before));
  if (views.length === 1) views[0].classList.add("alone");
  return views.length > 0 && h("div", {class: "sides"}, views);
}

function storyList(finding) {
  if (finding.story.length === 0) return null;
  return h("ol", {class: "story-steps"}, finding.story.map((one) => h("li", {},
    h("p", {}, h("b", {}, raw(threadText(one.event[1]))), " ", raw(one.text), " ",
      moment(one.event[0])),
    stackView(one.event[2]))));
}

// A finding's name in the address: its fingerprint, and which one of those that share it.
const findingKeys = (() => {
  const seen = new Map();
  return data.findings.map(({fingerprint}) => {
    const count = (seen.get(fingerprint) ?? 0) + 1;
    seen.set(fingerprint, count);
    return count === 1 ? fingerprint : `${fingerprint}.${count}`;
  });
})();

function findingMarkdown(finding, map) {
  const rule = rules[finding.rule], {culprit, window} = finding, victim = finding.victims[0];
  const by = ([time, who, stack, call]) => [codeSpan(texts[call]), "by thread",
    codeSpan(threadText(who)), siteOf(stack) && `at ${codeSpan(siteOf(stack))}`,
    `${offset(time)} s`];
  return markdownOf(`${finding.severity}: ${rule.id}${rule.cwe ? ` (CWE-${rule.cwe})` : ""}`, [
    ["What", codeSpan(finding.message)],
    culprit && ["Culprit", ...by(culprit)],
    window && window.before !== window.inside && ["Window", codeSpan(`${octal(window.before)} -> ${
      octal(window.inside)}`), `for ${duration(window.end - window.begin)}`],
    victim && victim.path !== "" && ["Victim", codeSpan(victim.path),
      ...(victim.event ? by(victim.event) : ["by something that could not be recorded"]),
      `mode ${codeSpan(octal(victim.mode))}`, victim.mode !== victim.expected
      && `instead of ${codeSpan(octal(victim.expected))}`],
    finding.count > 1 && ["Count", number(finding.count)],
    finding.places > 1 && ["Places in the code", number(finding.places)],
    ["Fingerprint", codeSpan(finding.fingerprint)],
  ], commandOf("check", "--rule", rule.id), map);
}

function card(finding, index) {
  const rule = rules[finding.rule];
  const sameStack = finding.end && finding.culprit && finding.end[2] === finding.culprit[2];
  return h("article", {class: `card finding ${finding.severity}`, id: `finding-${index}`,
                       tabindex: "-1", "aria-labelledby": `finding-${index}-title`},
    h("header", {},
      h("p", {class: "finding-tags"},
        h("span", {class: `severity ${finding.severity}`}, finding.severity),
        h("span", {class: "rule-id"}, rule.id),
        rule.cwe !== 0 && h("span", {class: "quiet"}, `CWE-${rule.cwe}`)),
      h("h3", {id: `finding-${index}-title`}, rule.title),
      h("p", {class: "message"}, raw(finding.message))),
    shareBar({name: "this finding", params: {f: findingKeys[index]},
              command: () => commandOf("check", "--rule", rule.id),
              markdown: (map) => findingMarkdown(finding, map)}),
    sides(finding),
    causeNote(index),
    finding.places > 1 && h("p", {class: "quiet places"}, `The same happened at ${
      number(finding.places)} places in the code; the first one is shown.`),
    storyList(finding),
    ruler(finding),
    victimTable(finding),
    h("div", {class: "advice"},
      h("div", {}, h("h4", {}, "Why it matters"), h("p", {}, rule.explanation)),
      h("div", {}, h("h4", {}, "What to do instead"),
        h("p", {}, finding.advice ?? rule.advice))),
    birth("culprit's", finding.culprit_born),
    birth("victim's", finding.victim_born),
    finding.end && !sameStack && h("details", {class: "birth"},
      h("summary", {}, "Where it ended: ", raw(texts[finding.end[3]])),
      h("p", {class: "side-who"}, raw(threadText(finding.end[1])), " at ", moment(finding.end[0])),
      stackView(finding.end[2])),
    h("p", {class: "fingerprint"}, "fingerprint ", h("code", {}, finding.fingerprint)));
}

