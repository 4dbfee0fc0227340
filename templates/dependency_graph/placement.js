// Where components stand. The opening comes laid out; what is opened later is put into the columns that are there, as
// near to its neighbours as fits, so that the picture one has in mind stays (Misue, Eades, Lai, Sugiyama 1995).

const BOX = 26;
const LANE = 5;
const GAP = 9;
const LEAST_WIDTH = 84;
const MOST_WIDTH = 290;
const TYPICAL_WIDTH = 200;
const COLUMN_GAP = 74;
const NARROW_GAP = 26; // between columns of one level
const MOST_WITH_LANES = 1500;

const columns = new Map(); // layer -> { x, width, items }
const placed = new Map(); // node -> { node, layer, y, height }
const lanes = new Map(); // target -> Map(layer -> item)
let [firstLayer, lastLayer] = [0, -1];
let links = []; // what is drawn between placed nodes
let hidden = 0; // vulnerable components not placed

function restart() {
  columns.clear();
  placed.clear();
  lanes.clear();
  graph.opening.columns.forEach(([x, width], layer) => Object.assign(columnAt(layer), { x, width }));
  for (const [node, layer, y] of graph.opening.nodes) put({ node, layer, y, height: BOX });
  for (const [targets, layer, y] of graph.opening.lanes) put({ node: NONE, targets, layer, y, height: LANE });
  for (const column of columns.values()) column.items.sort((one, other) => one.y - other.y);
  relink();
}

function put(item) {
  columnAt(item.layer).items.push(item);
  if (item.node !== NONE) placed.set(item.node, item);
  else for (const target of item.targets) lanes.set(target, (lanes.get(target) || new Map()).set(item.layer, item));
}

// Layers have no gaps: those between a new column and the others come with it.
function columnAt(layer) {
  if (!columns.size) [firstLayer, lastLayer] = [layer, layer - 1];
  while (lastLayer < layer) columns.set((lastLayer += 1), { x: 0, width: LEAST_WIDTH, items: [] });
  while (firstLayer > layer) columns.set((firstLayer -= 1), { x: 0, width: LEAST_WIDTH, items: [] });
  return columns.get(layer);
}

// Columns side by side; the first one of the opening stays where it is.
function stack() {
  let x = 0;
  for (let layer = 0; columns.has(layer); layer++) {
    const column = columns.get(layer);
    column.x = x;
    x += column.width + (column.gap || COLUMN_GAP);
  }
  x = 0;
  for (let layer = -1; columns.has(layer); layer--) columns.get(layer).x = x -= columns.get(layer).width + COLUMN_GAP;
}

// Place nodes, each given with its layer; those already placed stay.
function reveal(wanted) {
  const byLayer = new Map();
  for (const [node, layer] of wanted) {
    if (placed.has(node)) continue;
    const item = { node, layer, y: 0, height: BOX };
    placed.set(node, item);
    byLayer.set(layer, (byLayer.get(layer) || []).concat([item]));
  }
  if (!byLayer.size) return false;
  const fresh = new Set([...byLayer.values()].flat().map((item) => item.node));
  const layers = [...byLayer.keys()].sort((one, other) => Math.abs(one - firstLayer) - Math.abs(other - firstLayer));
  for (const layer of layers) {
    for (const item of byLayer.get(layer)) {
      const near = [...neededBy[item.node], ...needs[item.node]].filter((each) => placed.has(each) && !fresh.has(each));
      item.y = mean(near.map((each) => placed.get(each).y));
    }
    for (const item of byLayer.get(layer)) fresh.delete(item.node);
    insert(layer, byLayer.get(layer));
  }
  if (placed.size <= MOST_WITH_LANES) addLanes();
  stack();
  relink();
  return true;
}

const mean = (values) => (values.length ? values.reduce((sum, each) => sum + each, 0) / values.length : 0);

function insert(layer, items) {
  const column = columnAt(layer);
  const wanted = items.reduce((most, item) => (item.node === NONE ? most : Math.max(most, widthWanted(item.node))), 0);
  column.width = Math.max(column.width, Math.min(MOST_WIDTH, Math.ceil(wanted)));
  column.items = [...column.items, ...items].sort((one, other) => one.y - other.y);
  settle(column.items);
}

// The least squared shift at which nothing touches: isotonic regression, by pooling adjacent violators.
function settle(items) {
  let offset = 0;
  const offsets = items.map((item, at) => (at ? (offset += (items[at - 1].height + item.height) / 2 + GAP) : 0));
  const pools = [];
  items.forEach((item, at) => {
    let pool = { mean: item.y - offsets[at], size: 1 };
    while (pools.length && pools[pools.length - 1].mean >= pool.mean) {
      const above = pools.pop();
      const size = above.size + pool.size;
      pool = { mean: (above.mean * above.size + pool.mean * pool.size) / size, size };
    }
    pools.push(pool);
  });
  let at = 0;
  for (const pool of pools) for (let each = 0; each < pool.size; each++, at++) items[at].y = pool.mean + offsets[at];
}

// Edges over several columns to the same target share a lane, which keeps them off the boxes.
function addLanes() {
  const added = new Map();
  for (const [target, end] of placed) {
    const sources = neededBy[target].map((each) => placed.get(each)).filter((each) => each && each.layer < end.layer - 1);
    if (!sources.length) continue;
    const known = lanes.get(target) || new Map();
    const start = sources.reduce((least, each) => Math.min(least, each.layer), end.layer);
    const from = mean(sources.map((each) => each.y));
    for (let layer = start + 1; layer < end.layer; layer++) {
      if (known.has(layer)) continue;
      const y = from + ((end.y - from) * (layer - start)) / (end.layer - start);
      const item = { node: NONE, targets: [target], layer, y, height: LANE };
      lanes.set(target, (lanes.get(target) || new Map()).set(layer, item));
      added.set(layer, (added.get(layer) || []).concat([item]));
    }
  }
  for (const [layer, items] of added) insert(layer, items);
}

function relink() {
  links = [];
  hiddenCounts.clear();
  for (const [source, start] of placed) {
    for (const target of needs[source]) {
      const end = placed.get(target);
      if (!end) continue;
      const between = [];
      for (let layer = start.layer + 1; layer < end.layer; layer++) {
        const lane = lanes.get(target) && lanes.get(target).get(layer);
        if (lane) between.push(lane);
      }
      links.push({ source, target, start, end, between, kind: kindBetween(source, target) });
    }
  }
  hidden = graph.byRisk.filter((node) => !placed.has(node)).length;
}

// A node with a path to it; every step goes one column further, where the path is not placed yet.
function revealPath(path) {
  let layer = 0;
  const wanted = [];
  path.forEach((node) => {
    layer = placed.has(node) ? placed.get(node).layer : layer;
    wanted.push([node, layer]);
    layer += 1;
  });
  return reveal(wanted);
}

function revealNeighbours(node, toTheRight, most) {
  const { layer } = placed.get(node);
  const all = (toTheRight ? needs : neededBy)[node].filter((each) => !placed.has(each));
  all.sort((one, other) => graph.spread[other] - graph.spread[one] || one - other);
  return reveal(all.slice(0, most).map((each) => [each, layer + (toTheRight ? 1 : -1)]));
}

// Everything, level by level from the root; a level too high for a picture of these proportions takes several columns.
function placeAll(proportion) {
  const levels = levelsFromTheRoot();
  const most = levels.reduce((sum, level) => sum + level.length, 0);
  const width = (rows) => levels.reduce((sum, level) => sum + Math.ceil(level.length / rows) * (TYPICAL_WIDTH + NARROW_GAP) + COLUMN_GAP, 0);
  let rows = 8;
  while (rows < most && width(rows) > proportion * rows * (BOX + GAP)) rows = Math.ceil(rows * 1.1);
  columns.clear();
  placed.clear();
  lanes.clear();
  let layer = 0;
  for (const level of levels) {
    const parts = Math.ceil(level.length / rows);
    const share = Math.ceil(level.length / parts);
    for (let part = 0; part < parts; part++, layer++) {
      const nodes = level.slice(part * share, (part + 1) * share);
      const widest = nodes.reduce((most, node) => Math.max(most, widthWanted(node)), LEAST_WIDTH);
      const items = nodes.map((node, at) => ({ node, layer, y: (at - (nodes.length - 1) / 2) * (BOX + GAP), height: BOX }));
      const gap = part === parts - 1 ? COLUMN_GAP : NARROW_GAP;
      Object.assign(columnAt(layer), { width: Math.ceil(Math.min(MOST_WIDTH, widest)), gap, items });
      for (const item of items) placed.set(item.node, item);
    }
  }
  stack();
  relink();
}

function levelsFromTheRoot() {
  const children = Array.from({ length: COUNT }, () => []);
  let level = [];
  for (let node = 0; node < COUNT; node++) parentOf(node) === NONE ? level.push(node) : children[parentOf(node)].push(node);
  const levels = [];
  for (; level.length; level = level.flatMap((node) => children[node])) levels.push(level);
  return levels;
}

const hiddenCounts = new Map();

function hiddenNeighbours(node, toTheRight) {
  const key = toTheRight ? node : -1 - node;
  if (!hiddenCounts.has(key)) {
    const count = (toTheRight ? needs : neededBy)[node].reduce((sum, each) => sum + !placed.has(each), 0);
    hiddenCounts.set(key, count);
  }
  return hiddenCounts.get(key);
}

function extent() {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const column of columns.values()) {
    if (!column.items.length) continue;
    left = Math.min(left, column.x);
    right = Math.max(right, column.x + column.width);
    top = Math.min(top, column.items[0].y);
    bottom = Math.max(bottom, column.items[column.items.length - 1].y);
  }
  return left === Infinity ? { left: 0, top: 0, right: 1, bottom: 1 } : { left, top: top - BOX, right, bottom: bottom + BOX };
}
