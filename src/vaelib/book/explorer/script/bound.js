/** The evidence lower bound of an image, computed rather than sampled. */
import { product } from "./likelihood.js";
import { BATCH } from "./network.js";

const SPACING = 1; // between nodes, in deviations of q
const POINTS = 9; // nodes along each axis: to ±4 deviations

/**
 * Compute the mean of log p(x|z) over z ~ q(z|x) minus KL(q(z|x) ‖ p(z)), in nats.
 *
 * The mean is a sum over a grid around q's mean, by the same trapezoid rule as the evidence.
 *
 * @param {Network} network
 * @param {Likelihood} likelihood
 * @param {Float32Array} image (784,)
 * @param {{mean: number[], deviation: number[]}} q
 */
export function bound(network, likelihood, image, q) {
  const axis = Array.from({ length: POINTS }, (_, i) => SPACING * (i - (POINTS - 1) / 2));
  const nodes = axis.flatMap((a) => axis.map((b) => [a, b]));
  let [total, weights] = [0, 0];
  for (let start = 0; start < nodes.length; start += BATCH) {
    const batch = nodes.slice(start, start + BATCH);
    const z = batch.flatMap((node) => node.map((e, k) => q.mean[k] + e * q.deviation[k]));
    const { natural, constant } = likelihood.ofDecoded(network.decode(z));
    batch.forEach(([a, b], n) => {
      const weight = Math.exp(-(a * a + b * b) / 2);
      weights += weight;
      total += weight * (product(image, natural, n) + constant[n]);
    });
  }
  return total / weights + likelihood.ofImage(image) - divergence(q);
}

/** KL(q(z|x) ‖ p(z)) of a diagonal Gaussian from the standard one, in nats. */
export function divergence({ mean, deviation }) {
  return mean.reduce(
    (sum, m, k) => sum + (m * m + deviation[k] ** 2 - 1) / 2 - Math.log(deviation[k]),
    0,
  );
}
