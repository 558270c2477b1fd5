/**
 * Float32 arrays in one piece of memory, and their products.
 *
 * Arrays are given out once and never back: a network knows all sizes that it needs.
 */
import { PROGRAM } from "./program.js";
import { bytes } from "./weights.js";

const PAGE = 65536; // bytes, the unit in which WebAssembly counts memory

/** The smallest multiple of `unit` that is at least `number`. */
export function padded(number, unit) {
  return Math.ceil(number / unit) * unit;
}

export class Matrices {
  /** @param {number} numbers how many floats will be allocated at most */
  constructor(numbers) {
    this.memory = new WebAssembly.Memory({
      initial: Math.ceil((4 * numbers) / PAGE),
    });
    const instance = new WebAssembly.Instance(
      new WebAssembly.Module(bytes(PROGRAM)),
      { explorer: { memory: this.memory } },
    );
    this.program = instance.exports;
    this.used = 0; // bytes
  }

  /** Whether this browser can do it, and the page's host lets it. */
  static supported() {
    try {
      return Boolean(new WebAssembly.Module(bytes(PROGRAM)));
    } catch {
      return false;
    }
  }

  /** Return a new Float32Array (number,) of zeros; a multiple of four floats is set aside. */
  allocate(number) {
    const array = new Float32Array(this.memory.buffer, this.used, number);
    this.used += 4 * padded(number, 4);
    return array;
  }

  /**
   * Set c (m, n) to the product of a (m, k) and b (k, n), all row by row.
   *
   * All three were allocated here; n is a multiple of 8. Rows are computed four by four, so a and c
   * have room for m rounded up to a multiple of 4.
   */
  product(a, b, c, m, k, n) {
    const [left, right, result] = [a, b, c].map((array) => array.byteOffset);
    this.program.product(left, right, result, padded(m, 4), k, n);
  }

  /** Replace the negative numbers of an array that was allocated here by zero. */
  rectify(array) {
    this.program.rectify(array.byteOffset, padded(array.length, 4));
  }
}
