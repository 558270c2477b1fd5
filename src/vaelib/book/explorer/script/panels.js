/** The five pictures: the drawing, what is encoded, the latent plane, a window of it, the decoded. */
import { PIXELS, SIDE } from "./network.js";
import { EDGE } from "./plane.js";
import { ink } from "./preparation.js";
import { View, windowAround } from "./view.js";

const PLANE = [-EDGE, EDGE, -EDGE, EDGE]; // left, right, bottom, top
const NEAR = 5; // nats below the greatest density: the cells that the magnified window holds
const REACH = 2.2; // deviations of q that it holds

export class Panels {
  /** @param {(name: string) => HTMLElement} find looks a part of the markup up by its name */
  constructor(find) {
    this.find = find;
    this.plane = new View(find("plane"));
    this.magnified = new View(find("magnified"));
  }

  /**
   * Draw all.
   *
   * @param {Object} state
   *   strokes, pen, cursor: of the drawing; cursor is the keyboard's place or null
   *   image: (784,), what is encoded; q: its {mean, deviation}; surface: its posterior; or null
   *   z, decoded: a point of the plane and its image (784,); or null
   *   codes: {means, labels} of test images
   */
  draw(state) {
    const colours = readColours(this.find("plane"));
    const { q, surface, z, codes } = state;
    this.drawStrokes(state, colours);
    paint(this.find("encoded"), state.image, colours);
    paint(this.find("decoded"), state.decoded, colours);
    const window = q ? frame(q, surface) : PLANE;
    this.plane.draw({ q, surface, z, codes, frame: q && window }, PLANE, colours);
    this.magnified.draw({ q, surface, z, codes }, window, colours);
    const [left, right, bottom, top] = window.map((edge) => edge.toFixed(2).replace("-", "−"));
    this.find("scale").textContent =
      `The frame, magnified: z₁ from ${left} to ${right}, z₂ from ${bottom} to ${top}`;
  }

  drawStrokes({ strokes, pen, cursor }, colours) {
    const canvas = this.find("drawing");
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = colours.text;
    ink(context, strokes, pen);
    if (!strokes.length && !cursor) {
      context.font = "14px sans-serif";
      context.textAlign = "center";
      context.fillText("draw here", canvas.width / 2, canvas.height / 2);
    }
    if (!cursor) return;
    context.strokeStyle = colours.encoder;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(...cursor, pen / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** The window that holds the encoder's ellipse and the posterior. */
function frame({ mean, deviation }, surface) {
  const points = [-1, 1].map((sign) => mean.map((m, k) => m + sign * REACH * deviation[k]));
  if (surface) {
    const [left, right, bottom, top] = surface.extent(NEAR);
    points.push([left, bottom], [right, top]);
  }
  return windowAround(points);
}

/** Paint an image (784,), pixels in [0, 1], in the colours of text on its ground; null is empty. */
export function paint(canvas, image, { ink: [red, green, blue] }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, SIDE, SIDE);
  if (!image) return;
  const pixels = new ImageData(SIDE, SIDE);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    pixels.data[4 * pixel] = red;
    pixels.data[4 * pixel + 1] = green;
    pixels.data[4 * pixel + 2] = blue;
    pixels.data[4 * pixel + 3] = 255 * image[pixel];
  }
  context.putImageData(pixels, 0, 0);
}

/** Read the colours of the page's mode from the style sheet. */
export function readColours(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--explorer-${name}`).trim();
  const numbers = (name) => read(name).split(" ").map(Number);
  return {
    ground: read("ground"),
    text: read("text"),
    encoder: read("encoder"),
    ink: numbers("ink"),
    posterior: numbers("posterior"),
    classes: read("classes").split(" "),
  };
}
