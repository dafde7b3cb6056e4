// The list of findings: which are shown, by severity, rule and directory, and how many are not.
// Must never hide a finding without counting it. Called by main, by stories and by the address.

const kCardsAtOnce = 20;

const shownSeverities = new Set(kSeverities);
let shownRule = "";  // id; empty: all
let cardsShown = kCardsAtOnce;

const kRuleBits = new Map(rules.map((rule, i) => [rule.id, 1 << i]));

// Whether a finding hit something in the chosen directory. Where the page has only some of its
// objects as examples, those that its rule names decide: rather one finding too many.
function isInside(finding) {
  if (query.dir === "") return true;
  const under = ({event, path}) => (event[4] === kNone ? path.startsWith(query.dir)
    : query.inside[objects.directory[event[4]]] === 1);
  if (finding.victims.some(under)) return true;
  if (finding.count <= finding.victims.length) return false;
  const bit = kRuleBits.get(rules[finding.rule].id);
  for (let i = 0; i < objects.count; ++i)
    if ((objects.rules[i] & bit) !== 0 && query.inside[objects.directory[i]] === 1) return true;
  return false;
}

function isShown(index) {
  const finding = data.findings[index];
  return shownSeverities.has(severityOf(index))
    && (shownRule === "" || rules[finding.rule].id === shownRule) && isInside(finding);
}

const findingNumbers = data.findings.map((_, i) => i);
const shownFindings = () => findingNumbers.filter(isShown);

// "3 findings", and of one cause that has several cards "1 finding, 2 cards".
function countText(shown) {
  const all = causesIn(findingNumbers), some = causesIn(shown);
  const cards = some === shown.length ? "" : `, ${counted(shown.length, "card")}`;
  const hidden = findingNumbers.length - shown.length;
  if (hidden === 0) return counted(all, "finding") + cards;
  const by = [shownSeverities.size < kSeverities.length && "severity", shownRule && "rule",
              query.dir && "directory"].filter(Boolean).join(", ");
  const what = some === all ? counted(hidden, "card") : number(all - some);
  return `${number(some)} of ${counted(all, "finding")}${cards}; ${what} hidden by ${by}`;
}

function drawCards() {
  const list = byId("cards");
  if (!list) return;
  const some = shownFindings();
  const left = some.length - cardsShown;
  list.replaceChildren(...some.slice(0, cardsShown).map((i) => card(data.findings[i], i)));
  if (some.length === 0) add(list, h("p", {class: "quiet"}, "No finding is as chosen."));
  if (left > 0)
    add(list, h("button", {type: "button", class: "button", onclick: () => {
      cardsShown += kCardsAtOnce;
      drawCards();
    }}, `Show ${Math.min(left, kCardsAtOnce)} more of ${number(left)}`));
  byId("finding-count").textContent = countText(some);
  byId("reset-findings").hidden = some.length === data.findings.length;
  for (const box of byId("severities").querySelectorAll("input"))
    box.checked = shownSeverities.has(box.value);
  byId("finding-rule").value = shownRule;
}

function severityAddress() {
  const some = kSeverities.filter((severity) => shownSeverities.has(severity));
  return {severity: some.length === kSeverities.length ? null : some.join(",") || "none"};
}

// Brings a card to the screen, whatever is chosen.
function showFinding(index) {
  const finding = data.findings[index];
  if (!isShown(index)) {
    shownSeverities.add(severityOf(index));
    if (shownRule !== rules[finding.rule].id) shownRule = "";
    if (!isInside(finding)) setDirectory("");
    visit({...severityAddress(), rule: shownRule, dir: query.dir});
  }
  const place = shownFindings().indexOf(index);
  cardsShown = Math.max(cardsShown, place + 1);
  drawCards();
  const shown = byId(`finding-${index}`);
  shown.scrollIntoView({block: "start"});
  shown.focus({preventScroll: true});
}

function resetFindings() {
  for (const severity of kSeverities) shownSeverities.add(severity);
  shownRule = "";
  setDirectory("");
  visit({...severityAddress(), rule: null, dir: null}, true);
}

function severityChoice(counts) {
  return h("fieldset", {class: "chips", id: "severities"},
    h("legend", {class: "unseen"}, "Severities"),
    kSeverities.filter((severity) => counts[severity] > 0).map((severity) => h("label", {},
      h("input", {type: "checkbox", value: severity, checked: true, onchange: (event) => {
        if (event.target.checked) shownSeverities.add(severity);
        else shownSeverities.delete(severity);
        drawCards();
        visit(severityAddress());
      }}), h("span", {}, counted(counts[severity], severity)))));
}

function ruleChoice() {
  const counts = new Map();
  for (const i of findingNumbers.filter((one) => causeOf(one) === one)) {
    const {id} = rules[data.findings[i].rule];
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return h("label", {class: "field"}, h("span", {}, "Rule"),
    h("select", {id: "finding-rule", onchange: (event) => {
      shownRule = event.target.value;
      drawCards();
      visit({rule: shownRule}, true);
    }}, h("option", {value: ""}, "all"),
      [...counts].sort((a, b) => b[1] - a[1]).map(([id, count]) => h("option", {value: id},
        `${id} (${number(count)})`))));
}

function renderFindings() {
  const section = byId("findings");
  add(section, sectionTitle("findings-title", "Findings"));
  if (data.findings.length === 0) {
    add(section, h("p", {class: "card quiet"}, "The rules found nothing wrong in this run."));
  } else {
    add(section, h("div", {class: "toolbar fields filters"}, severityChoice(severityCounts()),
      ruleChoice(), directoryChoice()),
    h("div", {class: "toolbar counts"}, h("span", {id: "finding-count", role: "status"}),
      h("button", {type: "button", class: "link", id: "reset-findings", hidden: true,
                   onclick: resetFindings}, "Show all findings")),
    h("div", {id: "cards"}));
    drawCards();
  }
  const left = data.totals.findings - data.findings.length;
  if (left > 0)
    add(section, h("p", {class: "notice"}, `${number(left)} more findings are not on this page; `
      + "umaskaudit check lists all."));
  if (data.unresolved > 0)
    add(section, h("p", {class: "notice"}, `${counted(data.unresolved, "more object")} may `
      + "have been hit: the record does not decide."));
}

addressed.push({keys: ["severity", "rule"], apply: (next, remark) => {
  const wanted = next.has("severity") ? next.get("severity").split(",") : kSeverities;
  const unknown = wanted.filter((one) => !kSeverities.includes(one) && one !== "none");
  if (unknown.length > 0) remark(`no severity is called '${unknown.join(", ")}'`);
  shownSeverities.clear();
  for (const one of unknown.length > 0 ? kSeverities : wanted) shownSeverities.add(one);
  shownSeverities.delete("none");
  shownRule = next.get("rule") ?? "";
  if (shownRule !== "" && !data.findings.some(({rule}) => rules[rule].id === shownRule)) {
    remark(`no finding of rule '${shownRule}' is on this page`);
    shownRule = "";
    address.delete("rule");
  }
  drawCards();
}});
addressed.push({keys: ["f"], apply: (next, remark) => {
  if (!next.has("f")) return;
  const index = findingKeys.indexOf(next.get("f"));
  if (index >= 0) showFinding(index);
  else remark(`finding '${next.get("f")}' is not on this page`);
}});
