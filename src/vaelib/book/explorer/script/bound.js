/** The evidence lower bound of an image, computed rather than sampled, and how it is improved. */
import { BATCH } from "./network.js";

const SPACING = 1; // between nodes, in deviations of q
const POINTS = 9; // nodes along each axis: to ±4 deviations
const ENOUGH = 0.001; // nats that a step must bring

/**
 * Compute the mean of log p(x|z) over z ~ q(z|x) minus KL(q(z|x) ‖ p(z)), in nats.
 *
 * The mean is a sum over a grid around q's mean, by the same trapezoid rule as the evidence. The
 * same sum gives the means of log p(x|z)'s derivatives (Stein's identities).
 *
 * @param {Network} network
 * @param {Likelihood} likelihood
 * @param {Float32Array} image (784,)
 * @param {{mean: number[], deviation: number[]}} q
 * @returns `reconstruction`, `divergence` and `bound`, their difference; `slope` and `curvature`, the
 *   means of the first and second derivatives by each coordinate
 */
export function bound(network, likelihood, image, q) {
  const axis = Array.from({ length: POINTS }, (_, i) => SPACING * (i - (POINTS - 1) / 2));
  const nodes = axis.flatMap((a) => axis.map((b) => [a, b]));
  const values = [];
  for (let start = 0; start < nodes.length; start += BATCH) {
    const batch = nodes.slice(start, start + BATCH);
    const z = batch.flatMap((node) => node.map((e, k) => q.mean[k] + e * q.deviation[k]));
    const { natural, constant } = likelihood.ofDecoded(network.decode(z));
    batch.forEach((_, n) => values.push(likelihood.product(image, natural, n) + constant[n]));
  }
  const weights = nodes.map(([a, b]) => Math.exp(-(a * a + b * b) / 2));
  const whole = weights.reduce((a, b) => a + b);
  const mean = (of) => weights.reduce((sum, w, n) => sum + w * of(n), 0) / whole;
  const middle = mean((n) => values[n]);
  const moment = (of) => [0, 1].map((k) => mean((n) => (values[n] - middle) * of(nodes[n][k])));
  const reconstruction = middle + likelihood.ofImage(image);
  const less = divergence(q);
  return {
    reconstruction,
    divergence: less,
    bound: reconstruction - less,
    slope: moment((e) => e).map((m, k) => m / q.deviation[k]),
    curvature: moment((e) => e * e - 1).map((m, k) => m / q.deviation[k] ** 2),
  };
}

/** KL(q(z|x) ‖ p(z)) of a diagonal Gaussian from the standard one, in nats. */
export function divergence({ mean, deviation }) {
  return mean.reduce(
    (sum, m, k) => sum + (m * m + deviation[k] ** 2 - 1) / 2 - Math.log(deviation[k]),
    0,
  );
}

/**
 * Take a step of natural-gradient ascent on the bound (Khan and Lin, 2017), at most a whole one.
 *
 * @returns as bound does, and `q`, the better one; `done` if no step brings ENOUGH
 */
export function ascend(network, likelihood, image, q) {
  const here = bound(network, likelihood, image, q);
  for (let rate = 1; rate > 1 / 64; rate /= 2) {
    const precision = q.deviation.map((deviation, k) => {
      const wanted = (1 - rate) / deviation ** 2 + rate * (1 - here.curvature[k]);
      return Math.max(wanted, 1 / (2 * deviation) ** 2); // at most twice as wide
    });
    const mean = q.mean.map((m, k) => m + rate * (here.slope[k] - m) / precision[k]);
    const next = { mean, deviation: precision.map((each) => each ** -0.5) };
    const there = bound(network, likelihood, image, next);
    const gain = there.bound - here.bound;
    if (gain > 0) return { ...there, q: next, done: gain < ENOUGH };
  }
  return { ...here, q, done: true };
}
