/**
 * The encoder and the decoder of vaelib.vae.model.
 *
 * Images and hidden layers lie row by row, channels last: (batch, height, width, channels). A
 * convolution gathers 3 × 3 patches and multiplies them with a matrix. A transposed one takes the
 * same two steps turned round: it multiplies, and scatters the products as patches.
 */
import { Matrices, padded } from "./matrices.js";

export const SIDE = 28; // pixels
export const PIXELS = SIDE * SIDE;
export const BATCH = 4; // latent vectors that are decoded together at most
const NUMBERS = 1_300_000; // floats that the weights and the layers of a batch take at most

export class Network {
  /**
   * @param {Object<string, {shape: number[], values: ArrayLike<number>}>} weights by PyTorch's
   *   names; those of a layer as a matrix (inputs, outputs).
   */
  constructor(weights) {
    const matrices = new Matrices(NUMBERS);
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
    this.deconv1 = layer("decoder.deconv1", BATCH * 49, this.dense.result);
    this.deconv2 = layer("decoder.deconv2", BATCH * 196);
    this.deconv3 = layer("decoder.deconv3", BATCH * PIXELS);
    this.logits = matrices.allocate(BATCH * PIXELS);
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
    this.matrices.rectify(this.dense.multiply(n)); // (n, 7, 7, 64)
    this.deconv1.multiply(n * 49);
    scatter(this.deconv1, n, 7, 2, this.deconv2.left);
    this.matrices.rectify(this.deconv2.left); // (n, 14, 14, 64)
    this.deconv2.multiply(n * 196);
    scatter(this.deconv2, n, 14, 2, this.deconv3.left);
    this.matrices.rectify(this.deconv3.left); // (n, 28, 28, 32)
    this.deconv3.multiply(n * PIXELS);
    scatter(this.deconv3, n, 28, 1, this.logits);
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
    this.width = padded(outputs, 8);
    this.bias = Float32Array.from(bias.values);
    this.weight = matrices.allocate(inputs * this.width);
    for (let row = 0; row < inputs; row++) {
      const values = weight.values.subarray(row * outputs, (row + 1) * outputs);
      this.weight.set(values, row * this.width);
    }
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
 * @param {Layer} layer its result is (n · size², 9 · channels), with unused columns at the end
 * @param {Float32Array} images (n, stride · size, stride · size, channels), written
 */
function scatter(layer, n, size, stride, images) {
  const { result, width, bias } = layer;
  const channels = bias.length;
  const large = stride * size;
  for (let i = 0; i < n * large * large * channels; i += channels) {
    for (let c = 0; c < channels; c++) images[i + c] = bias[c];
  }
  for (let row = 0; row < n * size; row++) {
    const image = Math.floor(row / size) * large;
    for (let j = 0; j < size; j++) {
      const patch = width * (row * size + j);
      const first = stride * j - 1; // column of the image at which the patch begins
      const [cut, end] = [Math.max(0, -first), Math.min(3, large - first)];
      for (let r = 0; r < 3; r++) {
        const y = stride * (row % size) + r - 1;
        if (y < 0 || y >= large) continue;
        // The three pixels of a patch's row are neighbours in the image too.
        const from = patch + channels * 3 * r;
        const to = channels * ((image + y) * large + first);
        for (let c = channels * cut; c < channels * end; c++) {
          images[to + c] += result[from + c];
        }
      }
    }
  }
}
