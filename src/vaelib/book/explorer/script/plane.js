/**
 * The latent plane in squares, each decoded at the centres of its four quarters, once.
 *
 * A square of step h has the lower corner (2hi, 2hj) and its nodes at (2i + ½)h, (2i + 3/2)h along
 * the first axis, and so along the second: the step is the distance of the nodes. A quarter of a
 * square is a square of half the step.
 */
export const COARSEST = 1 / 4; // step
export const EDGE = 5; // the plane is decoded to ±EDGE; farther out for posteriors that need it
const SAFETY = 4; // the decoder is not linear between the nodes: vaelib has 2, and looks at more nodes
const KEPT = 4000; // squares, of 13 kB

export class Plane {
  /**
   * @param {Network} network
   * @param {Likelihood} likelihood
   */
  constructor(network, likelihood) {
    this.network = network;
    this.likelihood = likelihood;
    this.squares = new Map();
  }

  /**
   * Return a square: its nodes (4, 2), natural (4, 784) and constant (4,) of their likelihoods, and
   * `hidden`, by how much log p(x, z) between the nodes may exceed its greatest value at them. Where
   * the decoder is linear, the divergences between neighbours are h² times the curvature, and no
   * point is farther than h/2 along each axis from a node: an eighth of both is what can hide.
   */
  square(step, i, j) {
    const key = `${step} ${i} ${j}`;
    let found = this.squares.get(key);
    if (!found) {
      if (this.squares.size === KEPT) this.squares.clear();
      found = this.decoded(step, i, j);
      this.squares.set(key, found);
    }
    return found;
  }

  decoded(step, i, j) {
    const nodes = [0, 1, 2, 3].flatMap((quarter) => [
      (2 * i + (quarter >> 1) + 0.5) * step,
      (2 * j + (quarter & 1) + 0.5) * step,
    ]);
    const outputs = this.network.decode(nodes);
    const decoded = this.likelihood.ofDecoded(outputs);
    const { natural, constant } = decoded;
    for (let n = 0; n < 4; n++) constant[n] += logPrior(nodes[2 * n], nodes[2 * n + 1]);
    const between = (a, b) => this.likelihood.divergence(decoded, a, b);
    const first = Math.max(between(0, 2), between(1, 3));
    const second = Math.max(between(0, 1), between(2, 3));
    return { step, i, j, nodes, natural, constant, hidden: SAFETY * (first + second) / 8 };
  }
}

/** List the coarsest squares (i, j) of the plane to ±outer without those to ±inner. */
export function coarsest(outer, inner = 0) {
  const number = outer / COARSEST / 2; // squares from the middle to the edge
  const axis = Array.from({ length: 2 * number }, (_, i) => i - number);
  return axis.flatMap((i) => axis.map((j) => [i, j])).filter((at) => distance(...at) > inner);
}

/** The greater distance of a coarsest square's middle from the two axes. */
export function distance(i, j) {
  return 2 * COARSEST * Math.max(Math.abs(i + 0.5), Math.abs(j + 0.5));
}

/** log N(z; 0, I), in nats. */
export function logPrior(z1, z2) {
  return -(z1 * z1 + z2 * z2) / 2 - Math.log(2 * Math.PI);
}
