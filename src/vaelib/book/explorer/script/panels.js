/** The pictures: the drawing, what is encoded, the latent plane, the decoded, ways on the plane. */
import { PIXELS, SIDE } from "./network.js";
import { EDGE } from "./plane.js";
import { ink } from "./preparation.js";
import { View, windowAround } from "./view.js";

const PLANE = [-EDGE, EDGE, -EDGE, EDGE]; // left, right, bottom, top
const NEAR = 5; // nats below the greatest density: the cells that the magnified window holds
const REACH = 2.2; // deviations of q that it holds
const KEPT = 0.3; // opacity of a drawing while a test image is encoded

export class Panels {
  /** @param {(name: string) => HTMLElement} find looks a part of the markup up by its name */
  constructor(find) {
    this.find = find;
    this.plane = new View(find("plane"));
  }

  /**
   * Draw all.
   *
   * @param {Object} state
   *   strokes, pen, cursor: of the drawing; cursor is the keyboard's place or null
   *   aside: whether something else is encoded
   *   image: (784,), what is encoded; q: its {mean, deviation}; better: one that was improved;
   *     surface: its posterior; or null
   *   exact: whether the surface is
   *   z, pinned, decoded: the ring's place, whether it was put down, its image (784,); or null
   *   codes: {means, labels, places} of test images
   *   magnified: whether only the frame is shown
   *   ends: A and B, where they are put down; walk: {ways, images, heights} or null
   */
  draw(state) {
    const colours = readColours(this.find("plane"));
    const { q, better, surface, magnified, walk } = state;
    this.drawStrokes(state, colours);
    paint(this.find("encoded"), [state.image], colours);
    paint(this.find("decoded"), [state.decoded], colours);
    const frame = q && around(better ?? q, surface);
    const window = magnified && frame ? frame : PLANE;
    const shown = { ...state, ways: walk?.ways, frame: window === PLANE ? frame : null };
    this.plane.draw(shown, window, colours);
    this.find("scale").textContent = ["z₁", "z₂"]
      .map((name, k) => `${name} from ${decimal(window[2 * k])} to ${decimal(window[2 * k + 1])}`)
      .join(", ");
    if (walk) this.drawWalk(walk, colours);
  }

  drawStrokes({ strokes, pen, cursor, aside }, colours) {
    const canvas = this.find("drawing");
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = colours.text;
    context.globalAlpha = aside ? KEPT : 1;
    ink(context, strokes, pen);
    context.globalAlpha = 1;
    if (!strokes.length && !cursor) {
      context.font = "18px sans-serif";
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

  /** Draw what is decoded along two ways, and log p(x, z) there. */
  drawWalk({ images, heights }, colours) {
    images.forEach((row, n) => paint(this.find(`strip${n}`), row, colours));
    const canvas = this.find("heights");
    const context = canvas.getContext("2d");
    const { width, height } = canvas;
    const [least, most] = [Math.min(...heights.flat()), Math.max(...heights.flat())];
    context.clearRect(0, 0, width, height);
    context.lineWidth = 2;
    heights.forEach((row, n) => {
      context.strokeStyle = [colours.text, colours.contour][n];
      context.beginPath();
      row.forEach((value, k) => {
        const share = (most - value) / (most - least || 1);
        const place = (0.5 + k / (row.length - 1) * (images[n].length - 1)) / images[n].length;
        context.lineTo(place * width, 4 + share * (height - 8));
      });
      context.stroke();
    });
    this.find("fall").textContent = "log p(x, z) falls to " +
      `${decimal(Math.min(...heights[0]))} nats along the straight line (above), and to ` +
      `${decimal(Math.min(...heights[1]))} along the dense way (below); at best it is ${
        decimal(most)
      }.`;
  }
}

/** Write a number with two decimals and a true minus. */
export function decimal(value) {
  return value.toFixed(2).replace("-", "−");
}

/** The window that holds the encoder's ellipse and the posterior. */
function around({ mean, deviation }, surface) {
  const points = [-1, 1].map((sign) => mean.map((m, k) => m + sign * REACH * deviation[k]));
  if (surface) {
    const [left, right, bottom, top] = surface.extent(NEAR);
    points.push([left, bottom], [right, top]);
  }
  return windowAround(points);
}

/** Paint images (784,) side by side, pixels in [0, 1], in the colours of text; null is empty. */
export function paint(canvas, images, { ink: [red, green, blue] }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, SIDE);
  images.forEach((image, place) => {
    if (!image) return;
    const pixels = new ImageData(SIDE, SIDE);
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      pixels.data[4 * pixel] = red;
      pixels.data[4 * pixel + 1] = green;
      pixels.data[4 * pixel + 2] = blue;
      pixels.data[4 * pixel + 3] = 255 * image[pixel];
    }
    context.putImageData(pixels, place * SIDE, 0);
  });
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
    contour: read("contour"),
    ink: numbers("ink"),
    posterior: numbers("posterior"),
    classes: read("classes").split(" "),
  };
}
