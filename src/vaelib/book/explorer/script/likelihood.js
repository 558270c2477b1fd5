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
    const mean = new Float32Array(logits.length);
    const constant = new Float64Array(logits.length / PIXELS);
    for (let image = 0; image < constant.length; image++) {
      let [sum, ones] = [0, 1]; // log(1 + e^a) is max(a, 0) and the logarithm of 1 + e^-|a|
      for (let i = image * PIXELS; i < (image + 1) * PIXELS; i++) {
        const small = Math.exp(-Math.abs(logits[i]));
        mean[i] = (logits[i] < 0 ? small : 1) / (1 + small);
        if (this.variance === null) sum += Math.max(logits[i], 0);
        else sum += mean[i] ** 2 / (2 * this.variance);
        ones *= 1 + small; // at most 2^784, which a number can be
      }
      constant[image] = -sum - (this.variance === null ? Math.log(ones) : 0);
    }
    const natural = this.variance === null ? logits.slice() : mean.map((m) => m / this.variance);
    return { natural, constant, mean };
  }
}

/** x · f of row `index` of f (n, 784). */
export function product(image, natural, index) {
  const start = index * PIXELS;
  let sum = 0;
  for (let i = 0; i < PIXELS; i++) sum += image[i] * natural[start + i];
  return sum;
}
