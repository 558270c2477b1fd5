/**
 * Float32 arrays in one piece of memory, and their products.
 *
 * Arrays are given out once and never back: a network knows all sizes that it needs.
 */
import { PROGRAM } from "./program.js";
import { bytes } from "./weights.js";

const PAGE = 65536; // bytes, the unit in which WebAssembly counts memory
export const PANEL = 8; // columns of a matrix that lie together

/** The smallest multiple of `unit` that is at least `number`. */
export function padded(number, unit) {
  return Math.ceil(number / unit) * unit;
}

export class Matrices {
  /**
   * @param {number} numbers how many floats will be allocated at most
   * @param {number} longest numbers in a row that is multiplied, at most
   */
  constructor(numbers, longest) {
    const packed = 5 * (longest + 1);
    this.memory = new WebAssembly.Memory({
      initial: Math.ceil(4 * (numbers + packed) / PAGE),
    });
    const instance = new WebAssembly.Instance(
      new WebAssembly.Module(bytes(PROGRAM)),
      { explorer: { memory: this.memory } },
    );
    this.program = instance.exports;
    this.used = 0; // bytes
    this.packed = this.allocate(packed);
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

  /** Return a new matrix in panels of eight columns, row by row in each, for a product's right. */
  panels({ shape: [rows, columns], values }) {
    const array = this.allocate(rows * padded(columns, PANEL));
    values.forEach((value, n) => {
      const [row, column] = [Math.floor(n / columns), n % columns];
      array[PANEL * rows * Math.floor(column / PANEL) + PANEL * row + column % PANEL] = value;
    });
    return array;
  }

  /**
   * Set c (m, n) to the product of a (m, k), row by row as c is, and b (k, n), from `panels`.
   *
   * All three were allocated here; n is a multiple of PANEL. Rows are computed four by four, so a and
   * c have room for m rounded up to a multiple of 4. Columns of a that are zero in all four cost
   * nothing: after a ReLU most are, where the rows are alike.
   */
  product(a, b, c, m, k, n) {
    const [left, right, result] = [a, b, c].map((array) => array.byteOffset);
    this.program.product(left, right, result, padded(m, 4), k, n, this.packed.byteOffset);
  }

  /**
   * Add rows of `count` numbers, `width` apart in b from `from` on, to those in a from `to` on.
   *
   * In a they lie close together, but that after every `block` of them `skip` numbers follow.
   */
  add(a, to, b, from, { rows, count, width, block, skip }) {
    const [target, source] = [a.byteOffset + 4 * to, b.byteOffset + 4 * from];
    this.program.add(target, source, rows, count, width, block, skip);
  }

  /** Replace the negative numbers of an array that was allocated here by zero. */
  rectify(array) {
    this.program.rectify(array.byteOffset, padded(array.length, 4));
  }
}
