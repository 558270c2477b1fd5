/** A trained model: what is quick is done here, what takes long by a worker. */
import { Likelihood, product } from "./likelihood.js";
import { Network } from "./network.js";
import { COARSEST, coarsest, EDGE } from "./plane.js";
import { Surface } from "./surface.js";
import { arrays } from "./weights.js";

const NO_WORKER = "Nothing exact can be computed here: the host of this page allows no worker " +
  "that is made from text (its content policy lacks worker-src blob:).";

export class Model {
  /**
   * @param data of a run, as vaelib.book.explorer.export writes it
   * @param {string} program the source of the worker: from a file no other way to one is open
   */
  constructor(data, program) {
    const weights = arrays(data.weights, data.shapes);
    this.network = new Network(weights);
    this.likelihood = new Likelihood(data.variance);
    this.asked = 0; // images whose exact values were asked for
    try {
      this.worker = new Worker(URL.createObjectURL(new Blob([program])));
    } catch {
      this.worker = null;
    }
    this.surveyed = this.answer({ weights, variance: data.variance }).then((survey) => {
      this.survey = survey;
    });
    this.idle = this.surveyed;
  }

  /** Send the worker a message; return a promise of its answer. */
  answer(message) {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new Error(NO_WORKER));
      if (!this.worker) return refuse();
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.onerror = refuse;
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
        return product(image, natural, node) + constant[node];
      });
      return { i, j, values };
    });
    return new Surface(COARSEST, squares, false);
  }

  /**
   * Compute evidence, bound, gap and posterior of an image (784,) exactly.
   *
   * @returns {Promise} of what worker.examine returns; of null if another image was asked for before
   *   the worker could begin
   */
  async examine(image) {
    const number = ++this.asked;
    await this.idle;
    if (number !== this.asked) return null;
    this.idle = this.answer({ image });
    return this.idle;
  }
}
