/** A window of the latent plane on a canvas: codes, the posterior's shade, the encoder's ellipse. */

const MARGIN = 1.15; // of a magnified window around what it must hold
const SHADE = 0.85; // opacity where the density is greatest
const ROOT = 0.5; // opacity is this power of the density, so that its skirt can be seen
const DEPTH = 12; // nats below the greatest density where nothing can be seen any more
const GRAIN = 128; // points along each side at which the density is computed

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
   * @param {Object} shown `codes`; and `q` of the encoder, the posterior's `surface`, a point `z`, a
   *   `frame` around a smaller window: each null if there is none
   * @param {number[]} window left, right, bottom, top
   * @param {Object} colours of panels.readColours
   */
  draw({ codes, q, surface, z, frame }, window, colours) {
    const { context, canvas } = this;
    this.window = window;
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.drawCodes(codes, colours);
    if (surface) this.drawShade(surface, colours.posterior);
    context.lineWidth = this.pixels(1.5);
    if (frame) {
      const [x, y] = this.toCanvas([frame[0], frame[3]]);
      const [right, foot] = this.toCanvas([frame[1], frame[2]]);
      context.strokeStyle = colours.text;
      context.strokeRect(x, y, right - x, foot - y);
    }
    if (q) this.drawEncoder(q, colours.encoder);
    if (z) {
      context.strokeStyle = colours.text;
      context.beginPath();
      context.arc(...this.toCanvas(z), this.pixels(5), 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Draw the codes of images, and each class, if they have labels, at the middle of its codes. */
  drawCodes({ means, labels }, colours) {
    const { context } = this;
    const middles = Array.from({ length: 10 }, () => [0, 0, 0]);
    const size = this.pixels(1.5);
    context.globalAlpha = 0.5;
    for (let n = 0; n < means.length / 2; n++) {
      const code = means.subarray(2 * n, 2 * n + 2);
      const middle = middles[labels[n] ?? 0];
      middle[0] += code[0];
      middle[1] += code[1];
      middle[2] += 1;
      const [x, y] = this.toCanvas(code);
      context.fillStyle = colours.classes[labels[n] ?? 0];
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
    context.globalAlpha = 1;
    if (!labels) return;
    context.font = `bold ${this.pixels(15)}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = this.pixels(4);
    context.strokeStyle = colours.ground;
    context.fillStyle = colours.text;
    middles.forEach(([z1, z2, number], digit) => {
      if (!number) return;
      const place = this.toCanvas([z1 / number, z2 / number]);
      context.strokeText(String(digit), ...place);
      context.fillText(String(digit), ...place);
    });
  }

  /** Convert pixels of the page to units of the canvas. */
  pixels(number) {
    return number * this.canvas.width / (this.canvas.clientWidth || this.canvas.width);
  }

  /** Shade the posterior: darker where its density is greater. */
  drawShade(surface, [red, green, blue]) {
    const box = surface.extent(DEPTH).map((edge, k) => edge + (k % 2 ? 1 : -1) * surface.step);
    const [left, right] = [Math.max(box[0], this.window[0]), Math.min(box[1], this.window[1])];
    const [bottom, top] = [Math.max(box[2], this.window[2]), Math.min(box[3], this.window[3])];
    if (left >= right || bottom >= top) return;
    const shade = new ImageData(GRAIN, GRAIN);
    for (let pixel = 0; pixel < GRAIN ** 2; pixel++) {
      const across = (pixel % GRAIN + 0.5) / GRAIN;
      const down = (Math.floor(pixel / GRAIN) + 0.5) / GRAIN;
      const density = surface.at(left + across * (right - left), top - down * (top - bottom));
      shade.data[4 * pixel] = red;
      shade.data[4 * pixel + 1] = green;
      shade.data[4 * pixel + 2] = blue;
      shade.data[4 * pixel + 3] = 255 * SHADE * Math.min(Math.max(density, 0), 1) ** ROOT;
    }
    const layer = new OffscreenCanvas(GRAIN, GRAIN);
    layer.getContext("2d").putImageData(shade, 0, 0);
    const [x, y] = this.toCanvas([left, top]);
    const [end, foot] = this.toCanvas([right, bottom]);
    this.context.drawImage(layer, x, y, end - x, foot - y);
  }

  /** Draw the ellipses of one and two deviations of q, and its mean. */
  drawEncoder({ mean, deviation }, colour) {
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
