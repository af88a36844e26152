// Small helpers for the document.

export const $ = (id) => document.getElementById(id);

/** A new element with properties, and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The options of a select: names, or {name: what it is}. */
export function fill(select, names) {
  const entries = Array.isArray(names) ? names.map((n) => [n, ""]) : Object.entries(names);
  select.replaceChildren(...entries.map(([n, about]) => make("option", { value: n, textContent: n, title: about })));
}

/** A canvas as large as it is shown, and its context in CSS pixels: {g, width, height}. */
export function ready(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const w = Math.max(1, Math.round(width * scale)), h = Math.max(1, Math.round(height * scale));
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width, height };
}

export const dark = () => document.documentElement.dataset.theme === "dark";
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function digits(value, n = 3) {
  if (value == null || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  return size && (size < 1e-2 || size >= 1e4) ? value.toExponential(1) : value.toFixed(size < 10 ? n : 1);
}

/** Show a PNG's bytes in an image. */
export function showPng(image, bytes, alt) {
  const before = image.src;
  image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  image.alt = alt;
  image.hidden = false;
  if (before) image.onload = () => URL.revokeObjectURL(before);
}

let spoken = 0;
/** Tell a screen reader; while things run, not more than every few seconds. */
export function say(text, now = true) {
  if (!now && performance.now() - spoken < 6000) return;
  spoken = performance.now();
  $("says").textContent = text;
}

/** A slider of powers of ten, which shows and sends a learning rate. */
export function rateSlider(input, output, send) {
  const show = () => (output.textContent = (10 ** input.value).toExponential(1));
  input.addEventListener("input", () => {
    show();
    send(10 ** Number(input.value));
  });
  return (rate) => {
    if (document.activeElement !== input || !input.matches(":active")) {
      input.value = Math.log10(Math.max(rate, 1e-5));
      input.setAttribute("aria-valuetext", rate.toExponential(1));
      output.textContent = rate.toExponential(1);
    }
  };
}
