// Drawing a distribution, with a pointer or with the keys.

import { $, colour, say } from "./dom.js";

const MOST = 5000; // points
const APART = 0.03; // of points along a stroke
const KEY = 0.06; // how far a key moves the brush

export class Drawing {
  /** scene: whose canvas is drawn on; limit: of drawings; use(points), changed() */
  constructor(scene, use, changed) {
    Object.assign(this, { scene, use, changed, points: [], on: false, brush: [0, 0], last: null });
    const canvas = scene.canvas;
    canvas.addEventListener("pointerdown", (event) => this.on && this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.last && this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.last = null));
    canvas.addEventListener("keydown", (event) => this.on && this.key(event));
    $("use").onclick = () => this.finish();
    $("clear").onclick = () => this.clear();
    $("cancel").onclick = () => this.close();
  }

  open(limit) {
    this.on = true;
    this.limit = limit;
    this.before = this.scene.limit;
    this.scene.limit = limit;
    this.scene.canvas.classList.add("draws");
    this.scene.canvas.setAttribute("role", "application"); // the keys are for the brush
    this.scene.canvas.setAttribute("aria-label", "Drawing");
    this.scene.canvas.focus();
    this.tell("Draw where the data shall be. With keys: arrows move the brush, Space makes a dot, Backspace takes it back, Enter is done.");
  }

  close() {
    if (!this.on) return;
    this.on = false;
    this.last = null;
    this.scene.limit = this.before;
    this.scene.canvas.classList.remove("draws");
    this.scene.canvas.setAttribute("role", "img");
    this.changed();
  }

  clear() {
    this.points = [];
    this.tell("Nothing is drawn.");
  }

  finish() {
    if (!this.points.length) return this.tell("Nothing is drawn yet: draw something first.");
    const points = this.points;
    this.close();
    this.use(points);
  }

  tell(text) {
    $("hint").textContent = text;
    say(text);
    this.changed();
  }

  inside([x, y]) {
    const bound = (v) => Math.max(-this.limit, Math.min(this.limit, v));
    return [bound(x), bound(y)];
  }

  where(event) {
    const box = this.scene.canvas.getBoundingClientRect();
    return this.inside(this.scene.from(event.clientX - box.left, event.clientY - box.top));
  }

  begin(event) {
    event.preventDefault();
    this.scene.canvas.setPointerCapture?.(event.pointerId);
    this.last = this.where(event);
    this.add(this.last);
  }

  move(event) {
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const to = this.where(each), [x, y] = this.last;
      const far = Math.hypot(to[0] - x, to[1] - y);
      for (let s = APART; s <= far; s += APART)
        this.add([x + ((to[0] - x) * s) / far, y + ((to[1] - y) * s) / far]);
      if (far >= APART) this.last = to;
    }
  }

  add(point) {
    if (this.points.length < MOST) this.points.push(point);
    this.brush = point;
    this.changed();
  }

  key(event) {
    const [x, y] = this.brush;
    const to = { ArrowLeft: [x - KEY, y], ArrowRight: [x + KEY, y], ArrowUp: [x, y + KEY], ArrowDown: [x, y - KEY] }[event.key];
    if (to) this.brush = this.inside(to);
    else if (event.key === " ") this.add(this.brush);
    else if (event.key === "Backspace") this.points.pop();
    else if (event.key === "Enter") this.finish();
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (!this.on) return;
    say(`brush at ${this.brush.map((v) => v.toFixed(2)).join(", ")}; ${this.points.length} points`);
    this.changed();
  }

  paint() {
    const g = this.scene.canvas.getContext("2d");
    g.fillStyle = colour("real");
    g.globalAlpha = 0.75;
    for (const point of this.points) {
      g.beginPath();
      g.arc(...this.scene.to(point), 4, 0, 7);
      g.fill();
    }
    g.globalAlpha = 1;
    g.strokeStyle = colour("text");
    g.lineWidth = 1.5;
    const [x, y] = this.scene.to(this.brush);
    g.beginPath();
    g.arc(x, y, 7, 0, 7);
    g.moveTo(x - 11, y);
    g.lineTo(x + 11, y);
    g.moveTo(x, y - 11);
    g.lineTo(x, y + 11);
    g.stroke();
  }
}
