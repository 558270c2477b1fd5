/** The posterior between the nodes of squares, for pictures. */

const ABSENT = -50; // nats below the greatest value, where there is no node

export class Surface {
  /**
   * @param {number} step of all squares
   * @param {Array<{i: number, j: number, values: ArrayLike<number>}>} squares with log p(x, z)
   * @param {boolean} resolved whether the nodes are so close that the density itself can be
   *   interpolated; if not, its logarithm is, on squares without gaps
   */
  constructor(step, squares, resolved) {
    this.step = step;
    this.resolved = resolved;
    const indices = [squares.map(({ i }) => i), squares.map(({ j }) => j)];
    // Two nodes more on each side, which interpolation at the border needs.
    this.corner = indices.map((axis) => 2 * axis.reduce((a, b) => Math.min(a, b)) - 2);
    this.shape = indices.map((axis, k) =>
      2 * axis.reduce((a, b) => Math.max(a, b)) + 4 - this.corner[k]
    );
    let greatest = -Infinity;
    for (const { values } of squares) greatest = Math.max(greatest, ...values);
    this.heights = new Float32Array(this.shape[0] * this.shape[1]).fill(ABSENT);
    for (const { i, j, values } of squares) {
      for (let n = 0; n < 4; n++) {
        const row = 2 * i + (n >> 1) - this.corner[0];
        const column = 2 * j + (n & 1) - this.corner[1];
        this.heights[row * this.shape[1] + column] = values[n] - greatest;
      }
    }
    this.grid = resolved ? this.heights.map(Math.exp) : this.heights;
  }

  /** The box [left, right, bottom, top] of all cells whose nodes are at most `depth` nats down. */
  extent(depth) {
    const box = [Infinity, -Infinity, Infinity, -Infinity];
    this.heights.forEach((height, index) => {
      if (height < -depth) return;
      const cell = [Math.floor(index / this.shape[1]), index % this.shape[1]];
      cell.forEach((position, axis) => {
        const low = (position + this.corner[axis]) * this.step;
        box[2 * axis] = Math.min(box[2 * axis], low);
        box[2 * axis + 1] = Math.max(box[2 * axis + 1], low + this.step);
      });
    });
    return box;
  }

  /** The density at a point relative to the greatest node's, by cubic convolution (Keys, 1981). */
  at(z1, z2) {
    const [rows, columns] = this.shape;
    const u = z1 / this.step - 0.5 - this.corner[0];
    const v = z2 / this.step - 0.5 - this.corner[1];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    if (i < 1 || j < 1 || i > rows - 3 || j > columns - 3) return 0;
    const down = weights(u - i);
    const across = weights(v - j);
    let sum = 0;
    for (let a = 0; a < 4; a++) {
      const start = (i + a - 1) * columns + j - 1;
      for (let b = 0; b < 4; b++) sum += down[a] * across[b] * this.grid[start + b];
    }
    return this.resolved ? sum : Math.exp(sum);
  }
}

/** The weights of four neighbours at a distance t in [0, 1) behind the second. */
function weights(t) {
  return [
    ((2 - t) * t - 1) * t / 2,
    ((3 * t - 5) * t * t + 2) / 2,
    ((4 - 3 * t) * t + 1) * t / 2,
    (t - 1) * t * t / 2,
  ];
}
