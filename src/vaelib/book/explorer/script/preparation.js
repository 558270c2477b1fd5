/**
 * A drawing as MNIST would have it: scaled into 20 × 20 pixels, its centre of mass in the middle.
 *
 * LeCun et al. scale the bounding box of the ink to 20 pixels, grey at the edges, and put the centre
 * of mass at the middle of 28 × 28. That is pixel 14 by index, counted from 0, so 14.5 in
 * coordinates whose pixels have their centres at halves.
 */
import { PIXELS, SIDE } from "./network.js";

const BOX = 20; // pixels of the longer side of the ink
const MIDDLE = 14.5;
const DOT = 0.01; // a line of no length would leave no ink
const FINE = 4; // samples along each side of a pixel

/**
 * Turn strokes into an image.
 *
 * @param {number[][][]} strokes lists of points [x, y]
 * @param {number} pen width of the pen in the units of the points
 * @returns {Float32Array | null} (784,), whole grey levels over 255; null if nothing is drawn
 */
export function prepare(strokes, pen) {
  const points = strokes.flat();
  if (!points.length) return null;
  const [left, top] = [0, 1].map((k) => Math.min(...points.map((p) => p[k])) - pen / 2);
  const [right, bottom] = [0, 1].map((k) => Math.max(...points.map((p) => p[k])) + pen / 2);
  const scale = BOX / Math.max(right - left, bottom - top);
  const place = (x, y) => rendered(strokes, pen, scale, x, y);
  const first = place((left + right) / 2, (top + bottom) / 2);
  const [x, y] = centreOfMass(first); // relative to the middle, in pixels
  return place((left + right) / 2 + x / scale, (top + bottom) / 2 + y / scale);
}

/** Render strokes, scaled, with the point (x, y) of the drawing in the middle. */
function rendered(strokes, pen, scale, x, y) {
  const canvas = new OffscreenCanvas(SIDE * FINE, SIDE * FINE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.scale(FINE, FINE);
  context.translate(MIDDLE, MIDDLE);
  context.scale(scale, scale);
  context.translate(-x, -y);
  ink(context, strokes, pen);
  const { data } = context.getImageData(0, 0, SIDE * FINE, SIDE * FINE);
  const image = new Float32Array(PIXELS);
  for (let i = 0; i < SIDE * FINE; i++) {
    for (let j = 0; j < SIDE * FINE; j++) {
      const pixel = SIDE * Math.floor(i / FINE) + Math.floor(j / FINE);
      image[pixel] += data[4 * (i * SIDE * FINE + j) + 3] / (FINE * FINE);
    }
  }
  return image.map((level) => Math.round(level) / 255);
}

/** Draw strokes with a round pen. */
export function ink(context, strokes, pen) {
  context.lineWidth = pen;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(([x, y]) => context.lineTo(x, y));
    const [x, y] = stroke.at(-1);
    context.lineTo(x + DOT, y);
    context.stroke();
  }
}

/** Find the centre of mass of an image (784,), from the middle, in pixels. */
function centreOfMass(image) {
  let [mass, x, y] = [0, 0, 0];
  image.forEach((value, pixel) => {
    mass += value;
    x += value * (pixel % SIDE + 0.5 - MIDDLE);
    y += value * (Math.floor(pixel / SIDE) + 0.5 - MIDDLE);
  });
  return [x / mass, y / mass];
}
