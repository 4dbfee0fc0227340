// One component on the canvas: its box, what it says, its knobs, and whether the pointer is on it.

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
