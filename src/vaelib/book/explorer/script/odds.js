/**
 * Proportional odds of grey levels: vaelib.evidence.odds.
 *
 * With σ(τ − a) the probability that a level is not above a threshold τ, for an output a of the
 * decoder, everything is made of e to a, which stands for f(z), and of e to the thresholds. Most
 * pixels are black: c(z) is log P of an image that is black all over, and the others are exchanged.
 */
import { PIXELS } from "./network.js";

const LARGEST = 80; // outputs beyond it are taken for it: single precision has no larger powers
const BEYOND = 20; // of the outer thresholds, where the mean level is 0 or 1
const STEPS = 4096; // of the table of mean levels

export class Odds {
  /** @param {{first: number, gaps: number[]}} thresholds the least, and from each to the next */
  constructor({ first, gaps }) {
    const thresholds = [first];
    for (const gap of gaps) thresholds.push(thresholds.at(-1) + gap);
    this.below = [0, ...thresholds.map((t) => Math.exp(t))]; // of each level
    this.above = [...thresholds.map((t) => Math.exp(-t)), 0]; // the inverse
    this.width = [0, ...gaps.map((gap) => Math.log(-Math.expm1(-gap))), 0];
    const [low, high] = [first - BEYOND, thresholds.at(-1) + BEYOND];
    this.place = (a) => (a - low) / (high - low) * STEPS;
    this.means = Float64Array.from({ length: STEPS + 1 }, (_, n) => {
      const a = low + (high - low) * n / STEPS;
      return thresholds.reduce((sum, t) => sum + 1 / (1 + Math.exp(t - a)), 0) / thresholds.length;
    });
  }

  ofImage() {
    return 0;
  }

  ofDecoded(outputs) {
    const natural = outputs.map((a) => Math.exp(Math.max(-LARGEST, Math.min(a, LARGEST))));
    const constant = new Float64Array(outputs.length / PIXELS);
    for (let i = 0; i < natural.length; i++) {
      constant[Math.floor(i / PIXELS)] -= Math.log1p(natural[i] * this.above[0]);
    }
    return { natural, constant, mean: outputs.map((a) => this.mean(a)) };
  }

  /** The mean level of an output, in [0, 1]. */
  mean(a) {
    const place = Math.max(0, Math.min(this.place(a), STEPS - 1e-9));
    const n = Math.floor(place);
    return this.means[n] + (place - n) * (this.means[n + 1] - this.means[n]);
  }

  product(image, natural, index) {
    if (image !== this.image) {
      this.image = image;
      const levels = Array.from(image, (x, i) => [i, Math.round(255 * x)]);
      this.inked = levels.filter(([, level]) => level);
    }
    const { below, above, width } = this;
    const start = index * PIXELS;
    let sum = 0;
    for (const [i, k] of this.inked) {
      const e = natural[start + i];
      sum += Math.log((1 + e * above[0]) / ((1 + e * above[k]) * (1 + below[k] / e))) + width[k];
    }
    return sum;
  }

  /** By the Fisher information, as if the levels between black and white lay dense. */
  divergence({ natural }, a, b) {
    let sum = 0;
    for (let i = 0; i < PIXELS; i++) {
      const [one, other] = [natural[a * PIXELS + i], natural[b * PIXELS + i]];
      sum += Math.log(one / other) ** 2 * (this.information(one) + this.information(other)) / 2;
    }
    return sum;
  }

  information(e) {
    const black = 1 / (1 + e * this.above[0]);
    const white = 1 / (1 + this.below[255] / e);
    const inside = ((1 - 2 * white) ** 3 - (2 * black - 1) ** 3) / 6;
    return black * (1 - black) ** 2 + inside + white * (1 - white) ** 2;
  }
}
