/** The ring on the plane: it follows the pointer, and can be put down. */
import { isPalm } from "./pen.js";

const STILL = 4; // pixels that a click may move

export class Ring {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(event: PointerEvent) => number[]} toPlane
   * @param {() => void} moved is called when the ring is elsewhere, pinned or freed
   */
  constructor(canvas, toPlane, moved) {
    this.z = null; // a point of the plane; null where it is free and nothing is pointed at
    this.pinned = false;
    this.toPlane = toPlane;
    this.moved = moved;
    this.press = null; // where the pointer that is down began, and what the ring was then
    canvas.addEventListener("pointermove", (event) => {
      const { press } = this;
      if (press && event.pointerId !== press.pointer) return;
      if (press && !(event.buttons & 1)) return this.put(event); // another button is down still
      if (press) press.dragged ||= far(event, press);
      if (press ? press.dragged : !this.pinned && event.isPrimary) {
        this.set(toPlane(event), !!press);
      }
    });
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0 || this.press || isPalm(event)) return;
      canvas.setPointerCapture(event.pointerId);
      const { clientX, clientY, pointerId: pointer } = event;
      this.press = { pointer, clientX, clientY, z: this.z, pinned: this.pinned, dragged: false };
      if (!this.pinned) this.set(toPlane(event), false);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (event.pointerId === this.press?.pointer) this.put(event);
    });
    canvas.addEventListener("pointercancel", (event) => {
      const { press } = this;
      if (event.pointerId !== press?.pointer) return;
      this.press = null;
      this.set(press.pinned ? press.z : null, press.pinned);
    });
    canvas.addEventListener("pointerleave", () => {
      if (!this.pinned && !this.press) this.free();
    });
  }

  /** Put it down where the pointer was lifted; free it where that was a click on one that was down. */
  put(event) {
    const { dragged, pinned } = this.press;
    this.press = null;
    if (!dragged && pinned) this.free();
    else this.set(this.toPlane(event), true);
  }

  set(z, pinned) {
    this.z = z;
    this.pinned = pinned;
    this.moved();
  }

  /** Let it be at the encoder's mean, and follow the pointer. */
  free() {
    this.set(null, false);
  }
}

function far(event, { clientX, clientY }) {
  return Math.hypot(event.clientX - clientX, event.clientY - clientY) > STILL;
}
