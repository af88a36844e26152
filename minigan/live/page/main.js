// The page: its views, its connection, its keys.

import { $, say } from "./dom.js";
import { ImagesView } from "./images.js";
import { PlaneView } from "./plane.js";
import { WalkView } from "./walk.js";
import { Wire } from "./wire.js";

const names = ["plane", "images", "walk"];
const send = (view) => (what, values) => wire.send(view, what, values);
const views = { plane: new PlaneView(send("plane")), images: new ImagesView(send("images")), walk: new WalkView(send("walk")) };
let open = "plane";

function show(name, focus = false) {
  open = name;
  for (const each of names) {
    const tab = $(`tab-${each}`);
    tab.setAttribute("aria-selected", each === name);
    tab.tabIndex = each === name ? 0 : -1;
    $(each).hidden = each !== name;
  }
  if (focus) $(`tab-${name}`).focus();
  views[name].restyle();
}

for (const name of names) {
  $(`tab-${name}`).onclick = () => show(name);
  $(`tab-${name}`).onkeydown = ({ key }) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (by) show(names[(names.indexOf(name) + by + names.length) % names.length], true);
  };
}

// --- light and dark ---

const system = matchMedia("(prefers-color-scheme: dark)");
function style(theme) {
  document.documentElement.dataset.theme = theme;
  for (const view of Object.values(views)) view.restyle();
}
system.onchange = () => style(system.matches ? "dark" : "light");
$("theme").onclick = () => style(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

// --- keys ---

document.addEventListener("keydown", (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  // where a key has a meaning of its own, it keeps it
  const busy = target.matches("input, select, textarea, summary, [role=tab]") || (key === " " && target.matches("button, a"));
  if (busy || ctrlKey || metaKey || altKey || event.repeat) return;
  if (views[open].key(key.toLowerCase())) event.preventDefault();
});

// --- the connection ---

let shownFault;
function complain(text) {
  $("complaint").hidden = false;
  $("complaint").querySelector("span").textContent = text;
  clearTimeout(shownFault);
  shownFault = setTimeout(() => ($("complaint").hidden = true), 12000);
}
$("complaint").querySelector("button").onclick = () => ($("complaint").hidden = true);

let met = false;
function receive(message) {
  if (message.kind === "hello") {
    for (const view of Object.values(views)) view.hello(message);
    if (!met && message.run) show("walk");
    met = true;
  } else if (message.kind === "complaint") complain(message.text);
  else views[message.view]?.receive(message);
}

function linked(yes) {
  document.body.classList.toggle("alone", !yes);
  $("main").inert = !yes;
  $("link").hidden = yes;
  if (!yes) $("link").textContent = "The program does not answer: it has ended, or is busy. This page tries again by itself.";
  say(yes ? "Connected." : $("link").textContent);
}

document.documentElement.dataset.theme = system.matches ? "dark" : "light";
const wire = new Wire(receive, linked);
