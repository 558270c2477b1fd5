/**
 * log p(x) of an image and its posterior, by quadrature over the latent plane.
 *
 * The method is that of vaelib.evidence: the trapezoid rule with ever smaller steps where the
 * posterior lies, until four sums, each over every second node along both axes, agree.
 */
import { COARSEST, coarsest, distance, EDGE } from "./plane.js";

const FARTHEST = 12; // where the plane ends at last
const FINEST = 1 / 1024; // step
const TOLERANCE = 0.05; // nats, of the estimated error; the error itself is far smaller
const DEPTH = 9; // nats below the greatest log p(x, z) where nodes no longer count, at first
const DEEPEST = 72; // where they do not count at last
const RESOLVED = 1; // nats between nodes above which a peak may be missed

/**
 * Integrate p(x|z) p(z).
 *
 * @param {Plane} plane
 * @param {Float32Array} image (784,), pixels in [0, 1]
 * @param {number} depth nats below the greatest log p(x, z) where nodes no longer count
 * @returns {{logEvidence: number, error: number, step: number, squares: Array, around: Array}} nats;
 *   `error` is an estimate; `squares` are where the posterior lies, with the values of log p(x, z) at
 *   their nodes; `around` them are nodes of greater squares, with theirs
 */
export function integrate(plane, image, depth = DEPTH) {
  const { likelihood } = plane;
  const offset = likelihood.ofImage(image);
  const valued = (step, i, j) => {
    const { natural, constant, hidden } = plane.square(step, i, j);
    const of = (c, n) => likelihood.product(image, natural, n) + c + offset;
    const values = Array.from(constant, of);
    return { step, i, j, values, hidden };
  };
  let [squares, greatest] = wholePlane(valued);
  const around = [];
  let lost = 0; // in units of the greatest p(x, z)
  for (let step = COARSEST;; step /= 2) {
    for (const { values } of squares) greatest = Math.max(greatest, ...values);
    const { logEvidence, resolved } = sum(squares, greatest);
    const left = lost * Math.exp(greatest - logEvidence);
    const error = resolved + left;
    // What was left out comes back at no finer step, but with more nodes.
    if (left > TOLERANCE && depth < DEEPEST) return integrate(plane, image, 2 * depth);
    if (error <= TOLERANCE || left > TOLERANCE || step <= FINEST) {
      return { logEvidence, error, step, squares, around };
    }
    const finer = [];
    for (const { i, j, values, hidden } of squares) {
      values.forEach((value, n) => {
        const possible = value + hidden - greatest;
        if (possible >= -depth) return finer.push(valued(step / 2, ...quarter(i, j, n)));
        around.push({ step, i, j, n, value });
        lost += Math.exp(possible) * step ** 2;
      });
    }
    squares = finer;
  }
}

/** Visit the coarsest squares, as far out as the posterior goes; return the greatest value too. */
function wholePlane(valued) {
  let squares = [];
  let greatest = -Infinity;
  for (let edge = EDGE;; edge += 2 * COARSEST) {
    const ring = coarsest(edge, squares.length ? edge - 2 * COARSEST : 0)
      .map(([i, j]) => valued(COARSEST, i, j));
    squares = squares.concat(ring);
    greatest = Math.max(greatest, descend(ring, valued));
    const outmost = squares.filter(({ i, j }) => distance(i, j) > edge - 2 * COARSEST);
    const reached = Math.max(...outmost.flatMap(({ values }) => values));
    if (reached < greatest - DEPTH || edge >= FARTHEST) return [squares, greatest];
  }
}

/** Name the square of half the step around node n of square (i, j). */
function quarter(i, j, n) {
  return [2 * i + (n >> 1), 2 * j + (n & 1)];
}

/** Follow the best node of each step down to a small one; return the greatest log p(x, z) met. */
function descend(squares, valued) {
  const top = (square) => Math.max(...square.values);
  let best = squares.reduce((a, b) => top(b) > top(a) ? b : a);
  let greatest = top(best);
  while (best.step > 1 / 64) {
    const n = best.values.indexOf(top(best));
    best = valued(best.step / 2, ...quarter(best.i, best.j, n));
    greatest = Math.max(greatest, top(best));
  }
  return greatest;
}

/** Sum p(x, z) over the nodes: log p(x), and the part of its error that the nodes can tell. */
function sum(squares, greatest) {
  const sums = [0, 0, 0, 0];
  let unseen = 0;
  for (const { values, hidden } of squares) {
    values.forEach((value, n) => (sums[n] += Math.exp(value - greatest)));
    if (hidden > RESOLVED) unseen += 4 * Math.exp(Math.max(...values) + hidden - greatest);
  }
  const total = sums.reduce((a, b) => a + b);
  const spread = Math.max(...sums.map((part) => Math.abs(Math.log(4 * part / total))));
  return {
    logEvidence: greatest + Math.log(total * squares[0].step ** 2),
    resolved: 2 * spread + unseen / total,
  };
}
