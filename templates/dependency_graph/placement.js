// Where components stand. The opening comes laid out; what is opened later is put into the columns that are there, as
// near to its neighbours as fits, so that the picture one has in mind stays (Misue, Eades, Lai, Sugiyama 1995).

const BOX = 26;
const LANE = 5;
const GAP = 9;
const LEAST_WIDTH = 84;
const MOST_WIDTH = 290;
const COLUMN_GAP = 74;
const MOST_WITH_LANES = 1500;

const columns = new Map(); // layer -> { x, width, items }
const placed = new Map(); // node -> { node, layer, y, height }
const lanes = new Map(); // target -> Map(layer -> item)
let links = []; // what is drawn between placed nodes
let hidden = 0; // vulnerable components not placed

function restart() {
  columns.clear();
  placed.clear();
  lanes.clear();
  graph.opening.columns.forEach(([x, width], layer) => columns.set(layer, { x, width, items: [] }));
  for (const [node, layer, y] of graph.opening.nodes) put({ node, layer, y, height: BOX });
  for (const [target, layer, y] of graph.opening.lanes) put({ node: NONE, target, layer, y, height: LANE });
  for (const column of columns.values()) column.items.sort((one, other) => one.y - other.y);
  relink();
}

function put(item) {
  columnAt(item.layer).items.push(item);
  if (item.node !== NONE) placed.set(item.node, item);
  else lanes.set(item.target, (lanes.get(item.target) || new Map()).set(item.layer, item));
}

function columnAt(layer) {
  if (!columns.has(layer)) {
    const beside = columns.size ? (layer > Math.max(...columns.keys()) ? layer - 1 : layer + 1) : layer;
    if (beside !== layer) columnAt(beside);
    columns.set(layer, { x: 0, width: LEAST_WIDTH, items: [] });
    stack();
  }
  return columns.get(layer);
}

// Columns side by side; the first one of the opening stays where it is.
function stack() {
  let x = 0;
  for (let layer = 0; columns.has(layer); layer++) {
    columns.get(layer).x = x;
    x += columns.get(layer).width + COLUMN_GAP;
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
  const layers = [...byLayer.keys()].sort((one, other) => one - other);
  if (columns.size) {
    const known = [...columns.keys()];
    layers.sort((one, other) => distance(one, known) - distance(other, known) || one - other);
  }
  for (const layer of layers) {
    for (const item of byLayer.get(layer)) {
      const near = [...neededBy[item.node], ...needs[item.node]].filter((each) => placed.has(each) && !fresh.has(each));
      item.y = mean(near.map((each) => placed.get(each).y));
    }
    for (const item of byLayer.get(layer)) fresh.delete(item.node);
    insert(layer, byLayer.get(layer));
  }
  if (placed.size <= MOST_WITH_LANES) addLanes();
  relink();
  return true;
}

const distance = (layer, known) => known.reduce((least, each) => Math.min(least, Math.abs(each - layer)), Infinity);
const mean = (values) => (values.length ? values.reduce((sum, each) => sum + each, 0) / values.length : 0);

function insert(layer, items) {
  const column = columnAt(layer);
  const wanted = items.reduce((most, item) => (item.node === NONE ? most : Math.max(most, widthWanted(item.node))), 0);
  if (wanted > column.width) {
    column.width = Math.min(MOST_WIDTH, Math.ceil(wanted));
    stack();
  }
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
      const item = { node: NONE, target, layer, y, height: LANE };
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

// Everything, level by level from the root.
function revealAll() {
  const layer = new Map([...placed].map(([node, item]) => [node, item.layer]));
  const children = Array.from({ length: COUNT }, () => []);
  const waiting = [];
  for (let node = 0; node < COUNT; node++) parentOf(node) === NONE ? waiting.push(node) : children[parentOf(node)].push(node);
  for (let at = 0; at < waiting.length; at++) {
    const node = waiting[at];
    if (!layer.has(node)) layer.set(node, parentOf(node) === NONE ? 0 : layer.get(parentOf(node)) + 1);
    for (const child of children[node]) waiting.push(child);
  }
  return reveal(waiting.map((node) => [node, layer.get(node)]));
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
