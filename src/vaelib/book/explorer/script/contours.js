/** Lines of equal height. */

/**
 * Find where a raster has a height: each of its cells is cut into two triangles, which are flat.
 *
 * @param {Object} raster of Surface.raster
 * @param {number} level
 * @returns {Array} segments, each two points of the plane
 */
export function contour({ box: [left, right, bottom, top], side, heights }, level) {
  const place = (k) => [
    left + (k % side + 0.5) / side * (right - left),
    top - (Math.floor(k / side) + 0.5) / side * (top - bottom),
  ];
  const crossing = (a, b) => {
    const share = (level - heights[a]) / (heights[b] - heights[a]);
    const [from, to] = [place(a), place(b)];
    return from.map((value, k) => value + share * (to[k] - value));
  };
  const segments = [];
  const high = heights.map((height) => height >= level);
  for (let k = 0; k < side * (side - 1); k++) {
    const corners = high[k] + high[k + 1] + high[k + side] + high[k + side + 1];
    if (k % side === side - 1 || corners % 4 === 0) continue; // the last of a row, or all alike
    for (const triangle of [[k, k + 1, k + side], [k + 1, k + side, k + side + 1]]) {
      const above = triangle.filter((n) => heights[n] >= level);
      if (above.length % 3 === 0) continue;
      const alone = above.length === 1 ? above[0] : triangle.find((n) => heights[n] < level);
      segments.push(triangle.filter((n) => n !== alone).map((other) => crossing(alone, other)));
    }
  }
  return segments;
}
