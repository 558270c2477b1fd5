/** A trained model: what is quick is done here, what takes long by a worker. */
import { likelihoodOf } from "./likelihood.js";
import { Network } from "./network.js";
import { COARSEST, coarsest, EDGE, logPrior } from "./plane.js";
import { Surface } from "./surface.js";

const NO_WORKER = "Nothing exact can be computed here: the host of this page allows no worker " +
  "that is made from text (its content policy lacks worker-src blob:).";

export class Model {
  /**
   * @param data of a run, as vaelib.book.explorer.export writes it
   * @param weights its arrays, decoded
   * @param {string} program the source of the worker: from a file no other way to one is open
   */
  constructor(data, weights, program) {
    this.network = new Network(weights);
    this.likelihood = likelihoodOf(data);
    this.asked = 0; // how often the worker was asked
    try {
      this.worker = new Worker(URL.createObjectURL(new Blob([program])));
    } catch {
      this.worker = null;
    }
    const { variance, thresholds } = data;
    this.surveyed = this.answer({ weights, variance, thresholds }).then((survey) => {
      this.survey = survey;
    });
    this.idle = this.surveyed;
  }

  /** Send the worker a message; return a promise of its answer. */
  answer(message) {
    return new Promise((resolve, reject) => {
      if (!this.worker) return reject(new Error(NO_WORKER));
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.onerror = ({ message }) => { // none if it could not begin
        if (!message) this.worker = null;
        reject(new Error(message ? `The computation has failed: ${message}` : NO_WORKER));
      };
      this.worker.postMessage(message);
    });
  }

  /**
   * The posterior of an image (784,) on the coarse plane: quick, and good enough for a picture.
   *
   * @returns {Surface | null} null as long as the plane is not decoded
   */
  estimate(image) {
    if (!this.survey) return null;
    const { natural, constant } = this.survey;
    const squares = coarsest(EDGE).map(([i, j], square) => {
      const values = [0, 1, 2, 3].map((n) => {
        const node = 4 * square + n;
        return this.likelihood.product(image, natural, node) + constant[node];
      });
      return { i, j, values };
    });
    return new Surface(COARSEST, squares);
  }

  /**
   * Decode a point of the plane.
   *
   * @returns {{mean: Float32Array, joint: number}} the image (784,), and log p(x, z) in nats of an
   *   image x; log p(z) if there is none
   */
  decode(z, image) {
    const { natural, constant, mean } = this.likelihood.ofDecoded(this.network.decode(z));
    const likelihood = image && this.likelihood.product(image, natural, 0) + constant[0] +
        this.likelihood.ofImage(image);
    return { mean, joint: (likelihood ?? 0) + logPrior(...z) };
  }

  /** Compute evidence, bound, gap and posterior of an image (784,) exactly: worker.examine. */
  examine(image) {
    return this.ask({ image });
  }

  /** Improve a q of an image (784,) by a step: bound.ascend. */
  ascend(image, q) {
    return this.ask({ image, q });
  }

  /** Ask the worker when it is idle; the answer is null if something else was asked meanwhile. */
  async ask(message) {
    const number = ++this.asked;
    await this.idle.catch(() => {}); // of what was asked before
    if (number !== this.asked) return null;
    this.idle = this.answer(message);
    return this.idle;
  }
}
