// What G makes of chosen latents: a grid, sliders, buttons for classes.

import { $, make, showPng } from "./dom.js";

const FEW = 8; // sliders at first

export class Explorer {
  constructor(root, send) {
    Object.assign(this, { root, send, all: false, key: "" });
    this.image = make("img", { hidden: true, alt: "" });
    this.empty = make("p", { className: "muted", textContent: "Nothing is here yet." });
    this.classes = make("div", { className: "classes", role: "group", ariaLabel: "Class of the samples" });
    this.sliders = make("div", { className: "sliders" });
    const button = (text, what) => make("button", { type: "button", textContent: text, onclick: what });
    this.more = button("All sliders", () => {
      this.all = !this.all;
      this.build();
    });
    this.buttons = make("div", { className: "transport" },
      button("Other latents", () => send("other")), button("Release sliders", () => send("release")),
      button("Strongest first", () => send("sort")), this.more);
    root.append(make("h2", { textContent: "What G makes of what you choose" }), this.image, this.empty, this.classes, this.buttons, this.sliders);
    this.state(null);
  }

  picture(png) {
    showPng(this.image, png, "25 samples of the chosen latents" + (this.explorer?.label != null ? `, of class ${this.explorer.classes[this.explorer.label]}` : ""));
    this.empty.hidden = true;
  }

  state(explorer) {
    this.explorer = explorer;
    for (const part of [this.classes, this.buttons, this.sliders]) part.hidden = !explorer;
    if (!explorer) {
      this.image.hidden = true;
      this.empty.hidden = false;
      return;
    }
    // what is dragged stays: it is built anew only where its parts are others
    const key = JSON.stringify([explorer.sliders, explorer.classes, Object.keys(explorer.values).length ? 1 : 0]);
    if (key !== this.key) this.build();
    this.key = key;
    [...this.classes.children].forEach((b) => b.setAttribute("aria-pressed", String(explorer.label ?? "") === b.value));
  }

  build() {
    const { sliders, classes, values, label } = this.explorer;
    const choice = (text, value) => {
      const button = make("button", { type: "button", textContent: text, value: String(value ?? "") });
      button.onclick = () => this.send("label", { label: value });
      button.setAttribute("aria-pressed", String(label ?? "") === button.value);
      return button;
    };
    this.classes.replaceChildren(...(classes.length ? [choice("all", null), ...classes.map((name, i) => choice(name, i))] : []));
    this.more.hidden = sliders.length <= FEW;
    this.more.textContent = this.all ? "Fewer sliders" : `All ${sliders.length} sliders`;
    this.sliders.replaceChildren(
      ...sliders.slice(0, this.all ? sliders.length : FEW).map(({ i, name, reach }) => {
        const output = make("span", { className: "is", textContent: values[i] === undefined ? "free" : values[i].toFixed(2) });
        const input = make("input", { type: "range", min: -reach, max: reach, step: reach / 50, value: values[i] ?? 0 });
        const line = make("label", { className: values[i] === undefined ? "" : "set" }, name, " ", output, input);
        input.oninput = () => {
          output.textContent = Number(input.value).toFixed(2);
          line.className = "set";
          this.explorer.values[i] = Number(input.value);
          this.send("set", { i, value: Number(input.value) });
        };
        return line;
      }),
    );
  }
}
