// The drawing on the canvas: colours, camera, edges.

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
const MANY_LINKS = 2000;
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
  for (const column of columns.values()) {
    if (column.x > seen.right + 60 || column.x + column.width < seen.left - 60) continue;
    let at = firstBelow(column.items, seen.top - BOX);
    for (; at < column.items.length && column.items[at].y < seen.bottom + BOX; at++) {
      const item = column.items[at];
      if (item.node !== NONE) drawBox(item, column);
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
  const crowded = links.length > MANY_LINKS;
  for (const each of links) {
    if (outside(each, seen)) continue;
    const level = lookOf(each);
    // Of very many, those from nowhere to nowhere on the screen would only grey it, and cost most of the time.
    if (crowded && level < 2 && (camera.scale < READABLE ? level === 0 : !inside(each.start, seen) && !inside(each.end, seen))) continue;
    const look = level * graph.edgeKinds.length + each.kind;
    if (!groups.has(look)) groups.set(look, []);
    groups.get(look).push(each);
  }
  for (const look of [...groups.keys()].sort((one, other) => one - other)) {
    const [level, kind] = [Math.floor(look / graph.edgeKinds.length), graph.edgeKinds[look % graph.edgeKinds.length]];
    pen.beginPath();
    for (const each of groups.get(look)) trace(each);
    pen.globalAlpha = state.around && level < 2 ? FADED : 1;
    pen.strokeStyle = [colours.edge, colours.way, colours.soft, colours.accent][level];
    pen.lineWidth = Math.max([1.2, 1.6, 1.8, 3][level], [0.5, 0.7, 1, 2][level] / camera.scale);
    pen.setLineDash(camera.scale > READABLE && level < 3 && !(crowded && level < 2) ? DASHES[kind] || [] : []);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function outside({ start, end, between }, seen) {
  const [one, other] = [columns.get(start.layer), columns.get(end.layer)];
  if (Math.min(one.x, other.x) > seen.right || Math.max(one.x + one.width, other.x + other.width) < seen.left) return true;
  let [top, bottom] = start.y < end.y ? [start.y, end.y] : [end.y, start.y];
  for (const { y } of between) [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  return bottom < seen.top || top > seen.bottom;
}

function inside(item, seen) {
  const { x, width } = columns.get(item.layer);
  return item.y > seen.top && item.y < seen.bottom && x < seen.right && x + width > seen.left;
}

// 0 for any, 1 on the shortest path to a vulnerable component, 2 at the selected one, 3 on the highlighted path.
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
