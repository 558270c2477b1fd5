/** What takes long, in a thread of its own: the coarse plane once, and single images exactly. */
import { ascend, bound } from "./bound.js";
import { likelihoodOf } from "./likelihood.js";
import { Network, PIXELS } from "./network.js";
import { COARSEST, coarsest, EDGE, Plane } from "./plane.js";
import { integrate } from "./quadrature.js";

/** Answer the messages of model.js: first the network, then images, some with a q to improve. */
export function serve() {
  let plane;
  globalThis.onmessage = ({ data }) => {
    if (data.weights) {
      plane = new Plane(new Network(data.weights), likelihoodOf(data));
      const answer = survey(plane);
      globalThis.postMessage(answer, [answer.natural.buffer, answer.constant.buffer]);
    } else if (data.q) {
      globalThis.postMessage(ascend(plane.network, plane.likelihood, data.image, data.q));
    } else {
      globalThis.postMessage(examine(plane, data.image));
    }
  };
}

/**
 * Decode the coarse plane.
 *
 * @returns {{natural: Float32Array, constant: Float64Array}} (4 · squares, 784) and (4 · squares,)
 */
function survey(plane) {
  const squares = coarsest(EDGE).map(([i, j]) => plane.square(COARSEST, i, j));
  const natural = new Float32Array(squares.length * 4 * PIXELS);
  const constant = new Float64Array(squares.length * 4);
  squares.forEach((square, n) => {
    natural.set(square.natural, n * 4 * PIXELS);
    constant.set(square.constant, n * 4);
  });
  return { natural, constant };
}

/** Compute evidence, bound with its parts, and gap of an image (784,), and the posterior with its mean. */
export function examine(plane, image) {
  const { squares, step, logEvidence, ...more } = integrate(plane, image);
  const q = plane.network.encode(image);
  const lower = bound(plane.network, plane.likelihood, image, q);
  const mean = [0, 0];
  for (const { i, j, values } of squares) {
    values.forEach((value, n) => {
      const mass = Math.exp(value - logEvidence) * step ** 2;
      mean[0] += mass * (2 * i + (n >> 1) + 0.5) * step;
      mean[1] += mass * (2 * j + (n & 1) + 0.5) * step;
    });
  }
  return { ...lower, ...more, logEvidence, gap: logEvidence - lower.bound, mean, step, squares };
}
