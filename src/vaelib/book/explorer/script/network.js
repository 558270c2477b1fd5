/**
 * The encoder and the decoder of vaelib.vae.model.
 *
 * Images and hidden layers lie row by row, channels last: (height, width, batch, channels). A
 * convolution gathers 3 × 3 patches and multiplies them with a matrix. A transposed one takes the
 * same two steps turned round: it multiplies, and scatters the products as patches. In a batch of
 * neighbours in the plane, the same units are zero; so what is multiplied together is the same pixel
 * of all of them.
 */
import { Matrices, padded, PANEL } from "./matrices.js";

export const SIDE = 28; // pixels
export const PIXELS = SIDE * SIDE;
export const BATCH = 4; // latent vectors that are decoded together at most
const LAYERS = 700_000; // floats that the layers of a batch take at most

export class Network {
  /**
   * @param {Object<string, {shape: number[], values: ArrayLike<number>}>} weights by PyTorch's
   *   names; those of a layer as a matrix (inputs, outputs).
   */
  constructor(weights) {
    const shapes = Object.values(weights).map(({ shape: [rows, columns = 1] }) => [rows, columns]);
    // As many numbers as a weight, and four rows that it gives: of an encoder of any width.
    const sizes = shapes.map(([rows, columns]) => (rows + 4) * padded(columns, PANEL));
    const longest = Math.max(...shapes.map(([rows]) => rows));
    const matrices = new Matrices(LAYERS + sizes.reduce((a, b) => a + b), longest);
    this.matrices = matrices;
    const layer = (name, rows, left) =>
      new Layer(
        matrices,
        weights[`${name}.weight`],
        weights[`${name}.bias`],
        rows,
        left,
      );
    this.conv1 = layer("encoder.conv1", 196);
    this.conv2 = layer("encoder.conv2", 49);
    this.hidden = layer("encoder.dense", 1, this.conv2.result);
    this.mean = layer("encoder.mean", 1, this.hidden.result);
    this.logVariance = layer("encoder.log_variance", 1, this.hidden.result);
    this.dense = layer("decoder.dense", BATCH);
    this.deconv1 = layer("decoder.deconv1", BATCH * 49);
    this.deconv2 = layer("decoder.deconv2", BATCH * 196);
    this.deconv3 = layer("decoder.deconv3", BATCH * PIXELS);
    this.turned = matrices.allocate(BATCH * PIXELS);
    this.logits = new Float32Array(BATCH * PIXELS);
  }

  /**
   * Encode an image (784,), pixels in [0, 1].
   *
   * @returns {{mean: number[], deviation: number[]}} of q(z|x), two numbers each
   */
  encode(image) {
    gather(image, 28, 1, this.conv1.left);
    this.matrices.rectify(this.conv1.multiply(196)); // (14, 14, 32)
    gather(this.conv1.result, 14, 32, this.conv2.left);
    this.matrices.rectify(this.conv2.multiply(49)); // (7, 7, 64)
    this.matrices.rectify(this.hidden.multiply(1)); // (16,)
    const [mean, logVariance] = [this.mean, this.logVariance].map((layer) =>
      Array.from(layer.multiply(1).subarray(0, 2))
    );
    return { mean, deviation: logVariance.map((value) => Math.exp(value / 2)) };
  }

  /**
   * Decode latent vectors, at most BATCH.
   *
   * @param {ArrayLike<number>} z (n, 2), row by row
   * @returns {Float32Array} (n, 784), logits; overwritten by the next call
   */
  decode(z) {
    const n = z.length / 2;
    this.dense.left.set(z);
    const hidden = this.dense.multiply(n); // (n, 7, 7, 64)
    this.matrices.rectify(hidden);
    turn(hidden, n, 64, this.deconv1.left); // (7, 7, n, 64)
    this.deconv1.multiply(n * 49);
    scatter(this.deconv1, n, 7, 2, this.deconv2.left);
    this.matrices.rectify(this.deconv2.left); // (14, 14, n, 64)
    this.deconv2.multiply(n * 196);
    scatter(this.deconv2, n, 14, 2, this.deconv3.left);
    this.matrices.rectify(this.deconv3.left); // (28, 28, n, 32)
    this.deconv3.multiply(n * PIXELS);
    scatter(this.deconv3, n, 28, 1, this.turned); // (28, 28, n)
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      for (let b = 0; b < n; b++) this.logits[b * PIXELS + pixel] = this.turned[pixel * n + b];
    }
    return this.logits.subarray(0, n * PIXELS);
  }
}

/** A weight matrix, its bias, and room for what it is multiplied with and for the result. */
class Layer {
  /**
   * @param {Matrices} matrices where the arrays are
   * @param weight {shape: [inputs, outputs], values}
   * @param bias {shape: [channels], values}: of each output, or of each channel of a patch
   * @param {number} rows that are multiplied at most
   * @param {Float32Array} left (rows, inputs), if it is the result of another layer
   */
  constructor(matrices, weight, bias, rows, left) {
    const [inputs, outputs] = weight.shape;
    this.matrices = matrices;
    this.inputs = inputs;
    this.outputs = outputs;
    this.width = padded(outputs, PANEL);
    this.bias = Float32Array.from(bias.values);
    this.weight = matrices.panels(weight);
    const space = padded(rows, 4);
    this.left = left ?? matrices.allocate(space * inputs);
    this.result = matrices.allocate(space * this.width);
  }

  /** Multiply the first rows of `left`; add the bias unless the outputs are patches. */
  multiply(rows) {
    const { left, weight, result, bias, inputs, outputs, width } = this;
    this.matrices.product(left, weight, result, rows, inputs, width);
    const used = result.subarray(0, rows * width);
    if (bias.length === outputs) {
      for (let start = 0; start < used.length; start += width) {
        for (let i = 0; i < outputs; i++) used[start + i] += bias[i];
      }
    }
    return used;
  }
}

/** Turn (n, 49, channels) into (49, n, channels). */
function turn(hidden, n, channels, turned) {
  for (let pixel = 0; pixel < 49; pixel++) {
    for (let b = 0; b < n; b++) {
      const from = channels * (49 * b + pixel);
      turned.set(hidden.subarray(from, from + channels), channels * (n * pixel + b));
    }
  }
}

/**
 * Lay the 3 × 3 patches around every second pixel of an image into rows.
 *
 * Patch (i, j) begins at pixel (2i − 1, 2j − 1); beyond the edge there are zeros.
 *
 * @param image (size, size, channels)
 * @param {Float32Array} patches (size²/4, 9 · channels), written
 */
function gather(image, size, channels, patches) {
  const half = size / 2;
  patches.fill(0);
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < half; j++) {
      const patch = 9 * channels * (i * half + j);
      for (let r = 0; r < 3; r++) {
        for (let s = 0; s < 3; s++) {
          const [y, x] = [2 * i + r - 1, 2 * j + s - 1];
          if (y < 0 || x < 0) continue;
          const from = channels * (y * size + x);
          const to = patch + channels * (3 * r + s);
          for (let c = 0; c < channels; c++) patches[to + c] = image[from + c];
        }
      }
    }
  }
}

/**
 * Add the 3 × 3 patches that a layer has computed into images that begin with its bias.
 *
 * The patch of pixel (i, j) begins at (stride · i − 1, stride · j − 1); what lies beyond the edge
 * is dropped.
 *
 * @param {Layer} layer its result is (size² · n, 9 · channels), with unused columns at the end
 * @param {Float32Array} images (stride · size, stride · size, n, channels), written
 */
function scatter(layer, n, size, stride, images) {
  const { matrices, result, width, bias } = layer;
  const channels = bias.length;
  const large = stride * size;
  const whole = n * large * large * channels;
  images.set(bias);
  for (let done = channels; done < whole; done *= 2) {
    images.copyWithin(done, 0, Math.min(done, whole - done));
  }
  for (let i = 0; i < size; i++) {
    for (let r = 0; r < 3; r++) {
      const y = stride * i + r - 1;
      if (y < 0 || y >= large) continue;
      for (let s = 0; s < 3; s++) {
        const first = s ? 0 : 1; // column of patches: what begins at −1 has nothing for s = 0
        const end = stride * (size - 1) + s - 1 < large ? size : size - 1;
        const from = width * (i * size + first) * n + channels * (3 * r + s);
        const to = channels * (y * large + stride * first + s - 1) * n;
        matrices.add(images, to, result, from, {
          rows: (end - first) * n,
          count: channels,
          width,
          block: n,
          skip: (stride - 1) * channels * n,
        });
      }
    }
  }
}
