/** The part of the page that one can touch: what the reader does, and what follows from it. */
import { MARK, read, write } from "./address.js";
import { Model } from "./model.js";
import { decimal, paint, Panels, readColours } from "./panels.js";
import { Pen } from "./pen.js";
import { prepare } from "./preparation.js";
import { Ring } from "./ring.js";
import { Surface } from "./surface.js";
import { Tour } from "./tour.js";
import { along, densest } from "./walk.js";
import { arrays, bytes, numbers } from "./weights.js";

const PEN = 26; // of a canvas of 280 units, each a tenth of MNIST's pixels
const FILM = 11; // images along a way
const BETWEEN = 10; // steps from one to the next, at which log p(x, z) is computed too
const SEEN = 6; // nats below the greatest density: what counts as a peak

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
    this.exact = null; // what the worker has found out about the image
    this.better = null; // a q that was improved, with its bound
    this.ends = {}; // A and B, points of the plane
    this.walk = null; // the ways between them, what is decoded there, and log p(x, z)
    this.visits = 0; // how often an address, the pen or a choice said what is to be shown
    this.panels = new Panels((name) => this.part(name));
    this.pen = new Pen(this.part("drawing"), {
      changed: () => this.drawing(),
      lifted: () => this.settle(),
      moved: () => this.update(),
      cancelled: () => this.undo(),
    });
    const { plane } = this.panels;
    this.ring = new Ring(plane.canvas, (event) => plane.toPlane(event), () => this.update());
    this.tour = new Tour((name) => this.part(name), MARK);
    this.listen();
  }

  /** Find a part of the markup by its name. */
  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  /** What is drawn, as MNIST would have it. */
  drawn() {
    return prepare(this.pen.strokes, PEN);
  }

  listen() {
    const click = (name, act) => this.part(name).addEventListener("click", act);
    click("undo", () => this.undo());
    click("clear", () => this.pen.clear());
    click("own", () => {
      this.drawing();
      this.settle();
    });
    click("another", () => this.pick(any(this.others)));
    click("free", () => this.ring.free());
    click("zoom", ({ target }) => {
      target.setAttribute("aria-pressed", target.getAttribute("aria-pressed") !== "true");
      this.update();
    });
    for (const end of ["A", "B"]) click(end, () => this.stand(end));
    click("forget", () => this.forget());
    click("improve", () => this.improve());
    this.part("runs").addEventListener("change", ({ target }) => this.use(target.value));
    for (const slider of [this.part("z1"), this.part("z2")]) {
      slider.addEventListener("input", () => {
        this.ring.set([this.part("z1").valueAsNumber, this.part("z2").valueAsNumber], true);
      });
    }
    this.root.addEventListener("keydown", (event) => {
      const z = event.key.toLowerCase() === "z" && !event.shiftKey;
      if (!z || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.undo();
    });
    const key = readColours(this.root).classes.map((colour, digit) => {
      const one = document.createElement("span");
      one.textContent = digit;
      one.style.borderBottom = `0.3em solid ${colour}`;
      return one;
    });
    this.part("key").append(...key);
    const mode = new MutationObserver(() => this.update());
    mode.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("resize", () => this.update());
    addEventListener("hashchange", () => {
      if (location.hash !== this.part("link").hash) this.visit(location.hash); // else it is shown
    });
    for (const step of this.tour.steps) {
      // The same address again is no change.
      step.addEventListener("click", () => step.hash === location.hash && this.visit(step.hash));
    }
  }

  /** Begin with what the page's address says. */
  begin() {
    return location.hash.startsWith(MARK) ? this.visit(location.hash) : this.useChecked();
  }

  useChecked() {
    return this.use(this.part("runs").querySelector(":checked").value);
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
    if (!this.models[name]) {
      const weights = arrays(data.weights);
      await pause();
      this.models[name] ??= new Model(data, weights, this.program);
      await pause();
      if (this.wanted !== name) return;
    }
    this.model = this.models[name];
    const { means, labels, places } = data.codes;
    this.codes = { means: numbers(means), labels, places };
    this.part("key").hidden = !labels;
    this.offer(data.images, data.others);
    if (this.image) {
      this.show(this.image, this.chosen);
      this.settle();
    } else if (!this.pen.strokes.length) this.choose(this.offered[0]);
    try {
      await this.model.surveyed;
    } catch (error) {
      return this.say(error.message);
    }
    if (this.wanted !== name) return;
    this.root.dataset.ready = name;
    this.update();
  }

  /** Offer test images as buttons, in groups by why they were chosen; keep others. */
  offer(images, others) {
    this.others = others.map(({ index, pixels }) => ({ index, image: grey(pixels) }));
    this.offered = images.map(({ index, label, why, pixels }) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const one = { index, why, image: grey(pixels), canvas, button };
      button.append(canvas);
      const kind = label === null ? "" : `, a ${label}`;
      button.setAttribute("aria-label", `Test image ${index}${kind}: ${why}`);
      button.addEventListener("click", () => this.pick(one));
      return one;
    });
    const kinds = [...new Set(this.offered.map(({ why }) => why))].map((kind) => {
      const group = document.createElement("span");
      const buttons = this.offered.filter(({ why }) => why === kind).map(({ button }) => button);
      group.append(kind, ...buttons);
      return group;
    });
    this.part("choices").replaceChildren(...kinds);
  }

  /** Show what is drawn. What a link was about to show comes no more. */
  drawing() {
    this.visits++;
    this.show(this.drawn(), null);
  }

  /** Show the test image that a reader picks, and nothing that a link was about to show. */
  pick(one) {
    this.visits++;
    return this.choose(one);
  }

  /** Show one of the test images; a drawing is kept. */
  choose({ image, index }) {
    this.last = { image, index };
    this.show(image, index);
    return this.settle();
  }

  /** Take a stroke back; if it was the first one, show the test image that it had replaced. */
  undo() {
    this.pen.undo();
    if (this.last && !this.pen.strokes.length && !this.pen.past.length) this.choose(this.last);
  }

  /** Show an image (784,), or null, as far as it can be told at once. */
  show(image, chosen) {
    this.image = image;
    this.chosen = chosen;
    this.exact = this.better = this.walk = null;
    this.ends = {};
    this.ring.z = null;
    this.ring.pinned = false;
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
    this.exact = { ...exact, surface: new Surface(exact.step, exact.squares, exact.around) };
    this.go();
    this.update();
    this.say(sentence(exact, this.q));
    this.root.dispatchEvent(new CustomEvent("settled", { detail: exact }));
  }

  /** Move q until its bound is as great as it can be. */
  async improve() {
    const { image, model } = this;
    if (!this.exact) return;
    const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let step = { ...this.exact, q: this.q };
    for (let steps = 1; !step.done; steps++) {
      step = await model.ascend(image, step.q).catch((error) => this.say(error.message));
      if (!step || image !== this.image || model !== this.model) return;
      this.better = { ...step, steps };
      if (!quiet || step.done) this.update();
    }
    const { bound, steps } = this.better;
    this.say(
      `After ${steps} steps the bound is ${decimal(bound)} nats, ` +
        `${decimal(this.exact.logEvidence - bound)} below log p(x). ` +
        "What was gained, the encoder had missed; the rest no further step takes.",
    );
    this.root.dispatchEvent(new CustomEvent("improved", { detail: this.better }));
  }

  /** Put an end of a walk where the ring is. */
  stand(end) {
    if (this.z) this.ends[end] = this.z;
    this.go();
    this.update();
    if (this.walk) this.part("walk").scrollIntoView({ block: "nearest" });
  }

  /** Walk, if there are two ends and the posterior is known. */
  go() {
    const { A, B } = this.ends;
    if (!A || !B || !this.exact) return;
    const ways = [[A, B], densest(this.exact.surface, A, B)];
    const seen = ways.map((way) =>
      along(way, BETWEEN * (FILM - 1) + 1).map((z) => this.model.decode(z, this.image))
    );
    this.walk = {
      ways,
      images: seen.map((row) => row.filter((_, n) => n % BETWEEN === 0).map(({ mean }) => mean)),
      heights: seen.map((row) => row.map(({ joint }) => joint)),
    };
  }

  /** End a walk. */
  forget() {
    this.ends = {};
    this.walk = null;
    this.update();
  }

  /** Show what an address of the page says, and what its step of the tour says of it. */
  async visit(fragment) {
    const number = ++this.visits;
    try {
      const view = read(fragment);
      if (!view) return;
      const runs = [...this.part("runs").querySelectorAll("input")];
      const choice = runs.find(({ value }) => value === view.run);
      if (!choice) throw new Error(`The link names the model ${view.run}, which is not here.`);
      const over = () => number !== this.visits || this.wanted !== view.run;
      choice.checked = true;
      this.tour.show(fragment);
      this.root.querySelector(".explorer-stage").scrollIntoView({ block: "nearest" });
      if (!this.model || this.wanted !== view.run) await this.use(view.run);
      if (over()) return;
      if (view.strokes) {
        this.pen.put(view.strokes);
        this.show(this.drawn(), null);
        await this.settle();
      } else if (view.image !== null) {
        const names = runs.map(({ value }) => value).filter((name) => name !== view.run);
        const found = await this.find(view.image, [view.run, ...names]);
        if (over()) return;
        await this.choose(found);
      }
      if (over()) return;
      this.part("zoom").setAttribute("aria-pressed", view.frame);
      const z = view.z && this.place(view.z);
      this.ring.set(z, !!z);
    } catch (error) {
      const say = () => this.say(error.message);
      say();
      if (this.model) return;
      this.root.addEventListener("settled", say, { once: true });
      await this.useChecked();
    }
  }

  /** Find a test image by its index, or by how it begins why it is offered, with the first run that has it. */
  async find(image, runs) {
    for (const name of runs) {
      const { images, others } = await this.load(name);
      const one = [...images, ...others].find(({ index, why }) =>
        String(index) === image || why?.startsWith(image)
      );
      if (one) return { index: one.index, image: grey(one.pixels) };
    }
    throw new Error(`The link names test image ${image}, which is not here.`);
  }

  /** The point of the plane that a name or a pair of numbers means. */
  place(z) {
    if (typeof z !== "string") return z;
    const mean = this.q?.mean ?? null;
    const [peak = mean, other = peak] = this.exact?.surface.peaks(SEEN) ?? [];
    const places = { mean, peak, "other peak": other };
    if (!(z in places)) throw new Error(`The link has the place ${z}, which has no meaning.`);
    return places[z];
  }

  say(text) {
    this.part("status").textContent = text;
  }

  /** Encode, decode and draw, if there is a model yet. */
  update() {
    const { image, model, exact, better, pen, ring, walk } = this;
    if (!model) return;
    this.q = image && model.network.encode(image);
    this.z = ring.z ?? this.q?.mean ?? null;
    const { z, q } = this;
    const decoded = z && model.decode(z, image);
    const magnified = this.part("zoom").ariaPressed === "true";
    if (z) [this.part("z1").value, this.part("z2").value] = z;
    this.panels.draw({
      strokes: pen.strokes,
      pen: PEN,
      cursor: pen.cursor,
      aside: this.chosen !== null,
      image,
      q,
      better: better?.q,
      surface: exact?.surface ?? (image && model.estimate(image)),
      exact: !!exact,
      z,
      pinned: ring.pinned,
      decoded: decoded?.mean,
      codes: this.codes,
      magnified,
      ends: this.ends,
      walk,
    });
    this.part("ring").textContent = z ? where(z, decoded.joint, q) : "";
    this.part("bound").hidden = !exact;
    if (exact) this.tell("of-encoder", exact);
    this.part("of-better").hidden = !better;
    if (better) this.tell("of-better", better);
    this.part("steps").textContent = better?.steps ?? "";
    this.part("own").disabled = !pen.strokes.length;
    this.part("own").setAttribute("aria-pressed", image !== null && this.chosen === null);
    this.part("undo").disabled = !pen.past.length;
    this.part("free").disabled = !ring.pinned;
    this.part("walk").hidden = !walk;
    for (const end of ["A", "B"]) this.part(end).setAttribute("aria-pressed", end in this.ends);
    const pinned = ring.pinned ? ring.z : null;
    const view = { image: this.chosen, strokes: pen.strokes, z: pinned, frame: magnified };
    if (!pen.down) this.part("link").href = write({ run: this.wanted, ...view });
    const colours = readColours(this.root);
    for (const { image, canvas, button, index } of this.offered) {
      paint(canvas, [image], colours);
      button.setAttribute("aria-pressed", index === this.chosen);
    }
  }

  /** Fill a row of the table of bounds. */
  tell(row, { reconstruction, divergence, bound }) {
    const { logEvidence } = this.exact;
    const values = [reconstruction, divergence, bound, logEvidence, logEvidence - bound];
    values.forEach((value, n) => (this.part(row).cells[n + 1].textContent = decimal(value)));
  }
}

/** Let the page answer before what takes long goes on. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** The pixels of an image, in [0, 1]. */
function grey(pixels) {
  return Float32Array.from(bytes(pixels), (value) => value / 255);
}

function any(list) {
  return list[Math.floor(Math.random() * list.length)];
}

/** Say where the ring is. */
function where(z, joint, q) {
  const place = `z = (${z.map(decimal).join(", ")}); `;
  if (!q) return `${place}log p(z) is ${decimal(joint)}.`;
  return `${place}log p(x, z) is ${decimal(joint)}; ${
    away(z, q)
  } of the encoder's deviations from ` +
    "its mean.";
}

/** How many of q's deviations a point is from its mean. */
function away(z, { mean, deviation }) {
  return Math.hypot(...z.map((value, k) => (value - mean[k]) / deviation[k])).toFixed(1);
}

/** Say what was found out about an image. */
function sentence({ logEvidence, error, bound, gap, mean }, q) {
  return `log p(x) is ${decimal(logEvidence)} nats, known to ${
    Math.max(error, 0.01).toFixed(2)
  }; ` +
    `the bound is ${decimal(bound)}: a gap of ${decimal(gap)} nats. The posterior's mean lies ` +
    `${away(mean, q)} of the encoder's deviations away from the encoder's.`;
}
