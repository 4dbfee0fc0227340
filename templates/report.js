"use strict";
(function () {
  const LEVELS = ["Info", "Low", "Medium", "High", "Critical"];
  const DECISIONS = ["Track", "Track*", "Attend", "Act"];
  const DECISION_STYLES = ["ssvc-track", "ssvc-track-closely", "ssvc-attend", "ssvc-act"];
  const CHUNK = 200;
  const PRINT_LIMIT = 2000;
  const OPEN_BY_ITSELF = 60;
  const HEADINGS = [
    ["Finding", "check"], ["Severity", "severity"], ["SSVC", "ssvc"], ["EPSS", "epss"], ["Applies", "probability"], ["Sources", ""], ["Fix", ""],
  ];

  const byId = (id) => document.getElementById(id);
  const parse = (id) => JSON.parse(byId(id).textContent);
  const named = (columns, row) => Object.fromEntries(columns.map((name, position) => [name, row[position]]));

  const index = parse("index");
  const findings = index.rows.map((row, number) => {
    const finding = named(index.columns, row);
    const [id, label, vendor, zone] = index.devices[finding.device];
    finding.number = number;
    finding.place = { id, vendor, zone };
    finding.text = [finding.check, finding.title, finding.aliases, finding.components, label].join("\n").toLowerCase();
    return finding;
  });
  let details = null;

  const sections = index.devices.map((_, number) => byId("device-" + number));
  const form = byId("filters");
  let shown = index.devices.map(() => []);
  let order = { by: "", down: true };

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== "" && child !== null));
    return node;
  }

  function link(address, text) {
    if (!/^https?:\/\//i.test(address)) return document.createTextNode(text);
    return make("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, text);
  }

  function percent(share) {
    if (share === null) return "–";
    const value = share * 100;
    if (value >= 99.5 && value < 100) return ">99%";
    if (value === 0 || value >= 10) return value.toFixed(0) + "%";
    return value < 0.005 ? "<0.01%" : value.toFixed(value < 1 ? 2 : 1) + "%";
  }

  // The filter, kept in the fragment of the address.

  function readFilter() {
    const data = new FormData(form);
    const words = (data.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const levels = new Set(data.getAll("severity").map((name) => LEVELS.indexOf(name)));
    const ssvc = new Set(data.getAll("ssvc").map((name) => DECISIONS.indexOf(name)));
    const text = (name) => data.get(name) || "";
    return {
      words, levels, ssvc, device: text("device"), vendor: text("vendor"), zone: text("zone"), stream: text("stream"),
      kev: data.has("kev"), review: data.has("review"), undecided: data.has("decided"),
    };
  }

  function passes(finding, filter) {
    return (!filter.levels.size || filter.levels.has(finding.severity))
      && (!filter.ssvc.size || filter.ssvc.has(finding.ssvc))
      && (!filter.kev || finding.kev > 0)
      && (!filter.review || finding.review === 1)
      && (!filter.undecided || finding.verdict === "")
      && (!filter.device || finding.place.id === filter.device)
      && (!filter.vendor || finding.place.vendor === filter.vendor)
      && (!filter.zone || finding.place.zone === filter.zone)
      && (!filter.stream || finding.stream === filter.stream)
      && filter.words.every((word) => finding.text.includes(word));
  }

  function toFragment() {
    const data = new FormData(form);
    const parts = new URLSearchParams();
    for (const name of ["q", "device", "vendor", "zone", "stream"]) if (data.get(name)) parts.set(name, data.get(name));
    for (const name of ["severity", "ssvc"]) if (data.getAll(name).length) parts.set(name, data.getAll(name).join(","));
    for (const name of ["kev", "review"]) if (data.has(name)) parts.set(name, "1");
    if (data.has("decided")) parts.set("decided", "0");
    return parts.toString();
  }

  function fromFragment() {
    const fragment = location.hash.slice(1);
    if (!fragment.includes("=")) return false;
    const parts = new URLSearchParams(fragment);
    for (const name of ["q", "device", "vendor", "zone", "stream"]) {
      if (form.elements[name]) form.elements[name].value = parts.get(name) || "";
    }
    for (const name of ["severity", "ssvc"]) {
      const chosen = (parts.get(name) || "").toLowerCase().split(",");
      for (const box of form.querySelectorAll("[name=" + name + "]")) box.checked = chosen.includes(box.value.toLowerCase());
    }
    for (const name of ["kev", "review"]) form.elements[name].checked = parts.get(name) === "1";
    form.elements.decided.checked = parts.get("decided") === "0";
    return true;
  }

  function apply() {
    const filter = readFilter();
    const filtered = toFragment() !== "";
    shown = index.devices.map(() => []);
    let count = 0;
    for (const finding of findings) {
      if (passes(finding, filter)) {
        shown[finding.device].push(finding);
        count += 1;
      }
    }
    const total = findings.length;
    let devices = 0;
    sections.forEach((section, number) => {
      const matching = shown[number].length;
      devices += matching ? 1 : 0;
      section.hidden = matching === 0;
      section.dataset.drawn = "";
      const note = section.querySelector(".matching");
      note.hidden = !filtered;
      note.textContent = matching.toLocaleString("en") + " shown";
      if (filtered && count <= OPEN_BY_ITSELF && matching) {
        section.open = true;
        draw(section, number);
      } else if (section.open) drawWhenSeen(section);
    });
    byId("none-shown").hidden = count > 0 || total === 0;
    byId("shown").textContent = count.toLocaleString("en") + " of " + total.toLocaleString("en")
      + (total === 1 ? " finding" : " findings") + " on " + devices.toLocaleString("en") + (devices === 1 ? " device" : " devices");
  }

  // Tables, drawn when a device is opened.

  function sorted(rows) {
    if (!order.by) return rows;
    const sign = order.down ? -1 : 1;
    const missing = -1;
    const value = (finding) => (order.by === "severity" ? finding.severity * 100 + (finding.score ?? 0) : finding[order.by] ?? missing);
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
    return [...rows].sort((a, b) => sign * compare(value(a), value(b)) || a.number - b.number);
  }

  function heading([label, column]) {
    if (!column) return make("th", { scope: "col" }, label);
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", () => sortBy(column));
    const direction = order.by === column ? (order.down ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", "aria-sort": direction }, button);
  }

  function sortBy(column) {
    order = { by: column, down: order.by === column ? !order.down : column !== "check" };
    sections.forEach((section) => {
      section.dataset.drawn = "";
      if (section.open) drawWhenSeen(section);
    });
  }

  // A hundred open devices cost nothing until they are scrolled to.
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && entry.target.open) draw(entry.target, Number(entry.target.id.slice("device-".length)));
    }
  }, { rootMargin: "300px" });

  function drawWhenSeen(section) {
    observer.unobserve(section);
    observer.observe(section);
  }

  function draw(section, number) {
    if (section.dataset.drawn) return;
    section.dataset.drawn = "yes";
    const rows = sorted(shown[number]);
    const body = make("tbody");
    const name = section.querySelector("strong").textContent;
    const table = make("table", { class: "findings" },
      make("caption", { class: "hidden" }, "Findings on " + name),
      make("thead", {}, make("tr", {}, ...HEADINGS.map(heading))), body);
    const holder = section.querySelector(".rows");
    holder.replaceChildren(table);
    let drawn = 0;
    const next = () => {
      body.append(...rows.slice(drawn, drawn + CHUNK).map(findingRow));
      drawn = Math.min(rows.length, drawn + CHUNK);
    };
    next();
    if (drawn === rows.length) return;
    const more = make("button", { type: "button", class: "more-rows" });
    const label = () => { more.textContent = "Show more: " + drawn.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " drawn"; };
    more.addEventListener("click", () => {
      next();
      label();
      if (drawn === rows.length) more.remove();
    });
    label();
    holder.append(more);
  }

  const badge = (kind, text) => make("span", { class: "badge " + kind }, text);

  function findingRow(finding) {
    const toggle = make("button", {
      type: "button", class: "toggle", "aria-expanded": "false", "aria-label": "Details of " + finding.check,
    }, "+");
    const flags = [];
    if (finding.kev) flags.push(" ", badge("kev", "Known exploited"));
    if (finding.kev > 1) flags.push(" ", badge("kev", "Ransomware"));
    if (finding.review) flags.push(" ", badge("review", "Needs review"));
    if (finding.verdict) flags.push(" ", badge("verdict", finding.verdict[0].toUpperCase() + finding.verdict.slice(1)));
    const cell = (label, ...children) => make("td", { "data-label": label }, ...children);
    const title = finding.title === finding.check ? "" : make("span", { class: "title" }, finding.title);
    const components = finding.components ? make("span", { class: "component" }, "in " + finding.components) : "";
    const name = finding.page ? link(finding.page, finding.check) : make("span", { class: "check" }, finding.check);
    const level = LEVELS[finding.severity];
    const row = make("tr", finding.verdict ? { class: "decided" } : {},
      make("th", { scope: "row", "data-label": "Finding" }, toggle, name, ...flags, title, components),
      cell("Severity", badge(level.toLowerCase(), level),
        finding.score === null ? "" : make("span", { class: "score" }, " " + finding.score.toFixed(1))),
      cell("SSVC", finding.ssvc < 0 ? "–" : badge(DECISION_STYLES[finding.ssvc], DECISIONS[finding.ssvc])),
      cell("EPSS", percent(finding.epss)),
      cell("Applies", percent(finding.probability)),
      cell("Sources", finding.sources || "–"),
      cell("Fix", finding.fix));
    toggle.addEventListener("click", () => {
      const opened = toggle.getAttribute("aria-expanded") === "true";
      toggle.setAttribute("aria-expanded", String(!opened));
      toggle.textContent = opened ? "+" : "–";
      if (opened) row.nextSibling.remove();
      else row.after(detailRow(finding));
    });
    return row;
  }

  // Details, parsed when the first row is opened.

  function block(title, ...children) {
    const content = children.filter(Boolean);
    return content.length ? [make("h4", {}, title), ...content] : [];
  }

  function list(items) {
    return items.length ? make("ul", {}, ...items.map((parts) => make("li", {}, ...[].concat(parts)))) : "";
  }

  function detailRow(finding) {
    details = details || parse("details");
    const row = named(details.columns, details.rows[finding.number]);
    const [body, citations, remediations, components, clinical] =
      [row.body, row.citations, row.remediations, row.components, row.clinical].map((position) => details.pool[position]);
    const paragraph = (text) => (text ? make("p", {}, text) : "");
    const wide = [
      ...decisionBlock(row.decision),
      ...block("What it is", paragraph(body.summary)),
      ...clinicalBlock(clinical),
    ];
    const columns = [
      block("Why it is thought to apply", list(citations.map(citation))),
      block("What to do", list(remediations.map(remediation)),
        paragraph(body.fixes.length ? "Fixed in: " + body.fixes.join(", ") : "")),
      block("Severity", paragraph(body.reason), list(body.cvss.map(cvss))),
      block(body.predicted.length ? "Predicted by " + body.predicted[0] + ", published by nobody" : "", list(body.predicted.slice(1))),
      block("Exploitation", list(exploitation(body))),
      block("Components", list(components.map(([label, name, supplier]) => [label, supplier ? ", " + supplier : "",
        name ? make("code", {}, " " + name) : ""]))),
      block("In the bill of materials", list(body.path)),
      block("References", list(body.references.map(([text, address]) => link(address, text)))),
      block("Identifiers", list(identifiers(body, row.identity))),
    ];
    const boxes = columns.filter((content) => content.length).map((content) => make("div", {}, ...content));
    const cell = make("td", { colspan: String(HEADINGS.length) }, ...wide, make("div", { class: "columns" }, ...boxes));
    return make("tr", { class: "detail" }, cell);
  }

  function clinicalBlock(clinical) {
    if (!clinical) return [];
    const scores = (clinical.scores || []).map(([where, version, score, vector]) =>
      ["CVSS " + version + " " + where + ": " + (score === null ? "no score" : score.toFixed(1)) + " ", make("code", {}, vector)]);
    const answers = clinical.answers.map(([gives, question, answer, origin]) =>
      [make("strong", {}, gives), (question ? " from " + question + " = " : ": ") + answer + (origin ? " (" + origin + ")" : "")]);
    return block("What it means for a patient",
      make("p", {}, clinical.hazard),
      make("p", {}, "SSVC: " + clinical.path + " ", make("code", {}, clinical.vector)),
      list(scores),
      make("details", {}, make("summary", {}, "What each figure rests on"), list(answers)));
  }

  function decisionBlock(decision) {
    if (!decision) return [];
    const [verdict, sink, reference, address, day, justification] = decision;
    const head = [verdict + (day ? ", " + day : "") + ", in " + sink + " ", link(address, reference)];
    return block("Decided by people", make("p", {}, ...head), justification ? make("p", {}, justification) : "");
  }

  function citation([source, document_, address, probability, reason]) {
    const name = make("strong", {}, address ? link(address, source) : source);
    const where = document_ && !address && document_ !== source ? " (" + document_ + ")" : "";
    return [name, where + ", " + percent(probability) + ": " + reason];
  }

  function remediation([category, text, url, address]) {
    return [make("strong", {}, category), ": " + text, ...(url ? [" ", link(address, url)] : [])];
  }

  function cvss([version, score, vector, scorer]) {
    return ["CVSS " + version + ": " + (score === null ? "no score" : score.toFixed(1)) + ", by " + scorer + " ", make("code", {}, vector)];
  }

  function exploitation({ kev, epss, threats }) {
    const lines = [];
    if (kev) {
      const [added, due, action, ransomware] = kev;
      lines.push("Known exploited since " + added + (due ? ", due " + due : "") + (ransomware ? ", used by ransomware" : ""));
      if (action) lines.push(action);
    }
    if (epss) lines.push("EPSS " + percent(epss[0]) + " within 30 days, higher than " + percent(epss[1]) + " of all, as of " + epss[2]);
    if (epss && epss[3]) lines.push(epss[3]);
    lines.push(...threats);
    return lines;
  }

  function identifiers(body, identity) {
    const cwes = body.cwes.map((number) => link("https://cwe.mitre.org/data/definitions/" + number + ".html", "CWE-" + number));
    const others = body.aliases.length ? [body.aliases.join(", ")] : [];
    const tags = body.tags.length ? ["Tags: " + body.tags.join(", ")] : [];
    return [...others, ...cwes, ...tags, make("code", {}, identity)];
  }

  // Start.

  function setAll(open) {
    for (const section of sections) section.open = open && !section.hidden;
  }

  let timer = 0;
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      history.replaceState(null, "", "#" + toFragment());
      apply();
    }, 120);
  }

  sections.forEach((section) => section.addEventListener("toggle", () => {
    if (section.open) drawWhenSeen(section);
  }));
  form.addEventListener("input", changed);
  form.addEventListener("reset", () => setTimeout(changed));
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("open-all").addEventListener("click", () => setAll(true));
  byId("close-all").addEventListener("click", () => setAll(false));
  addEventListener("hashchange", () => {
    if (fromFragment()) {
      apply();
      byId("findings").scrollIntoView();
      byId("findings").focus({ preventScroll: true });
    }
  });
  addEventListener("beforeprint", () => {
    if (shown.reduce((sum, rows) => sum + Math.min(rows.length, CHUNK), 0) > PRINT_LIMIT) return;
    setAll(true);
    sections.forEach((section, number) => section.open && draw(section, number));
  });

  form.hidden = findings.length === 0;
  if (fromFragment()) setTimeout(() => byId("findings").scrollIntoView({ behavior: "instant" }));
  apply();
})();
