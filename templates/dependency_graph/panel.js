// The list of components with its search, and the panel that tells about the selected one.

const byId = (id) => document.getElementById(id);
const list = byId("components");
const panel = byId("panel");
const CHUNK = 80;
const NEIGHBOURS = 12;
const PATHS = 6;
const PATH_END = 6; // of a long path, so many steps at either end
let found = order;

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
  return node;
}

const severityBadge = (rank, text) => make("span", { class: "badge " + BANDS[rank] }, text || LEVELS[rank]);
const risk = (hundredths) => (hundredths / 100).toFixed(1);

function fillList(text) {
  found = search(text);
  list.replaceChildren();
  byId("found").textContent = text.trim() ? plural(found.length, "component") + (found.length === 1 ? " matches" : " match") : plural(COUNT, "component") + ", the riskiest first";
  moreOfList();
}

function moreOfList() {
  const more = list.querySelector(".more");
  if (more) more.remove();
  const start = list.children.length;
  list.append(...found.slice(start, start + CHUNK).map(row));
  const left = found.length - list.children.length;
  if (left > 0) list.append(make("li", { class: "more" }, make("button", { type: "button", click: showMore }, "Show " + number(Math.min(CHUNK, left)) + " more of " + number(left))));
}

function showMore() {
  const next = list.children.length - 1;
  moreOfList();
  const button = list.children[next] && list.children[next].querySelector("button");
  if (button) button.focus();
}

function row(node) {
  const worst = worstOf(node);
  const button = make(
    "button",
    { type: "button", "data-node": node, click: () => select(node) },
    make("bdi", { class: "name" }, graph.names[node]),
    " ",
    make("bdi", { class: "version" }, graph.versions[node]),
    worst >= 0 ? make("span", { class: "badge " + BANDS[worst], "aria-label": vulnerabilityCount(node) + " vulnerabilities, worst " + LEVELS[worst] }, badgeOf(node)) : "",
  );
  if (node === state.selected) button.setAttribute("aria-current", "true");
  return make("li", {}, button);
}

function markInList() {
  for (const each of list.querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
  const button = list.querySelector('[data-node="' + state.selected + '"]');
  if (!button) return;
  button.setAttribute("aria-current", "true");
  const [box, frame] = [button.getBoundingClientRect(), list.getBoundingClientRect()];
  list.scrollTop += Math.min(0, box.top - frame.top) + Math.max(0, box.bottom - frame.bottom);
}

// A line of buttons, one for each component of the list.
function linksTo(nodes, most) {
  const sorted = [...nodes].sort((one, other) => graph.spread[other] - graph.spread[one] || one - other);
  const items = sorted.slice(0, most).map((node) => make("li", {}, linkTo(node)));
  if (sorted.length > most) {
    const more = make("li", {}, make("button", { type: "button", class: "text", click: () => more.replaceWith(...sorted.slice(most, most + 500).map((node) => make("li", {}, linkTo(node)))) }, number(sorted.length - most) + " more"));
    items.push(more);
  }
  return make("ul", { class: "neighbours" }, ...items);
}

function linkTo(node) {
  const worst = worstOf(node);
  return make("button", { type: "button", class: "text", click: () => select(node) },
    worst >= 0 ? make("i", { class: "dot fill-" + BANDS[worst], title: LEVELS[worst] }) : "",
    make("bdi", {}, labelOf(node)));
}

function meter(name, hundredths) {
  return make("div", { class: "meter-row" }, make("dt", {}, name), make("dd", {},
    make("meter", { min: 0, max: 10, value: risk(hundredths), "aria-label": name }), make("span", {}, risk(hundredths))));
}

function vulnerability([id, rank, exploited, note, page]) {
  const name = page ? make("a", { href: page, rel: "noreferrer noopener", target: "_blank" }, id) : make("bdi", {}, id);
  return make("li", {}, severityBadge(rank), " ", name, exploited ? " " : "", exploited ? make("span", { class: "badge kev" }, "Known exploited") : "", note ? make("p", {}, note) : "");
}

function pathLine(path, chosen) {
  const left = path.length - 2 * PATH_END;
  const steps = (left > 1 ? [...path.slice(0, PATH_END), ...path.slice(-PATH_END)] : path).map((node) => make("li", {}, linkTo(node)));
  if (left > 1) steps.splice(PATH_END, 0, make("li", { class: "soft" }, number(left) + " more"));
  const text = path.length === 1 ? "nothing needs it" : plural(path.length - 1, "step");
  const show = make("button", { type: "button", class: "show", "aria-pressed": String(chosen), click: () => showPath(path) }, chosen ? "Shown, " + text : "Show, " + text);
  return make("li", { class: chosen ? "chosen" : "" }, show, make("ol", { class: "path" }, ...steps));
}

function section(title, ...children) {
  return make("section", {}, make("h3", {}, title), ...children);
}

function fillPanel() {
  const node = state.selected;
  panel.scrollTop = 0;
  if (node === NONE) {
    panel.replaceChildren(...overview());
    return;
  }
  const flaws = vulnerabilitiesOf(node);
  const kind = graph.kinds[graph.kind[node]];
  const parts = [
    make("div", { class: "top" }, make("h2", {}, make("bdi", {}, graph.names[node]), " ", make("bdi", { class: "version" }, graph.versions[node])),
      make("button", { type: "button", class: "close", "aria-label": "Close", click: () => select(NONE) }, "×")),
    make("p", { class: "ref" }, kind ? make("span", {}, kind) : "", make("bdi", {}, graph.refs[node])),
    graph.advice[node] ? make("p", { class: "advice" }, graph.advice[node]) : "",
    make("dl", { class: "meters" }, meter("Its own risk", graph.direct[node]), meter("With what it needs", graph.spread[node])),
    graph.forecasts[node] === undefined ? "" : make("p", { class: "prediction" }, make("span", { class: "badge forecast" }, "Predicted"), " " + (graph.forecasts[node] / 10).toFixed(graph.forecasts[node] < 100 ? 1 : 0) + "% to receive a CVE within a year"),
    section(flaws.length ? plural(vulnerabilityCount(node), "vulnerability").replace(/ys$/, "ies") : "No vulnerability known here", make("ul", { class: "flaws" }, ...flaws.map(vulnerability)),
      graph.more[node] ? make("p", { class: "note" }, number(graph.more[node]) + " more are not on this page.") : ""),
    ...paths(node),
    ...neighbours(node, neededBy, "Needed by", false),
    ...neighbours(node, needs, "Needs", true),
  ];
  panel.replaceChildren(...parts.filter(Boolean));
}

function paths(node) {
  if (node === graph.root) return [make("p", { class: "note" }, "This is what the SBOM describes.")];
  const { shown, more } = pathsTo(node, PATHS);
  const key = state.path.join();
  const lines = shown.map((path) => pathLine(path, path.join() === key));
  const unstated = state.path.length > 1 && kindBetween(state.path[0], state.path[1]) === UNSTATED;
  return [section("How it gets in", unstated ? make("p", { class: "note" }, "The SBOM states no path from " + graph.names[graph.root] + "; this is where one begins.") : "",
    make("ul", { class: "paths" }, ...lines), more ? make("p", { class: "note" }, "and through " + plural(more, "other component")) : "")];
}

function neighbours(node, around, title, toTheRight) {
  const stated = around[node].filter((each) => kindBetween(...(toTheRight ? [node, each] : [each, node])) !== UNSTATED);
  if (!stated.length) return [];
  const all = countReached(node, around);
  const hiddenHere = hiddenNeighbours(node, toTheRight);
  const open = hiddenHere ? make("button", { type: "button", class: "open", click: () => openNeighbours(node, toTheRight) }, "Draw " + number(Math.min(hiddenHere, MOST_OPENED)) + (hiddenHere > MOST_OPENED ? " of " + number(hiddenHere) : "") + " not drawn yet") : "";
  return [section(title + " " + number(stated.length) + (all > stated.length ? " directly, " + number(all) + " in all" : ""), open, linksTo(stated, NEIGHBOURS))];
}

function overview() {
  const worst = graph.byRisk.slice(0, 8);
  return [
    make("h2", {}, "Where to look first"),
    worst.length ? make("ol", { class: "worst" }, ...worst.map((node) => make("li", {}, linkTo(node), make("span", { class: "soft" }, " " + risk(graph.direct[node])))))
      : make("p", {}, "No vulnerability is known here for any component. That is no proof that there is none."),
    make("h2", {}, "How to read it"),
    make("p", {}, "What needs a component stands left of it, what it needs right of it. The line under a name is its risk with that of everything it needs."),
    make("p", {}, "Click a component to see how it gets in; click +3 beside it, or double-click it, to draw what it needs. Drag to move, wheel or pinch to zoom."),
    make("p", {}, "Keys: / to search, arrows along the dependencies, Enter to open neighbours, + − 0 to zoom, Escape to clear."),
  ];
}
