/**
 * p(x|z) as the run's objective assumes it: vaelib.evidence.likelihood.
 *
 * Both likelihoods are exponential families: log p(x|z) = x · f(z) + c(z) + k(x), in nats.
 */
import { PIXELS } from "./network.js";

export class Likelihood {
  /** @param {number | null} variance of a Gaussian; null for Bernoulli pixels */
  constructor(variance) {
    this.variance = variance;
  }

  /** k(x) of an image (784,). */
  ofImage(image) {
    if (this.variance === null) return 0;
    const square = image.reduce((sum, x) => sum + x * x, 0);
    return (
      -square / (2 * this.variance) -
      (PIXELS / 2) * Math.log(2 * Math.PI * this.variance)
    );
  }

  /**
   * Compute f(z), c(z) and the mean image of latent vectors.
   *
   * @param {Float32Array} logits (n, 784)
   * @returns {{natural: Float32Array, constant: Float64Array, mean: Float32Array}} f(z) (n, 784),
   *   c(z) (n,), and the mean (n, 784)
   */
  ofDecoded(logits) {
    const mean = Float32Array.from(logits, (a) => 1 / (1 + Math.exp(-a)));
    const constant = new Float64Array(logits.length / PIXELS);
    for (let i = 0; i < logits.length; i++) {
      constant[Math.floor(i / PIXELS)] -= this.variance === null
        ? softplus(logits[i])
        : mean[i] ** 2 / (2 * this.variance);
    }
    const natural = this.variance === null ? logits.slice() : mean.map((m) => m / this.variance);
    return { natural, constant, mean };
  }
}

/** log(1 + e^a). */
function softplus(a) {
  return Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
}

/** x · f of row `index` of f (n, 784). */
export function product(image, natural, index) {
  const start = index * PIXELS;
  let sum = 0;
  for (let i = 0; i < PIXELS; i++) sum += image[i] * natural[start + i];
  return sum;
}
