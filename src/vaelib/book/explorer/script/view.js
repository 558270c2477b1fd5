/** A window of the latent plane on a canvas: codes, the posterior's shade, the encoder's ellipse. */
import { contour } from "./contours.js";

const MARGIN = 1.15; // of a magnified window around what it must hold
const SHADE = 0.85; // opacity where the density is greatest
const ROOT = 0.5; // opacity is this power of the density, so that its skirt can be seen

export class View {
  /** @param {HTMLCanvasElement} canvas square */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** Map a point of the plane to the canvas. */
  toCanvas([z1, z2]) {
    const [left, right, bottom, top] = this.window;
    const { width, height } = this.canvas;
    return [(z1 - left) / (right - left) * width, (top - z2) / (top - bottom) * height];
  }

  /** Map a pointer event to a point of the plane. */
  toPlane(event) {
    const [left, right, bottom, top] = this.window;
    const box = this.canvas.getBoundingClientRect();
    return [
      left + (event.clientX - box.left) / box.width * (right - left),
      top - (event.clientY - box.top) / box.height * (top - bottom),
    ];
  }

  /**
   * Draw a window.
   *
   * @param {Object} shown `codes`; `ends` of a walk, name → point; and `q` of the encoder, a `better` one,
   *   the posterior's `surface` and whether it is `exact`, the ring's place `z` and whether it is
   *   `pinned`, a `frame` around a smaller window, `ways` between points: each null if there is none
   * @param {number[]} window left, right, bottom, top
   * @param {Object} colours of panels.readColours
   */
  draw({ codes, q, better, surface, exact, z, pinned, frame, ways, ends }, window, colours) {
    const { context, canvas } = this;
    this.window = window;
    this.pixel = canvas.width / (canvas.clientWidth || canvas.width);
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.drawCodes(codes, colours);
    if (surface) this.drawShade(surface, colours.posterior);
    context.lineWidth = this.pixels(1);
    if (exact) this.drawContours(surface, colours.contour);
    this.label(codes.places, colours);
    context.lineWidth = this.pixels(1.5);
    if (frame) {
      const [x, y] = this.toCanvas([frame[0], frame[3]]);
      const [right, foot] = this.toCanvas([frame[1], frame[2]]);
      context.strokeStyle = colours.text;
      context.strokeRect(x, y, right - x, foot - y);
    }
    if (q) this.drawEllipses(q, colours.encoder);
    if (better) {
      context.setLineDash([this.pixels(4)]);
      this.drawEllipses(better, colours.encoder);
      context.setLineDash([]);
    }
    if (ways) this.drawWays(ways, colours);
    this.label(ends, colours);
    context.lineWidth = this.pixels(1.5);
    if (z) {
      context.strokeStyle = context.fillStyle = colours.text;
      context.beginPath();
      context.arc(...this.toCanvas(z), this.pixels(6), 0, 2 * Math.PI);
      context.stroke();
      if (!pinned) return;
      context.beginPath();
      context.arc(...this.toCanvas(z), this.pixels(2), 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Draw the codes of images, or what was drawn before if nothing has changed. */
  drawCodes(codes, { classes }) {
    const { canvas: { width, height }, pixel, window } = this;
    const means = codes.means;
    const key = JSON.stringify([width, height, pixel, window, classes]);
    if (this.layer?.key !== key || this.layer.means !== means) {
      const canvas = new OffscreenCanvas(width, height);
      this.layer = { key, means, canvas };
      const context = canvas.getContext("2d");
      const size = this.pixels(2.2);
      context.globalAlpha = 0.75;
      for (let n = 0; n < means.length / 2; n++) {
        const [x, y] = this.toCanvas(means.subarray(2 * n, 2 * n + 2));
        context.fillStyle = classes[codes.labels[n] ?? 0];
        context.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
    this.context.drawImage(this.layer.canvas, 0, 0);
  }

  /** Write texts at points of the plane: text → point. */
  label(places, colours) {
    const { context } = this;
    context.font = `bold ${this.pixels(15)}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = this.pixels(4);
    context.strokeStyle = colours.ground;
    context.fillStyle = colours.text;
    for (const [text, point] of Object.entries(places)) {
      const place = this.toCanvas(point);
      context.strokeText(text, ...place);
      context.fillText(text, ...place);
    }
  }

  /** Draw two ways, the straight one and the other. */
  drawWays([straight, other], colours) {
    const { context } = this;
    [[straight, colours.text], [other, colours.contour]].forEach(([way, colour]) => {
      context.strokeStyle = colour;
      context.beginPath();
      way.forEach((point) => context.lineTo(...this.toCanvas(point)));
      context.stroke();
    });
  }

  /** Draw the lines that hold half of the posterior's mass, and nearly all of it. */
  drawContours(surface, colour) {
    const { context } = this;
    const raster = surface.raster();
    surface.lines ??= surface.levels().flatMap((level) => contour(raster, level)); // for every move
    context.strokeStyle = colour;
    context.beginPath();
    for (const [from, to] of surface.lines) {
      context.moveTo(...this.toCanvas(from));
      context.lineTo(...this.toCanvas(to));
    }
    context.stroke();
  }

  /** Convert pixels of the page to units of the canvas. */
  pixels(number) {
    return number * this.pixel;
  }

  /** Shade the posterior: darker where its density is greater. */
  drawShade(surface, [red, green, blue]) {
    const { box: [left, right, bottom, top], side, heights } = surface.raster();
    const shade = new ImageData(side, side);
    heights.forEach((height, pixel) => {
      shade.data[4 * pixel] = red;
      shade.data[4 * pixel + 1] = green;
      shade.data[4 * pixel + 2] = blue;
      shade.data[4 * pixel + 3] = 255 * SHADE * Math.exp(Math.min(height, 0) * ROOT);
    });
    const layer = new OffscreenCanvas(side, side);
    layer.getContext("2d").putImageData(shade, 0, 0);
    const [x, y] = this.toCanvas([left, top]);
    const [end, foot] = this.toCanvas([right, bottom]);
    this.context.drawImage(layer, x, y, end - x, foot - y);
  }

  /** Draw the ellipses of one and two deviations of q, and its mean. */
  drawEllipses({ mean, deviation }, colour) {
    const { context } = this;
    const [x, y] = this.toCanvas(mean);
    const [right, top] = this.toCanvas(mean.map((m, k) => m + deviation[k]));
    context.strokeStyle = colour;
    for (const times of [1, 2]) {
      context.beginPath();
      context.ellipse(x, y, times * (right - x), times * (y - top), 0, 0, 2 * Math.PI);
      context.stroke();
    }
    const arm = this.pixels(4);
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}

/** The smallest square window that holds points, with a margin. */
export function windowAround(points) {
  const [low, high] = [Math.min, Math.max].map((extreme) =>
    [0, 1].map((k) => extreme(...points.map((point) => point[k])))
  );
  const half = MARGIN * Math.max(high[0] - low[0], high[1] - low[1], 0.02) / 2;
  const middle = low.map((value, k) => (value + high[k]) / 2);
  return [middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half];
}
