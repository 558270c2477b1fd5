/** The part of the page that one can touch: what the reader does, and what follows from it. */
import { Model } from "./model.js";
import { paint, Panels, readColours } from "./panels.js";
import { Pen } from "./pen.js";
import { prepare } from "./preparation.js";
import { Surface } from "./surface.js";
import { bytes, halves } from "./weights.js";

const PEN = 26; // of a canvas of 280 units, each a tenth of MNIST's pixels

export class Explorer {
  /**
   * @param {HTMLElement} root the markup of markup.html
   * @param {(name: string) => Promise<Object>} load gives the data of a run
   * @param {string} program the source of the worker
   */
  constructor(root, load, program) {
    this.root = root;
    this.load = load;
    this.program = program;
    this.models = {};
    this.image = null; // (784,), what is encoded
    this.chosen = null; // its index, if it is a test image
    this.pointed = null; // the point of the plane that is decoded, if it is not the encoder's mean
    this.exact = null; // what the worker has found out about the image
    this.panels = new Panels((name) => this.part(name));
    this.pen = new Pen(this.part("drawing"), {
      changed: () => this.show(prepare(this.pen.strokes, PEN), null),
      lifted: () => this.settle(),
      moved: () => this.update(),
    });
    this.listen();
  }

  /** Find a part of the markup by its name. */
  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  listen() {
    this.part("clear").addEventListener("click", () => this.pen.clear());
    this.part("runs").addEventListener("change", ({ target }) => this.use(target.value));
    for (const view of [this.panels.plane, this.panels.magnified]) {
      const point = (event) => this.model && this.decodeAt(view.toPlane(event));
      view.canvas.addEventListener("pointermove", point);
      view.canvas.addEventListener("pointerdown", point);
    }
    for (const slider of [this.part("z1"), this.part("z2")]) {
      slider.addEventListener("input", () => {
        this.decodeAt([this.part("z1").valueAsNumber, this.part("z2").valueAsNumber]);
      });
    }
    const mode = new MutationObserver(() => this.update());
    mode.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("resize", () => this.update());
  }

  /** Take a run's model, and show with it what was shown before. */
  async use(name) {
    this.wanted = name;
    let data;
    try {
      data = await this.load(name);
    } catch (error) {
      this.say(error.message);
    }
    if (!data || this.wanted !== name) return;
    this.model = this.models[name] ??= new Model(data, this.program);
    this.codes = { means: halves(data.codes.means), labels: data.codes.labels };
    this.offer(data.images);
    if (this.image) {
      this.show(this.image, this.chosen);
      this.settle();
    } else this.choose(this.offered[0]);
    try {
      await this.model.surveyed;
    } catch (error) {
      return this.say(error.message);
    }
    if (this.wanted !== name) return;
    this.root.dataset.ready = name;
    this.update();
  }

  /** Offer test images as buttons. */
  offer(images) {
    this.offered = images.map(({ index, label, why, pixels }) => {
      const image = Float32Array.from(bytes(pixels), (grey) => grey / 255);
      const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const one = { index, image, canvas, button };
      button.append(canvas, why);
      const kind = label === null ? "" : `, a ${label}`;
      button.setAttribute("aria-label", `Test image ${index}${kind}: ${why}`);
      button.addEventListener("click", () => this.choose(one));
      return one;
    });
    this.part("choices").replaceChildren(...this.offered.map(({ button }) => button));
  }

  /** Show one of the test images. */
  choose({ image, index }) {
    this.pen.strokes = [];
    this.show(image, index);
    this.settle();
  }

  /** Show an image (784,), or null, as far as it can be told at once. */
  show(image, chosen) {
    this.image = image;
    this.chosen = chosen;
    this.exact = this.pointed = null;
    this.say(image ? "Drawing: the shade is an estimate." : "Nothing is drawn.");
    this.update();
  }

  /** Compute what is exact, show it, and say it. */
  async settle() {
    const { image, model } = this;
    if (!image || !model) return;
    this.say("Computing log p(x) …");
    const exact = await model.examine(image).catch((error) => this.say(error.message));
    if (!exact || image !== this.image || model !== this.model) return;
    this.exact = { ...exact, surface: new Surface(exact.step, exact.squares, true) };
    this.update();
    this.say(sentence(exact, this.q));
    this.root.dispatchEvent(new CustomEvent("settled", { detail: exact }));
  }

  /** Decode a point of the plane. */
  decodeAt(z) {
    this.pointed = z;
    this.update();
  }

  say(text) {
    this.part("status").textContent = text;
  }

  /** Encode, decode and draw, if there is a model yet. */
  update() {
    const { image, model, exact } = this;
    if (!model) return;
    this.q = image && model.network.encode(image);
    const z = this.pointed ?? this.q?.mean;
    if (z) [this.part("z1").value, this.part("z2").value] = z;
    this.panels.draw({
      strokes: this.pen.strokes,
      pen: PEN,
      cursor: this.pen.cursor,
      image,
      q: this.q,
      surface: exact?.surface ?? (image && model.estimate(image)),
      z,
      decoded: z && model.likelihood.ofDecoded(model.network.decode(z)).mean,
      codes: this.codes,
    });
    const colours = readColours(this.root);
    for (const { image, canvas, button, index } of this.offered) {
      paint(canvas, image, colours);
      button.setAttribute("aria-pressed", index === this.chosen);
    }
  }
}

/** Say what was found out about an image. */
function sentence({ logEvidence, error, bound, gap, mean }, q) {
  const distance = Math.hypot(...mean.map((m, k) => (m - q.mean[k]) / q.deviation[k]));
  const number = (value) => value.toFixed(2).replace("-", "−");
  return `log p(x) is ${number(logEvidence)} nats, known to ${Math.max(error, 0.01).toFixed(2)}; ` +
    `the bound is ${number(bound)}: a gap of ${number(gap)} nats. The posterior's mean lies ` +
    `${distance.toFixed(1)} of the encoder's deviations away from the encoder's.`;
}
