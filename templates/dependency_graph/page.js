// What the pointer, the keys and the buttons do.

const MOST_OPENED = 40;
const MOST_AT_ONCE = 6000;
const OPENING_SCALE = 0.72;
const announce = byId("announce");

function select(node, path, move = true) {
  state.selected = node;
  state.path = node === NONE ? [] : path || pathTo(node);
  if (node !== NONE) {
    if (state.path.some((each) => !placed.has(each))) {
      revealPath(state.path);
      changed();
    }
    announce.textContent = labelOf(node) + (worstOf(node) >= 0 ? ", " + LEVELS[worstOf(node)] + ", " + plural(vulnerabilityCount(node), "vulnerability").replace(/ys$/, "ies") : "");
  }
  spotlight();
  fillPanel();
  markInList();
  if (node !== NONE && move) bringIntoView(node, state.path);
  redraw();
}

const showPath = (path) => select(path[path.length - 1], path);

// Keep the component where it is on the screen while others make room around it.
function keeping(node, act) {
  const before = placed.has(node) ? boxOf(node) : null;
  const acted = act();
  if (acted && before) {
    const after = boxOf(node);
    camera.x += after.left - before.left;
    camera.y += after.middle - before.middle;
  }
  changed();
  return acted;
}

function openNeighbours(node, toTheRight) {
  const acted = keeping(node, () => revealNeighbours(node, toTheRight, MOST_OPENED));
  if (acted && node === state.selected) {
    spotlight();
    fillPanel();
  }
  return acted;
}

function changed() {
  byId("shown").textContent = number(placed.size) + " of " + plural(COUNT, "component") + " drawn, " + howManyVulnerable();
  const kinds = new Set(links.map((each) => graph.edgeKinds[each.kind]));
  for (const name of graph.edgeKinds) document.querySelector(".legend .kind-" + name).hidden = !kinds.has(name);
  byId("everything").disabled = placed.size === COUNT || COUNT > MOST_AT_ONCE;
  redraw();
}

function howManyVulnerable() {
  if (!graph.byRisk.length) return "none is known to be vulnerable";
  if (hidden) return "of the vulnerable ones " + number(hidden) + (hidden === 1 ? " is" : " are") + " left out";
  return graph.byRisk.length === 1 ? "with the only vulnerable one" : "with all " + number(graph.byRisk.length) + " vulnerable ones";
}

function reset() {
  restart();
  select(NONE);
  changed();
  openingView();
}

// Readable from the start: all of it if it fits, else the root, or the worst component, at a size one can read.
function openingView() {
  fit(OPENING_SCALE);
  const { top, bottom } = extent();
  if ((bottom - top) * camera.scale <= size.height) return;
  const anchor = placed.has(graph.root) ? graph.root : graph.byRisk.find((node) => placed.has(node));
  if (anchor !== undefined) camera.y = placed.get(anchor).y - size.height / camera.scale / 2;
}

function everything() {
  placeAll(size.width / size.height);
  changed();
  spotlight();
  fit();
}

function step(key) {
  if (!placed.size) return;
  if (state.selected === NONE) {
    const first = graph.byRisk.find((node) => placed.has(node));
    select(first === undefined ? placed.keys().next().value : first);
    return;
  }
  const item = placed.get(state.selected);
  if (key === "ArrowUp" || key === "ArrowDown") {
    const items = columns.get(item.layer).items.filter((each) => each.node !== NONE);
    const next = items[items.indexOf(item) + (key === "ArrowUp" ? -1 : 1)];
    if (next) select(next.node);
    return;
  }
  const around = (key === "ArrowLeft" ? neededBy : needs)[state.selected].filter((each) => placed.has(each));
  const nearest = around.sort((one, other) => Math.abs(placed.get(one).y - item.y) - Math.abs(placed.get(other).y - item.y))[0];
  if (nearest !== undefined) select(nearest);
}

const KEYS = {
  Enter: () => state.selected !== NONE && (openNeighbours(state.selected, true) || openNeighbours(state.selected, false)),
  Escape: () => select(NONE),
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: () => fit(),
};

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow")) step(event.key);
  else if (event.key in KEYS) KEYS[event.key]();
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
  event.preventDefault();
  byId("search").focus();
});

// The list: arrows walk through it, Enter in the search box takes the first.

byId("search").addEventListener("input", (event) => fillList(event.target.value));
byId("search").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && list.firstChild) list.firstChild.firstChild.focus();
  else if (event.key === "Enter" && found.length) select(found[0]);
  else if (event.key === "Escape" && event.target.value) fillList((event.target.value = ""));
  else return;
  event.preventDefault();
});
list.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  const next = { ArrowDown: item && item.nextSibling, ArrowUp: item && item.previousSibling }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  (next ? next.firstChild : byId("search")).focus();
});

// The pointer: one moves or selects, two pinch.

const pointers = new Map();
let moved = 0;

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  cancelAnimationFrame(gliding);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return hover(event.offsetX, event.offsetY);
  const now = { x: event.offsetX, y: event.offsetY };
  const other = [...pointers].find(([id]) => id !== event.pointerId);
  if (other) {
    const [start, end] = [before, now].map((each) => Math.hypot(each.x - other[1].x, each.y - other[1].y));
    if (start > 0 && end > 0) zoom(end / start, other[1].x, other[1].y);
  } else {
    camera.x -= (now.x - before.x) / camera.scale;
    camera.y -= (now.y - before.y) / camera.scale;
  }
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  pointers.set(event.pointerId, now);
  canvas.classList.toggle("dragging", moved > 4);
  redraw();
});
canvas.addEventListener("pointerup", (event) => {
  const known = pointers.delete(event.pointerId);
  canvas.classList.remove("dragging");
  if (!known || pointers.size || moved > 4) return;
  const hit = under(event.offsetX, event.offsetY);
  if (!hit) select(NONE);
  else if (hit.part === "box") select(hit.node, undefined, false);
  else openNeighbours(hit.node, hit.part === "needs");
});
canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("pointerleave", () => hover(-1, -1));
canvas.addEventListener("dblclick", (event) => {
  const hit = under(event.offsetX, event.offsetY);
  if (hit && hit.part === "box") openNeighbours(hit.node, true);
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.03 : 0.0015)), event.offsetX, event.offsetY);
}, { passive: false });

function hover(x, y) {
  const hit = under(x, y);
  canvas.style.cursor = hit ? "pointer" : "";
  const node = hit ? hit.node : NONE;
  if (node === state.hovered) return;
  state.hovered = node;
  canvas.title = hit ? labelOf(node) : "";
  redraw();
}

byId("reset").addEventListener("click", reset);
byId("everything").addEventListener("click", everything);
byId("larger").addEventListener("click", () => zoom(1.25));
byId("smaller").addEventListener("click", () => zoom(0.8));
byId("fit").addEventListener("click", () => fit());
if (COUNT > MOST_AT_ONCE) byId("everything").title = "Too many to be drawn at once: search, or open neighbours";
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);

document.documentElement.classList.add("scripted");
restart();
fillList("");
fillPanel();
resize();
readColours();
changed();
openingView();
draw();
new ResizeObserver(resize).observe(canvas);
performance.mark("interactive");

// For whoever automates the page: where a component is drawn, in pixels of the window, and what the page shows.
window.dependencyGraph = Object.freeze({
  find: (ref) => graph.refs.indexOf(ref),
  place: (node) => {
    if (!placed.has(node)) return null;
    const [box, corner] = [boxOf(node), canvas.getBoundingClientRect()];
    return {
      x: corner.x + (box.left + 14 - camera.x) * camera.scale, y: corner.y + (box.middle - camera.y) * camera.scale,
      right: corner.x + (box.left + box.width + 4 - camera.x) * camera.scale,
    };
  },
  shown: () => [...placed.keys()],
  boxes: () => [...placed.keys()].map((node) => ({ node, ...boxOf(node), height: BOX })),
  selected: () => state.selected,
  path: () => [...state.path],
});
