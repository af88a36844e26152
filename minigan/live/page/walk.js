// The third view: a saved run.

import { $, fill } from "./dom.js";
import { Explorer } from "./explorer.js";

export class WalkView {
  constructor(send) {
    this.send = send;
    this.explorer = new Explorer($("walk-explorer"), send);
    $("open-form").onsubmit = (event) => {
      event.preventDefault();
      if ($("run").value) send("open", { run: $("run").value });
    };
    $("again").onclick = () => send("runs");
    $("go").onclick = () => send(this.state?.running ? "pause" : "start");
    $("way").oninput = ({ target }) => send("way", { t: Number(target.value) });
  }

  key(name) {
    if (name !== " ") return false;
    $("go").click();
    return true;
  }

  hello() {}

  restyle() {}

  receive(message) {
    this[`on_${message.kind}`]?.(message);
  }

  on_state(state) {
    state = this.state = { ...this.state, ...state };
    if (!state.folders) return;
    const names = state.folders.join("\n");
    if (names !== this.names) fill($("run"), state.folders);
    if (names !== this.names && state.folder) $("run").value = state.folder;
    this.names = names;
    $("open").disabled = !state.folders.length;
    $("walk-about").textContent = state.about || (state.folders.length ? "Choose a run, and open it." : "There are no saved runs yet: train something.");
    $("go").textContent = state.running ? "❚❚ Pause" : "▶ Walk";
    $("go").disabled = $("way").disabled = !state.walks;
    this.explorer.state(state.explorer);
  }

  on_explored({ png, way }) {
    this.explorer.picture(png);
    if (!$("way").matches(":active")) $("way").value = way;
  }
}
