// The first view: a game in the plane.

import { $, colour, digits, fill, make, ready, rateSlider, say } from "./dom.js";
import { drawCurves } from "./curves.js";
import { Drawing } from "./draw.js";
import { LAYERS, Scene, drawLatent } from "./scene.js";

const SWITCHES = ["objective", "penalty", "weight", "constraint", "k"];
// a sketch of each set, for its button: points in [-1, 1]^2
const turned = (n, f) => Array.from({ length: n }, (_, i) => f(i / n));
const SKETCHES = {
  ring: turned(8, (t) => [Math.cos(6.283 * t), Math.sin(6.283 * t)]),
  grid: turned(25, (t) => [(Math.round(25 * t) % 5) / 2 - 1, Math.floor(Math.round(25 * t) / 5) / 2 - 1]),
  swiss_roll: turned(50, (t) => [(0.25 + 0.75 * t) * Math.cos(9.42 * t + 4.7), (0.25 + 0.75 * t) * Math.sin(9.42 * t + 4.7)]),
  moons: turned(40, (t) => (t < 0.5 ? [Math.cos(6.28 * t) * 0.6 - 0.3, Math.sin(6.28 * t) * 0.6 - 0.15] : [Math.cos(6.28 * t) * 0.6 + 0.3, Math.sin(6.28 * t) * 0.6 + 0.15])),
  drawn: turned(40, (t) => [1.6 * t - 0.8, 0.5 * Math.sin(9 * t)]),
};

export class PlaneView {
  constructor(send) {
    this.send = send;
    this.scene = new Scene($("scene"));
    this.times = [];
    this.drawing = new Drawing(this.scene, (points) => send("draw", { points }), () => this.update());
    for (const [name, text] of Object.entries(LAYERS)) {
      const box = make("input", { type: "checkbox", checked: true });
      box.onchange = () => {
        this.scene.on[name] = box.checked;
        this.update();
      };
      $("layers").append(make("label", {}, box, text));
    }
    $("play").onclick = () => this.play();
    for (const name of ["step", "half", "restart"]) $(name).onclick = () => send(name);
    $("speed").onchange = ({ target }) => send("speed", { rounds: target.value ? Number(target.value) : null });
    $("plane-form").onsubmit = (event) => event.preventDefault();
    for (const name of ["game", "objective", "penalty", "constraint"])
      $(name).onchange = ({ target }) => send("choose", { [name]: target.value });
    for (const name of ["weight", "k", "seed"])
      $(name).onchange = ({ target }) => target.checkValidity() && target.value !== "" ? send("choose", { [name]: Number(target.value) }) : target.reportValidity();
    this.setRate = Object.fromEntries(
      ["D", "G"].map((player) => [player, rateSlider($(`rate-${player}`), $(`rate-${player}-is`), (rate) => send("rate", { player, rate }))]),
    );
    new ResizeObserver(() => this.update()).observe($("scene"));
  }

  /** The keys of the view; is this one of them? */
  key(name) {
    const press = { " ": "play", s: "step", h: "half", r: "restart" }[name];
    if (!press || this.drawing.on) return false;
    $(press).click();
    return true;
  }

  play() {
    this.send(this.state?.running ? "pause" : "start");
  }

  hello({ plane }) {
    this.menus = plane;
    fill($("game"), plane.games);
    fill($("objective"), plane.objectives);
    fill($("penalty"), plane.penalties);
    fill($("constraint"), plane.constraints);
    $("datasets").replaceChildren(
      ...plane.data.map((name) => {
        const sketch = make("canvas", { width: 88, height: 88, ariaHidden: "true" });
        const button = make("button", { type: "button", value: name }, sketch, name === "drawn" ? "draw it" : name.replace("_", " "));
        button.onclick = () => (name === "drawn" ? this.openDrawing() : this.choose(name));
        return button;
      }),
    );
    this.restyle();
  }

  openDrawing() {
    this.send("pause");
    this.drawing.open(this.menus.limit);
  }

  choose(data) {
    this.drawing.close();
    this.send("choose", { data });
  }

  receive(message) {
    this[`on_${message.kind}`]?.(message);
  }

  on_data({ points, limit }) {
    this.data = points;
    if (this.drawing.on) this.drawing.before = limit;
    else this.scene.limit = limit;
    this.update();
  }

  on_state(news) {
    const before = this.state;
    const state = (this.state = { ...before, ...news });
    if (!state.choice) return;
    $("play").textContent = state.running ? "❚❚ Pause" : "▶ Start";
    for (const name of ["step", "half"]) $(name).disabled = Boolean(state.error);
    $("fault").hidden = !state.error;
    $("fault").textContent = state.error ? `${state.error}. Start begins anew.` : "";
    for (const name of ["game", "seed", ...SWITCHES])
      if (document.activeElement !== $(name) || $(name).tagName === "SELECT") $(name).value = state.choice[name];
    $("switches").hidden = state.own;
    $("own").hidden = !state.own;
    $("weight").disabled = state.choice.penalty === "none";
    $("about").textContent = state.own ? state.about : this.menus?.objectives[state.choice.objective] ?? "";
    for (const player of ["D", "G"]) this.setRate[player](state.rates[player]);
    $("speed").value = state.speed ?? "";
    for (const button of $("datasets").children) button.setAttribute("aria-pressed", button.value === state.choice.data);
    if (before && before.running !== state.running) say(state.running ? "It plays." : `It pauses. ${this.summary()}`);
    this.update();
  }

  on_frame(frame) {
    const last = this.frame;
    // one move of G: each sample shows where it came from
    const one = this.oneByOne && frame.moved.join() === "G" && last?.samples.length === frame.samples.length;
    this.before = one && frame.step - last.step <= 1 ? last.samples : null;
    this.frame = frame;
    this.times = [...this.times, performance.now()].slice(-31);
    this.update();
    say(this.summary(), !this.state?.running);
  }

  summary() {
    if (!this.frame) return "";
    const { losses, quality, step } = this.frame;
    const end = (rows, at) => (rows.length ? rows[rows.length - 3 + at] : NaN);
    const modes = end(quality, 2);
    return (
      `Round ${step}: D's value ${digits(end(losses, 1))}, G's loss ${digits(end(losses, 2))}, distance to the data ${digits(end(quality, 1))}` +
      (Number.isFinite(modes) ? `, ${Math.round(100 * modes)} percent of the modes reached.` : ".")
    );
  }

  update() {
    this.wanted ??= requestAnimationFrame(() => {
      this.wanted = null;
      this.paint();
    });
  }

  restyle() {
    for (const button of $("datasets").children) {
      const g = button.firstChild.getContext("2d");
      g.clearRect(0, 0, 88, 88);
      g.fillStyle = colour("real");
      for (const [x, y] of SKETCHES[button.value] ?? []) {
        g.beginPath();
        g.arc(44 + 34 * x, 44 - 34 * y, 4.5, 0, 7);
        g.fill();
      }
    }
    this.update();
  }

  paint() {
    const { frame, drawing } = this;
    $("drawing").hidden = $("hint").hidden = !drawing.on;
    $("playing").hidden = drawing.on;
    $("dots").textContent = `${drawing.points.length} points`;
    if ($("scene").clientWidth === 0) return; // another view is open
    if (drawing.on) {
      this.scene.draw(null, null);
      drawing.paint();
      $("caption").textContent = "a drawing";
      return;
    }
    this.scene.draw(frame, this.data, this.before);
    if (!frame) return;
    const rows = frame.losses, n = rows.length;
    $("low").textContent = digits(this.scene.range[0], 1);
    $("high").textContent = digits(this.scene.range[1], 1);
    $("n-step").textContent = frame.step.toLocaleString("en");
    $("n-d").textContent = n ? digits(rows[n - 2]) : "–";
    $("n-g").textContent = n ? digits(rows[n - 1]) : "–";
    const { times } = this;
    $("n-fps").textContent = this.state?.running && times.length > 5 ? Math.round((1000 * (times.length - 1)) / (times[times.length - 1] - times[0])) : "–";
    $("caption").textContent = `${this.state?.choice.game ?? ""} · ${(this.state?.choice.data ?? "").replace("_", " ")} · round ${frame.step.toLocaleString("en")}`;
    $("scene").setAttribute("aria-label", this.summary());
    this.showTurn(frame.moved);
    drawCurves($("losses"), frame.losses, [{ at: 1, name: "D's value", colour: "D" }, { at: 2, name: "G's loss", colour: "made" }]);
    drawCurves($("quality"), frame.quality, [{ at: 1, name: "distance", colour: "text" }, { at: 2, name: "modes", colour: "z", low: 0, high: 1 }]);
    if (this.reach !== frame.reach || this.theme !== document.documentElement.dataset.theme) {
      this.reach = frame.reach;
      this.theme = document.documentElement.dataset.theme;
      drawLatent($("latent"), frame.grid.shape[0], frame.reach);
    }
  }

  /** Is each move shown? At full speed both have moved many times since the last picture. */
  get oneByOne() {
    return !this.state?.running || (this.state.speed ?? 99) <= 3;
  }

  showTurn(moved) {
    const one = this.oneByOne;
    for (const node of document.querySelectorAll("#diagram [data-player]")) node.classList.toggle("on", one && moved.includes(node.dataset.player));
    document.querySelector("#diagram .back").classList.toggle("on", one && moved.includes("G"));
    const says = { D: "D moved: it tells made from data better.", G: "G moved: its samples go where D says data." };
    $("turn").textContent = !moved.length ? "Nobody has moved yet." : !one ? "D and G move in turn." : moved.length === 1 ? says[moved[0]] ?? `${moved[0]} moved.` : `${moved.join(" and ")} moved at once.`;
  }
}
