// The second view: a system learns pictures.

import { $, digits, fill, make, rateSlider, say, showPng } from "./dom.js";
import { drawCurves } from "./curves.js";
import { Explorer } from "./explorer.js";

const OWN = "a folder";

export class ImagesView {
  constructor(send) {
    this.send = send;
    this.explorer = new Explorer($("images-explorer"), send);
    this.rates = {};
    $("images-form").onsubmit = (event) => event.preventDefault();
    $("train").onclick = () => this.play();
    $("images-step").onclick = () => send("step");
    $("finish").onclick = () => send("finish");
    $("system").onchange = () => this.told();
    $("dataset").onchange = () => this.told();
    new ResizeObserver(() => this.curves && this.paint()).observe($("images-losses"));
  }

  key(name) {
    if (name !== " ") return false;
    $("train").click();
    return true;
  }

  told() {
    $("paper").textContent = this.menus.systems[$("system").value];
    $("folder-label").hidden = $("dataset").value !== OWN;
    this.buttons();
  }

  chosen() {
    const dataset = $("dataset").value === OWN ? $("folder").value : $("dataset").value;
    return { system: $("system").value, dataset };
  }

  play() {
    if (this.state.running) return this.send("pause");
    if (this.state.active && !this.other()) return this.send("start");
    const chosen = this.chosen();
    if (!chosen.dataset) return $("folder").focus();
    this.send("start", chosen);
  }

  /** Is something else chosen than what is trained? */
  other() {
    const { system, dataset } = this.chosen();
    return system !== this.state.system || dataset !== this.state.dataset;
  }

  hello({ images }) {
    this.menus = images;
    fill($("system"), images.systems);
    fill($("dataset"), [...images.datasets, OWN]);
    this.told();
  }

  receive(message) {
    this[`on_${message.kind}`]?.(message);
  }

  on_state(state) {
    const fresh = !this.state;
    state = this.state = { ...this.state, ...state };
    if (!state.system) return;
    if (fresh || state.active) {
      $("system").value = state.system;
      $("dataset").value = this.menus?.datasets.includes(state.dataset) ? state.dataset : OWN;
      if ($("dataset").value === OWN) $("folder").value = state.dataset;
      if (this.menus) this.told();
    }
    $("images-fault").hidden = !state.error;
    $("images-fault").textContent = state.error;
    $("images-report").textContent = state.report;
    this.explorer.state(state.explorer);
    this.showRates(state.rates);
    this.buttons();
  }

  buttons() {
    const { running, active } = this.state ?? {};
    $("train").textContent = running ? "❚❚ Pause" : active && !this.other() ? "▶ Go on" : "▶ Train";
    $("images-step").disabled = $("finish").disabled = !active;
  }

  showRates(rates) {
    const names = Object.keys(rates);
    if (names.join() !== Object.keys(this.rates).join()) {
      this.rates = {};
      $("image-rates").replaceChildren();
      for (const player of names) {
        const output = make("span", { className: "is" }), input = make("input", { type: "range", min: -5, max: -1, step: 0.05 });
        this.rates[player] = rateSlider(input, output, (rate) => this.send("rate", { player, rate }));
        $("image-rates").append(make("label", {}, `Learning rate of ${player} `, output, input));
      }
    }
    for (const player of names) this.rates[player](rates[player]);
  }

  on_training(message) {
    const { png, curves, step, total, epoch, numbers, findings, folder } = message;
    this.curves = curves;
    $("images-empty").hidden = Boolean(png);
    if (png) showPng($("exhibit"), png, `What the game shows of itself after step ${step}`);
    else $("images-empty").textContent = "This system shows no picture of itself.";
    $("progress").value = step / total;
    const told = Object.entries(numbers).slice(0, 4).map(([name, value]) => `${name} ${digits(value)}`);
    $("images-caption").textContent = `step ${step.toLocaleString("en")} of ${total.toLocaleString("en")} · epoch ${epoch} · ${told.join(" · ")}`;
    $("images-caption").title = folder;
    say($("images-caption").textContent, false);
    const notes = findings.map((f) =>
      make("li", { className: f.now ? "now" : "" }, make("b", { textContent: f.what }), `steps ${f.first} to ${f.last}. What helps: ${f.advice}`));
    const key = JSON.stringify(findings);
    if (key !== this.findings) $("doctor").replaceChildren(...(notes.length ? notes : [make("li", { textContent: "Nothing found so far." })]));
    this.findings = key;
    this.paint();
  }

  on_explored({ png }) {
    this.explorer.picture(png);
  }

  on_told({ lines }) {
    $("told").textContent = lines.join("\n");
    if (!this.state?.active) $("images-caption").textContent = lines[lines.length - 1] ?? "";
  }

  restyle() {
    this.paint();
  }

  paint() {
    if (this.curves && $("images-losses").clientWidth)
      drawCurves($("images-losses"), this.curves, [{ at: 1, name: "D's value", colour: "D" }, { at: 2, name: "G's loss", colour: "made" }]);
  }
}
