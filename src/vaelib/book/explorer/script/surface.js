/** The posterior between the nodes of squares, for pictures. */

const ABSENT = -50; // nats below the greatest value: where nothing is known, and no height is less
const DEPTH = 12; // nats below the greatest density where nothing can be seen any more
const GRAIN = 192; // points along each side of a raster
const SHARES = [0.5, 0.95]; // of the mass, which contours hold

export class Surface {
  /**
   * @param {number} step of all squares
   * @param {Array<{i: number, j: number, values: ArrayLike<number>}>} squares with log p(x, z)
   * @param {Array<{step: number, i: number, j: number, n: number, value: number}>} around nodes n of
   *   squares of greater steps that were too low to be divided, with their log p(x, z)
   */
  constructor(step, squares, around = []) {
    this.step = step;
    const indices = [squares.map(({ i }) => i), squares.map(({ j }) => j)];
    // Two nodes more on each side, which interpolation at the border needs.
    this.corner = indices.map((axis) => 2 * axis.reduce((a, b) => Math.min(a, b)) - 2);
    this.shape = indices.map((axis, k) =>
      2 * axis.reduce((a, b) => Math.max(a, b)) + 4 - this.corner[k]
    );
    let greatest = -Infinity;
    for (const { values } of squares) greatest = Math.max(greatest, ...values);
    this.heights = new Float32Array(this.shape[0] * this.shape[1]).fill(ABSENT);
    for (const { step: wide, i, j, n, value } of around) {
      this.fill(wide / step, 2 * i + (n >> 1), 2 * j + (n & 1), value - greatest);
    }
    for (const { i, j, values } of squares) {
      for (let n = 0; n < 4; n++) {
        this.fill(1, 2 * i + (n >> 1), 2 * j + (n & 1), values[n] - greatest);
      }
    }
  }

  /** Give the nodes of a cell, as many steps wide, one height. */
  fill(wide, i, j, height) {
    const [rows, columns] = this.shape;
    const [row, column] = [wide * i - this.corner[0], wide * j - this.corner[1]];
    for (let r = Math.max(row, 0); r < Math.min(row + wide, rows); r++) {
      const [begin, end] = [Math.max(column, 0), Math.min(column + wide, columns)];
      if (begin < end) this.heights.fill(height, r * columns + begin, r * columns + end);
    }
  }

  /** The point of the plane of a node. */
  node(index) {
    return [Math.floor(index / this.shape[1]), index % this.shape[1]]
      .map((position, axis) => (position + this.corner[axis] + 0.5) * this.step);
  }

  /** The box [left, right, bottom, top] of all cells whose nodes are at most `depth` nats down. */
  extent(depth) {
    const box = [Infinity, -Infinity, Infinity, -Infinity];
    this.heights.forEach((height, index) => {
      if (height < -depth) return;
      this.node(index).forEach((middle, axis) => {
        box[2 * axis] = Math.min(box[2 * axis], middle - this.step / 2);
        box[2 * axis + 1] = Math.max(box[2 * axis + 1], middle + this.step / 2);
      });
    });
    return box;
  }

  /** The nodes, as points, that are higher than those around them, the highest first. */
  peaks(depth) {
    const [rows, columns] = this.shape;
    const found = [];
    for (let row = 1; row < rows - 1; row++) {
      for (let column = 1; column < columns - 1; column++) {
        const here = row * columns + column;
        const around = [-columns, 0, columns].flatMap((down) =>
          [-1, 0, 1].map((across) => this.heights[here + down + across])
        );
        if (this.heights[here] >= Math.max(-depth, ...around)) found.push(here);
      }
    }
    return found.sort((a, b) => this.heights[b] - this.heights[a]).map((index) => this.node(index));
  }

  /**
   * The logarithm of the density at a point, relative to the greatest node's, by cubic convolution
   * (Keys, 1981). It is the logarithm that is smooth: of a Gaussian it is interpolated exactly, and
   * of a narrow ridge across the nodes too.
   */
  height(z1, z2) {
    return this.between(this.nodes(z1, 0), this.nodes(z2, 1));
  }

  /** The first of the four nodes along an axis that lie around a position, and their weights. */
  nodes(position, axis) {
    const u = position / this.step - 0.5 - this.corner[axis];
    const first = Math.floor(u) - 1;
    const inside = first >= 0 && first <= this.shape[axis] - 4;
    return inside ? { first, weights: weights(u - first - 1) } : null;
  }

  /** The height between four nodes of each axis. */
  between(down, across) {
    if (!down || !across) return ABSENT;
    const { heights, shape: [, columns] } = this;
    const [w0, w1, w2, w3] = across.weights;
    let sum = 0;
    for (let a = 0; a < 4; a++) {
      const at = (down.first + a) * columns + across.first;
      sum += down.weights[a] *
        (w0 * heights[at] + w1 * heights[at + 1] + w2 * heights[at + 2] + w3 * heights[at + 3]);
    }
    return Math.max(sum, ABSENT);
  }

  /** The heights at points of a grid over all that can be seen, row by row from the top. */
  raster() {
    if (this.drawn) return this.drawn;
    const box = this.extent(DEPTH);
    const [left, right, bottom, top] = box;
    const shares = Array.from({ length: GRAIN }, (_, n) => (n + 0.5) / GRAIN);
    const columns = shares.map((share) => this.nodes(left + share * (right - left), 0));
    const rows = shares.map((share) => this.nodes(top - share * (top - bottom), 1));
    const heights = new Float32Array(GRAIN ** 2);
    rows.forEach((row, r) =>
      columns.forEach((column, c) => (heights[r * GRAIN + c] = this.between(column, row)))
    );
    return (this.drawn = { box, side: GRAIN, heights });
  }

  /** The heights above which lie the SHARES of the mass. */
  levels() {
    const sorted = this.raster().heights.slice().sort().reverse();
    const masses = sorted.map(Math.exp);
    const total = masses.reduce((a, b) => a + b);
    let [sum, n] = [0, 0];
    return SHARES.map((share) => {
      while (sum < share * total) sum += masses[n++];
      return sorted[n - 1];
    });
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
