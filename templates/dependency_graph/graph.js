// The graph: what the page was given, by position of the component, and questions about it.

const graph = JSON.parse(document.getElementById("data").textContent);
const LEVELS = ["Info", "Low", "Medium", "High", "Critical"];
const COUNT = graph.names.length;
const NONE = -1;
const UNSTATED = graph.edgeKinds.length - 1;

const needs = Array.from({ length: COUNT }, () => []);
const neededBy = Array.from({ length: COUNT }, () => []);
const kindOf = new Map();
for (let at = 0; at < graph.edges.length; at += 3) link(graph.edges[at], graph.edges[at + 1], graph.edges[at + 2]);
if (graph.root !== NONE) for (const top of graph.tops) link(graph.root, top, UNSTATED);

function link(source, target, kind) {
  needs[source].push(target);
  neededBy[target].push(source);
  if (kind) kindOf.set(source * COUNT + target, kind);
}

const kindBetween = (source, target) => kindOf.get(source * COUNT + target) || 0;
const vulnerabilitiesOf = (node) => graph.vulnerabilities[node] || [];
const vulnerabilityCount = (node) => vulnerabilitiesOf(node).length + (graph.more[node] || 0);
const worstOf = (node) => vulnerabilitiesOf(node).reduce((worst, each) => Math.max(worst, each[1]), NONE);
const isExploited = (node) => vulnerabilitiesOf(node).some((each) => each[2]);
const isRisky = (node) => node in graph.vulnerabilities || graph.direct[node] > 0;
const labelOf = (node) => (graph.names[node] + " " + graph.versions[node]).trim();
const forecastOf = (node) => (graph.forecasts[node] >= graph.forecastFloor ? Math.round(graph.forecasts[node] / 10) + "%" : "");
const number = (value) => value.toLocaleString("en");
const plural = (count, noun) => number(count) + " " + noun + (count === 1 ? "" : "s");

const order = graph.byRisk.concat(
  Array.from({ length: COUNT }, (_, node) => node)
    .filter((node) => !isRisky(node))
    .sort((one, other) => graph.spread[other] - graph.spread[one] || one - other),
);

function parentOf(node) {
  const parent = graph.parents[node];
  return parent === NONE && node !== graph.root ? graph.root : parent;
}

// A shortest path from the root, both ends included.
function pathTo(node) {
  const path = [node];
  while ((node = parentOf(node)) !== NONE) path.push(node);
  return path.reverse();
}

// One path through each component that needs the node directly, the shortest first, without going through the node.
function pathsTo(node, most) {
  const paths = [];
  for (const before of neededBy[node]) {
    const path = pathTo(before);
    if (!path.includes(node)) paths.push([...path, node]);
  }
  if (!paths.length) paths.push(pathTo(node));
  paths.sort((one, other) => one.length - other.length);
  return { shown: paths.slice(0, most), more: Math.max(0, paths.length - most) };
}

function countReached(node, neighbours) {
  const seen = new Set([node]);
  const waiting = [node];
  while (waiting.length) for (const next of neighbours[waiting.pop()]) if (!seen.has(next)) waiting.push(next), seen.add(next);
  return seen.size - 1;
}

let texts = null;

// Positions of the components whose name, version, reference or vulnerabilities hold every word, the riskiest first.
function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return order;
  texts = texts || graph.names.map((name, node) =>
    [name, graph.versions[node], graph.refs[node], ...vulnerabilitiesOf(node).map((each) => each[0])].join("\n").toLowerCase());
  const found = order.filter((node) => words.every((word) => texts[node].includes(word)));
  const exact = found.filter((node) => graph.names[node].toLowerCase() === text.trim().toLowerCase());
  return exact.length ? [...exact, ...found.filter((node) => !exact.includes(node))] : found;
}
