// The drawing on the canvas: camera, boxes, edges, and what lies under the pointer.

const canvas = document.getElementById("graph");
const pen = canvas.getContext("2d");
const FONT = 'Arial, "Liberation Sans", Helvetica, sans-serif';
const NAME = "12.5px " + FONT;
const BOLD_NAME = "600 12.5px " + FONT;
const VERSION = "11.5px " + FONT;
const PILL = "700 11px " + FONT;
const SMALL = "11px " + FONT;
const READABLE = 0.42; // below this scale there is no text
const SCALES = [0.02, 3];
const BANDS = ["info", "low", "medium", "high", "critical"];
const DASHES = { contains: [14, 3], optional: [7, 4], development: [2, 3], unstated: [1, 5] };
const MOST_SMALL_LINKS = 2000; // of more, only those that matter are drawn below that scale
const FADED = 0.32;
const SMALLEST_PATH = 0.45; // scale at which a path is still shown as a whole

const still = matchMedia("(prefers-reduced-motion: reduce)");
const camera = { x: 0, y: 0, scale: 1 };
const size = { width: 1, height: 1 };
const state = { selected: NONE, hovered: NONE, path: [], before: new Map(), around: null };
let colours = {};
let asked = false;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["card", "ink", "soft", "line", "quiet", "accent", "edge", "way", "kev", ...BANDS, ...BANDS.map((band) => band + "-ink")];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
  redraw();
}

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function resize() {
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  size.width = Math.max(1, box.width);
  size.height = Math.max(1, box.height);
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  redraw();
}

function fit(least) {
  const { left, top, right, bottom } = extent();
  const margin = 28;
  const wanted = Math.min((size.width - 2 * margin) / (right - left), (size.height - 2 * margin) / (bottom - top), 1.1);
  camera.scale = Math.max(wanted, least || SCALES[0]);
  const [across, down] = [size.width / camera.scale, size.height / camera.scale];
  camera.x = right - left < across ? left - (across - (right - left)) / 2 : left - margin / camera.scale;
  camera.y = (top + bottom - down) / 2;
  redraw();
}

function zoom(factor, x = size.width / 2, y = size.height / 2) {
  const scale = Math.min(SCALES[1], Math.max(SCALES[0], camera.scale * factor));
  camera.x += x / camera.scale - x / scale;
  camera.y += y / camera.scale - y / scale;
  camera.scale = scale;
  redraw();
}

// Move as little as it takes to have the component, and if it fits in a readable size its path, inside the window.
function bringIntoView(node, path) {
  const [around, alone] = [path, [node]].map((nodes) => boundsOf(nodes));
  const fits = Math.min(size.width / (around.right - around.left), size.height / (around.bottom - around.top));
  const bounds = fits >= SMALLEST_PATH ? around : alone;
  const scale = bounds === around ? Math.min(Math.max(camera.scale, 0.7), fits) : Math.max(camera.scale, 0.7);
  if (scale !== camera.scale) zoom(scale / camera.scale);
  const [across, down] = [size.width / scale, size.height / scale];
  glide(
    Math.min(bounds.left, Math.max(camera.x, bounds.right - across)),
    Math.min(bounds.top, Math.max(camera.y, bounds.bottom - down)),
  );
}

function boundsOf(nodes) {
  const boxes = nodes.map(boxOf);
  const margin = 50;
  return {
    left: Math.min(...boxes.map((box) => box.left)) - margin, right: Math.max(...boxes.map((box) => box.left + box.width)) + margin,
    top: Math.min(...boxes.map((box) => box.middle)) - margin, bottom: Math.max(...boxes.map((box) => box.middle)) + margin,
  };
}

let gliding = 0;

function glide(x, y) {
  cancelAnimationFrame(gliding);
  if (still.matches) {
    [camera.x, camera.y] = [x, y];
    redraw();
    return;
  }
  const [startX, startY, begun] = [camera.x, camera.y, performance.now()];
  const step = (now) => {
    const share = Math.min(1, Math.max(0, (now - begun) / 220));
    const eased = 1 - (1 - share) ** 3;
    camera.x = startX + (x - startX) * eased;
    camera.y = startY + (y - startY) * eased;
    draw();
    if (share < 1) gliding = requestAnimationFrame(step);
  };
  gliding = requestAnimationFrame(step);
}

function boxOf(node) {
  const item = placed.get(node);
  const column = columns.get(item.layer);
  return { left: column.x, middle: item.y, width: column.width };
}

// What is drawn bright while a component is selected: its path, and its neighbours.
function spotlight() {
  state.before = new Map(state.path.map((node, at) => [node, at ? state.path[at - 1] : NONE]));
  state.around = null;
  if (state.selected === NONE) return;
  state.around = new Set([...state.path, ...needs[state.selected], ...neededBy[state.selected]]);
}

function draw() {
  const ratio = canvas.width / size.width;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, size.width, size.height);
  pen.setTransform(ratio * camera.scale, 0, 0, ratio * camera.scale, -camera.x * camera.scale * ratio, -camera.y * camera.scale * ratio);
  const seen = { left: camera.x, top: camera.y, right: camera.x + size.width / camera.scale, bottom: camera.y + size.height / camera.scale };
  drawLinks(seen);
  for (const [layer, column] of columns) {
    if (column.x > seen.right + 60 || column.x + column.width < seen.left - 60) continue;
    let at = firstBelow(column.items, seen.top - BOX);
    for (; at < column.items.length && column.items[at].y < seen.bottom + BOX; at++) {
      const item = column.items[at];
      if (item.node !== NONE) drawBox(item, column, layer);
    }
  }
  pen.globalAlpha = 1;
}

function firstBelow(items, y) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].y < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Edges are stroked in groups of one look: thin, on the way to a vulnerable component, on the highlighted path.
function drawLinks(seen) {
  const groups = new Map();
  const sparse = camera.scale < READABLE && links.length > MOST_SMALL_LINKS;
  for (const each of links) {
    const top = Math.min(each.start.y, each.end.y, ...each.between.map((lane) => lane.y));
    const bottom = Math.max(each.start.y, each.end.y, ...each.between.map((lane) => lane.y));
    const [one, other] = [columns.get(each.start.layer), columns.get(each.end.layer)];
    if (sparse && lookOf(each) === 0) continue;
    if (bottom < seen.top || top > seen.bottom || Math.min(one.x, other.x) > seen.right) continue;
    if (Math.max(one.x + one.width, other.x + other.width) < seen.left) continue;
    const look = lookOf(each) * graph.edgeKinds.length + each.kind;
    if (!groups.has(look)) groups.set(look, []);
    groups.get(look).push(each);
  }
  for (const look of [...groups.keys()].sort((one, other) => one - other)) {
    const [level, kind] = [Math.floor(look / graph.edgeKinds.length), graph.edgeKinds[look % graph.edgeKinds.length]];
    pen.beginPath();
    for (const each of groups.get(look)) trace(each);
    pen.globalAlpha = state.around && level < 2 ? FADED : 1;
    pen.strokeStyle = [colours.edge, colours.way, colours.soft, colours.accent][level];
    pen.lineWidth = Math.max([1.2, 1.6, 1.8, 3][level], 0.5 / camera.scale);
    pen.setLineDash(camera.scale > READABLE && level < 3 ? DASHES[kind] || [] : []);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function lookOf({ source, target }) {
  if (state.before.get(target) === source) return 3;
  if (state.selected !== NONE && (source === state.selected || target === state.selected)) return 2;
  return onTheWay.has(target) && parentOf(target) === source ? 1 : 0;
}

// Components on the shortest path to a vulnerable one.
const onTheWay = new Set();
for (let node of graph.byRisk) for (; node !== NONE && !onTheWay.has(node); node = parentOf(node)) onTheWay.add(node);

function trace({ start, end, between }) {
  const [one, other] = [columns.get(start.layer), columns.get(end.layer)];
  let [x, y] = [one.x + one.width, start.y];
  pen.moveTo(x, y);
  if (start.layer >= end.layer) {
    const bend = 40 + Math.abs(end.y - y) / 8;
    pen.bezierCurveTo(x + bend, y, other.x - bend, end.y, other.x, end.y);
    return;
  }
  if (camera.scale < READABLE / 2 && !between.length) {
    pen.lineTo(other.x, end.y);
    return;
  }
  for (const lane of between) {
    const column = columns.get(lane.layer);
    curve(x, y, column.x, lane.y);
    x = column.x + column.width;
    y = lane.y;
    pen.lineTo(x, y);
  }
  curve(x, y, other.x, end.y);
}

function curve(x, y, endX, endY) {
  const middle = (x + endX) / 2;
  pen.bezierCurveTo(middle, y, middle, endY, endX, endY);
}

function drawBox(item, column) {
  const { node } = item;
  const [left, top, width] = [column.x, item.y - BOX / 2, column.width];
  const worst = worstOf(node);
  pen.globalAlpha = state.around && !state.around.has(node) ? FADED : 1;
  if (camera.scale < READABLE) {
    pen.fillStyle = worst >= 0 ? colours[BANDS[worst]] : node === graph.root ? colours.ink : colours.edge;
    pen.fillRect(left, top, width, BOX);
    if (node === state.selected || node === state.hovered) outline(left, top, width, node);
    return;
  }
  pen.fillStyle = node === graph.root ? colours.quiet : colours.card;
  pen.beginPath();
  pen.roundRect(left + 0.5, top + 0.5, width - 1, BOX - 1, 5);
  pen.fill();
  pen.save();
  pen.clip();
  if (worst >= 0) {
    pen.fillStyle = colours[BANDS[worst]];
    pen.fillRect(left, top, 5, BOX);
  }
  if (graph.spread[node]) {
    pen.fillStyle = colours.way;
    pen.fillRect(left + 5, top + BOX - 2.5, ((width - 10) * graph.spread[node]) / 1000, 2);
  }
  drawText(node, left, top, width);
  pen.restore();
  pen.beginPath();
  pen.roundRect(left + 0.5, top + 0.5, width - 1, BOX - 1, 5);
  pen.strokeStyle = node === graph.root ? colours.ink : colours.edge;
  pen.lineWidth = node === graph.root ? 1.5 : 1;
  pen.stroke();
  if (node === state.selected || node === state.hovered || state.before.has(node)) outline(left, top, width, node);
  drawKnobs(node, left, item.y, width);
}

function outline(left, top, width, node) {
  pen.beginPath();
  pen.roundRect(left, top, width, BOX, 5);
  pen.strokeStyle = node === state.hovered && node !== state.selected && !state.before.has(node) ? colours.soft : colours.accent;
  pen.lineWidth = node === state.selected ? 3 : 1.75;
  if (camera.scale < READABLE) pen.lineWidth = 3 / camera.scale;
  pen.stroke();
}

const badgeOf = (node) => (worstOf(node) >= 0 ? LEVELS[worstOf(node)][0] + " " + vulnerabilityCount(node) : "");

function drawText(node, left, top, width) {
  let right = left + width - 6;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  const [badge, forecast, middle] = [badgeOf(node), forecastOf(node), top + BOX / 2 + 0.5];
  if (badge) {
    const room = measure(badge, PILL) + 12;
    pen.fillStyle = colours[BANDS[worstOf(node)]];
    pen.beginPath();
    pen.roundRect(right - room, top + 5, room, 16, 8);
    pen.fill();
    pen.fillStyle = colours[BANDS[worstOf(node)] + "-ink"];
    pen.font = PILL;
    pen.fillText(badge, right - room / 2, middle);
    right -= room + 6;
  }
  if (isExploited(node)) {
    pen.fillStyle = colours.kev;
    pen.beginPath();
    for (const [x, y] of [[-5.5, -5.5], [0, 0], [-5.5, 5.5], [-11, 0]]) pen.lineTo(right + x, middle - 0.5 + y);
    pen.fill();
    right -= 16;
  }
  if (forecast) {
    const room = measure(forecast, SMALL) + 12;
    pen.strokeStyle = pen.fillStyle = colours.soft;
    pen.lineWidth = 1;
    pen.setLineDash([3, 2]);
    pen.beginPath();
    pen.roundRect(right - room, top + 5, room, 16, 8);
    pen.stroke();
    pen.setLineDash([]);
    pen.font = SMALL;
    pen.fillText(forecast, right - room / 2, middle);
    right -= room + 6;
  }
  const [name, version, at] = labelFor(node, right - left - 16);
  pen.textAlign = "left";
  pen.font = nameFont(node);
  pen.fillStyle = colours.ink;
  pen.fillText(name, left + 12, middle);
  pen.font = VERSION;
  pen.fillStyle = colours.soft;
  pen.fillText(version, left + 12 + at, middle);
}

const nameFont = (node) => (worstOf(node) >= 0 || node === graph.root ? BOLD_NAME : NAME);
const widths = new Map();

function measure(text, font) {
  const key = font + text;
  if (!widths.has(key)) {
    pen.font = font;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

function shorten(text, font, room) {
  if (measure(text, font) <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    pen.font = font;
    if (pen.measureText(text.slice(0, middle) + "…").width <= room) low = middle;
    else high = middle - 1;
  }
  return low ? text.slice(0, low).trimEnd() + "…" : "";
}

const labels = new Map();

function labelFor(node, room) {
  const known = labels.get(node);
  if (known && known.room === room) return known.label;
  const version = graph.versions[node] ? shorten(graph.versions[node], VERSION, room * 0.45) : "";
  const name = shorten(graph.names[node], nameFont(node), room - (version ? measure(version, VERSION) + 6 : 0));
  const label = [name, version, measure(name, nameFont(node)) + 6];
  labels.set(node, { room, label });
  return label;
}

function widthWanted(node) {
  const pills = [[badgeOf(node), PILL], [forecastOf(node), SMALL]].filter(([text]) => text);
  const marks = pills.reduce((sum, [text, font]) => sum + measure(text, font) + 18, isExploited(node) ? 16 : 0);
  return measure(graph.names[node], nameFont(node)) + measure(graph.versions[node], VERSION) + 6 + marks + 22;
}

// How many neighbours are not drawn: at the right what it needs, at the left, on demand, what needs it.
function drawKnobs(node, left, middle, width) {
  const active = node === state.selected || node === state.hovered;
  const [right, before] = [hiddenNeighbours(node, true), active ? hiddenNeighbours(node, false) : 0];
  if (right) knob(left + width - 4, middle, "+" + right, active);
  if (before) knob(left + 4 - knobWidth("+" + before), middle, "+" + before, active);
}

const knobWidth = (text) => Math.max(22, measure(text, SMALL) + 10);

function knob(x, middle, text, active) {
  const room = knobWidth(text);
  pen.beginPath();
  pen.roundRect(x, middle - 8, room, 16, 8);
  pen.fillStyle = active ? colours.accent : colours.quiet;
  pen.fill();
  pen.strokeStyle = active ? colours.accent : colours.edge;
  pen.lineWidth = 1;
  pen.stroke();
  pen.font = SMALL;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = active ? colours.card : colours.soft;
  pen.fillText(text, x + room / 2, middle + 0.5);
}

// Component and part of it under a point of the canvas: its box, or one of its knobs.
function under(x, y) {
  const [worldX, worldY] = [camera.x + x / camera.scale, camera.y + y / camera.scale];
  for (const column of columns.values()) {
    if (worldX < column.x - 40 || worldX > column.x + column.width + 40) continue;
    const items = column.items;
    const at = firstBelow(items, worldY);
    for (const item of [items[at - 1], items[at]]) {
      if (!item || item.node === NONE || Math.abs(item.y - worldY) > BOX / 2 + 1) continue;
      const part = partAt(item.node, worldX, column);
      if (part) return { node: item.node, part };
    }
  }
  return null;
}

function partAt(node, x, column) {
  const inside = x >= column.x && x <= column.x + column.width;
  if (camera.scale >= READABLE) {
    const right = hiddenNeighbours(node, true);
    const end = column.x + column.width - 4;
    if (right && x >= end && x <= end + knobWidth("+" + right)) return "needs";
    const left = node === state.hovered || node === state.selected ? hiddenNeighbours(node, false) : 0;
    if (left && x <= column.x + 4 && x >= column.x + 4 - knobWidth("+" + left)) return "neededBy";
  }
  return inside ? "box" : "";
}
