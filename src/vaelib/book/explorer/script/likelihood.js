/** p(x|z) as the run's objective assumes it, in nats: vaelib.evidence.likelihood. */
import { PIXELS } from "./network.js";
import { Odds } from "./odds.js";

/**
 * The likelihood of a run.
 *
 * @param {{variance: number | null, thresholds: Object | null}} of
 */
export function likelihoodOf({ variance, thresholds }) {
  return thresholds ? new Odds(thresholds) : new Family(variance);
}

/** Bernoulli or Gaussian pixels: log p(x|z) = x · f(z) + c(z) + k(x). */
class Family {
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
   * @param {Float32Array} outputs (n, 784), of the decoder
   * @returns {{natural: Float32Array, constant: Float64Array, mean: Float32Array}} f(z) (n, 784),
   *   c(z) (n,), and the mean (n, 784)
   */
  ofDecoded(outputs) {
    const mean = new Float32Array(outputs.length);
    const constant = new Float64Array(outputs.length / PIXELS);
    for (let image = 0; image < constant.length; image++) {
      let [sum, ones] = [0, 1]; // log(1 + e^a) is max(a, 0) and the logarithm of 1 + e^-|a|
      for (let i = image * PIXELS; i < (image + 1) * PIXELS; i++) {
        const small = Math.exp(-Math.abs(outputs[i]));
        mean[i] = (outputs[i] < 0 ? small : 1) / (1 + small);
        if (this.variance === null) sum += Math.max(outputs[i], 0);
        else sum += mean[i] ** 2 / (2 * this.variance);
        ones *= 1 + small; // at most 2^784, which a number can be
      }
      constant[image] = -sum - (this.variance === null ? Math.log(ones) : 0);
    }
    const natural = this.variance === null ? outputs.slice() : mean.map((m) => m / this.variance);
    return { natural, constant, mean };
  }

  /** What depends on an image and on row `index` of f (n, 784): x · f. */
  product(image, natural, index) {
    const start = index * PIXELS;
    let sum = 0;
    for (let i = 0; i < PIXELS; i++) sum += image[i] * natural[start + i];
    return sum;
  }

  /** KL(p(x|a) ‖ p(x|b)) + KL(p(x|b) ‖ p(x|a)) of rows a, b of what was decoded. */
  divergence({ natural, mean }, a, b) {
    let sum = 0;
    for (let i = 0; i < PIXELS; i++) {
      const [one, other] = [a * PIXELS + i, b * PIXELS + i];
      sum += (natural[one] - natural[other]) * (mean[one] - mean[other]);
    }
    return sum;
  }
}
