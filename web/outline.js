// Ink on a grid of pixels to a path: marching squares, corners kept, the rest quadratic curves.

const HALF = 0.5;
const FINE_PX = 0.5; // between the points that are looked at
const STEP = 4; // of them from one that carries a curve to the next
const REACH = 6; // a corner is looked for so many points on either side
const CORNER_RAD = (50 * Math.PI) / 180; // the line turns by no less there
const SPECK_PX2 = 1.5; // no smaller area is ink, or a hole

// From which side of a cell to which (top 0, right 1, bottom 2, left 3) the line runs, ink on its
// left, by the corners that hold ink: top left 8, top right 4, bottom right 2, bottom left 1.
const LINES = [
  [], [2, 3], [1, 2], [1, 3], [0, 1], [], [0, 2], [0, 3],
  [3, 0], [2, 0], [], [1, 0], [3, 1], [2, 1], [3, 2], [],
];

/** The path of `ink` (0 to 1, `size` x `size`, row by row), in pixels from its top left corner. */
export function outline(ink, size) {
  return loops(ink, size).filter((points) => Math.abs(area(points)) >= SPECK_PX2).map(curve).join("");
}

/** Closed lines along which ink is half, as arrays of [x, y]. */
export function loops(ink, size) {
  const across = size + 2; // a ring of paper closes every line
  const at = (x, y) => (x > 0 && y > 0 && x <= size && y <= size ? ink[(y - 1) * size + x - 1] : 0);
  const follows = new Map(); // from the edge where a piece begins to the edge where it ends
  for (let y = 0; y <= size; y++) {
    for (let x = 0; x <= size; x++) {
      const corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
      const edges = [edge(x, y, 0), edge(x + 1, y, 1), edge(x, y + 1, 0), edge(x, y, 1)];
      for (const [from, to] of pieces(corners)) follows.set(edges[from], edges[to]);
    }
  }
  return chained(follows).map((chain) => chain.map(crossing));

  function edge(x, y, downward) {
    return 2 * (y * across + x) + downward;
  }

  function crossing(name) {
    const cell = name >> 1, down = name & 1;
    const x = cell % across, y = Math.floor(cell / across);
    const a = at(x, y), b = at(x + 1 - down, y + down);
    const share = (HALF - a) / (b - a);
    return down ? [x - HALF, y + share - HALF] : [x + share - HALF, y - HALF];
  }
}

function pieces([a, b, c, d]) {
  const bits = 8 * (a >= HALF) + 4 * (b >= HALF) + 2 * (c >= HALF) + (d >= HALF);
  const joined = a + b + c + d >= 2;
  if (bits === 10) return joined ? [[3, 2], [1, 0]] : [[3, 0], [1, 2]];
  if (bits === 5) return joined ? [[0, 3], [2, 1]] : [[0, 1], [2, 3]];
  return LINES[bits].length ? [LINES[bits]] : [];
}

function chained(follows) {
  const chains = [];
  for (const [first] of follows) {
    if (!follows.has(first)) continue;
    const chain = [];
    for (let here = first; follows.has(here); ) {
      chain.push(here);
      const next = follows.get(here);
      follows.delete(here);
      here = next;
    }
    chains.push(chain);
  }
  return chains;
}

/** Enclosed area in square pixels; its sign tells ink from holes. */
export function area(points) {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [u, v] = points[(i + 1) % points.length];
    twice += x * v - u * y;
  });
  return twice / 2;
}

function curve(points) {
  const fine = evenly(points, FINE_PX);
  const corners = fine.length > 4 * REACH ? cornersOf(fine) : [];
  if (!corners.length) return spline(evenly(fine, STEP * FINE_PX));
  const parts = corners.map((corner, i) => {
    const end = corners[(i + 1) % corners.length];
    const count = (end - corner + fine.length - 1) % fine.length + 1; // a whole round where there is one
    return between(Array.from({ length: count + 1 }, (_, k) => fine[(corner + k) % fine.length]));
  });
  return `M${pointText(fine[corners[0]])}${parts.join("")}Z`;
}

/** A closed line's points at equal distances of about `step`. */
function evenly(points, step) {
  const lengths = points.map((p, i) => distance(p, points[(i + 1) % points.length]));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  const count = Math.max(4, Math.round(whole / step)), found = [];
  let i = 0, passed = 0;
  for (let k = 0; k < count; k++) {
    const wanted = (k * whole) / count;
    while (i < points.length - 1 && passed + lengths[i] < wanted) passed += lengths[i++];
    const share = lengths[i] ? (wanted - passed) / lengths[i] : 0;
    found.push(mixed(points[i], points[(i + 1) % points.length], share));
  }
  return found;
}

function cornersOf(points) {
  const n = points.length;
  const turns = points.map((p, i) => {
    const [ax, ay] = points[(i + REACH) % n], [bx, by] = points[(i - REACH + n) % n];
    const ahead = [ax - p[0], ay - p[1]], behind = [p[0] - bx, p[1] - by];
    const cross = behind[0] * ahead[1] - behind[1] * ahead[0];
    return Math.abs(Math.atan2(cross, behind[0] * ahead[0] + behind[1] * ahead[1]));
  });
  return turns.flatMap((turn, i) => {
    const near = Array.from({ length: 2 * REACH + 1 }, (_, k) => turns[(i + k - REACH + n) % n]);
    const first = near.indexOf(turn) === REACH; // of equal ones
    return turn >= CORNER_RAD && turn >= Math.max(...near) && first ? [i] : [];
  });
}

/** From one corner to the next: the first point is already there. */
function between(points) {
  const steps = Math.max(1, Math.round((points.length - 1) / STEP));
  const carried = Array.from({ length: steps + 1 }, (_, k) => points[Math.round((k * (points.length - 1)) / steps)]);
  let path = "";
  for (let k = 1; k < steps; k++) {
    const end = k === steps - 1 ? carried[steps] : mixed(carried[k], carried[k + 1], HALF);
    path += `Q${pointText(carried[k])} ${pointText(end)}`;
  }
  return path || `L${pointText(carried[steps])}`;
}

function spline(points) {
  const middle = (i) => mixed(points[i], points[(i + 1) % points.length], HALF);
  const parts = points.map((p, i) => `Q${pointText(p)} ${pointText(middle(i))}`);
  return `M${pointText(middle(points.length - 1))}${parts.join("")}Z`;
}

function mixed(a, b, share) {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
}

function distance(a, b) {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function pointText([x, y]) {
  return `${+x.toFixed(2)} ${+y.toFixed(2)}`;
}
