/** A pen for mouse, stylus, finger and keyboard: events on a canvas become strokes. */

const STRIDE = 8; // units of the canvas that an arrow key moves the pen
const PALM = 60; // pixels: a contact as wide is no finger's

export class Pen {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Object} report functions that are called: `changed` when there is more ink or less,
   *   `lifted` when a stroke ends or is taken back, `moved` when the keyboard's pen moves without ink,
   *   `cancelled` when a stroke should not have been
   */
  constructor(canvas, report) {
    this.canvas = canvas;
    this.report = report;
    this.strokes = [];
    this.past = []; // the strokes before each change
    this.down = false;
    this.pointer = null; // that draws
    this.cursor = null; // of the keyboard, [x, y]
    this.stylus = false; // whether one was seen: then a touch is a hand that rests
    canvas.addEventListener("pointerdown", (event) => {
      this.stylus ||= event.pointerType === "pen";
      const hand = event.pointerType === "touch" && this.stylus;
      if (hand || isPalm(event) || !event.isPrimary || event.button !== 0) return;
      if (this.down && !this.cursor) return; // another kind of pointer draws
      this.pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      this.cursor = null;
      this.begin(this.at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.down || this.cursor || event.pointerId !== this.pointer) return;
      if (!(event.buttons & 1)) return this.end(); // lifted while another button was down
      const events = event.getCoalescedEvents?.() ?? [];
      this.add(...(events.length ? events : [event]).map((part) => this.at(part)));
    });
    canvas.addEventListener("pointerup", (event) => event.pointerId === this.pointer && this.end());
    canvas.addEventListener("pointercancel", (event) => {
      if (!this.down || event.pointerId !== this.pointer) return;
      this.down = false; // the system took the pointer for something else
      this.report.cancelled();
    });
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
    this.past.push(this.strokes.slice());
    this.down = true;
    this.away = false; // whether the pen is outside the canvas, where it leaves nothing
    this.strokes.push([point]);
    this.report.changed();
  }

  add(...points) {
    const { width, height } = this.canvas;
    for (const [x, y] of points) {
      const inside = x >= 0 && y >= 0 && x <= width && y <= height;
      if (inside && this.away) this.strokes.push([[x, y]]);
      else if (inside) this.strokes.at(-1).push([x, y]);
      this.away = !inside;
    }
    this.report.changed();
  }

  end() {
    if (!this.down) return;
    this.down = false;
    this.report.lifted();
  }

  /** Take the last stroke back, or what cleared the drawing. */
  undo() {
    if (this.down || !this.past.length) return;
    this.strokes = this.past.pop();
    this.report.changed();
    this.report.lifted();
  }

  clear() {
    this.replace([]);
  }

  /** Take other strokes, which can be taken back. */
  put(strokes) {
    this.down = false;
    if (this.strokes.length) this.past.push(this.strokes);
    this.strokes = strokes;
  }

  /** Draw something else, which can be taken back. */
  replace(strokes) {
    this.put(strokes);
    this.report.changed();
    this.report.lifted();
  }

  /** Arrow keys move the pen, the space bar sets it down and lifts it, Escape clears. */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { width, height } = this.canvas;
    if (event.key in move) {
      this.cursor ??= [width / 2, height / 2];
      const limit = (value, most) => Math.min(Math.max(value, 0), most);
      const [x, y] = move[event.key];
      this.cursor = [
        limit(this.cursor[0] + STRIDE * x, width),
        limit(this.cursor[1] + STRIDE * y, height),
      ];
      if (this.down) this.add(this.cursor);
      else this.report.moved();
    } else if (event.key === " ") {
      this.cursor ??= [width / 2, height / 2];
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

/** Whether a pointer is a hand that rests. */
export function isPalm({ pointerType, width, height }) {
  return pointerType === "touch" && Math.max(width, height) > PALM;
}
