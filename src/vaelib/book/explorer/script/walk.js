/** Ways from one point of the plane to another. */

const SIDE = 64; // nodes along each side of a grid around both ends
const ROOM = 0.5; // of their distance, that it has beyond each

/**
 * Find the way along which the posterior is dense: the polyline over the nodes of a grid with the
 * least integral of 1 / p(x, z), so that it crosses a valley where that is highest (Dijkstra, 1959).
 *
 * @param {Surface} surface
 * @param {number[]} from, to points of the plane
 */
export function densest(surface, from, to) {
  if (!distance(from, to)) return [from, to];
  const half = (0.5 + ROOM) * distance(from, to);
  const step = 2 * half / (SIDE - 1);
  const corner = from.map((value, k) => (value + to[k]) / 2 - half);
  const place = (n) => [corner[0] + Math.floor(n / SIDE) * step, corner[1] + n % SIDE * step];
  const nearest = (z) => {
    const [row, column] = z.map((value, k) => Math.round((value - corner[k]) / step));
    return row * SIDE + column;
  };
  const [start, goal] = [nearest(from), nearest(to)];
  const price = Float64Array.from(
    { length: SIDE ** 2 },
    (_, n) => Math.exp(-surface.height(...place(n))),
  );
  const cost = new Float64Array(SIDE ** 2).fill(Infinity);
  const before = new Int32Array(SIDE ** 2).fill(-1);
  const open = new Set([start]);
  cost[start] = 0;
  while (open.size) {
    let here = goal;
    for (const node of open) if (cost[node] < cost[here]) here = node;
    if (here === goal) break;
    open.delete(here);
    const [row, column] = [Math.floor(here / SIDE), here % SIDE];
    for (const [down, across] of NEIGHBOURS) {
      const [r, c] = [row + down, column + across];
      if (r < 0 || c < 0 || r >= SIDE || c >= SIDE) continue;
      const there = r * SIDE + c;
      const whole = cost[here] + (price[here] + price[there]) / 2 * Math.hypot(down, across);
      if (whole >= cost[there]) continue;
      cost[there] = whole;
      before[there] = here;
      open.add(there);
    }
  }
  const way = [];
  for (let node = goal; node >= 0; node = before[node]) way.unshift(place(node));
  return [from, ...way.slice(1, -1), to];
}

const NEIGHBOURS = [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) => [a, b]));

/** Return points at equal distances along a polyline, its ends among them. */
export function along(way, number) {
  const lengths = way.slice(1).map((point, n) => distance(point, way[n]));
  const whole = lengths.reduce((a, b) => a + b, 0);
  return Array.from({ length: number }, (_, n) => {
    let left = whole * n / (number - 1);
    let part = 0;
    while (part < lengths.length - 1 && left > lengths[part]) left -= lengths[part++];
    const share = lengths[part] ? Math.min(left / lengths[part], 1) : 0;
    return way[part].map((value, k) => value + share * (way[part + 1][k] - value));
  });
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
