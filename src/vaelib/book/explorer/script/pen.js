/** A pen for mouse, finger and keyboard: events on a canvas become strokes. */

const STRIDE = 8; // units of the canvas that an arrow key moves the pen

export class Pen {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Object} report functions that are called: `changed` when there is more ink or none,
   *   `lifted` when a stroke ends, `moved` when the keyboard's pen moves without ink
   */
  constructor(canvas, report) {
    this.canvas = canvas;
    this.report = report;
    this.strokes = [];
    this.down = false;
    this.pointer = null; // that draws: the first finger, the mouse's main button
    this.cursor = null; // of the keyboard, [x, y]
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      if (this.down && !this.cursor) return; // another kind of pointer draws
      this.pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      this.cursor = null;
      this.begin(this.at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.down || this.cursor || event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.add(...(events.length ? events : [event]).map((part) => this.at(part)));
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => event.pointerId === this.pointer && this.end());
    }
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("blur", () => {
      this.end();
      this.cursor = null;
      this.report.moved();
    });
  }

  /** The place of a pointer event, in the canvas's own units. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      (event.clientX - box.left) / box.width * this.canvas.width,
      (event.clientY - box.top) / box.height * this.canvas.height,
    ];
  }

  begin(point) {
    this.down = true;
    this.strokes.push([point]);
    this.report.changed();
  }

  add(...points) {
    this.strokes.at(-1).push(...points);
    this.report.changed();
  }

  end() {
    if (!this.down) return;
    this.down = false;
    this.report.lifted();
  }

  clear() {
    this.strokes = [];
    this.down = false;
    this.report.changed();
  }

  /** Arrow keys move the pen, the space bar sets it down and lifts it, Escape clears. */
  press(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { width, height } = this.canvas;
    this.cursor ??= [width / 2, height / 2];
    if (event.key in move) {
      const limit = (value, most) => Math.min(Math.max(value, 0), most);
      const [x, y] = move[event.key];
      this.cursor = [
        limit(this.cursor[0] + STRIDE * x, width),
        limit(this.cursor[1] + STRIDE * y, height),
      ];
      if (this.down) this.add(this.cursor);
      else this.report.moved();
    } else if (event.key === " ") {
      if (this.down) this.end();
      else this.begin(this.cursor);
    } else if (event.key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }
}
