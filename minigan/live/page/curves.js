// Curves over the rounds, on a canvas.

import { colour, digits, ready } from "./dom.js";

/** Draw columns of rows (n, m), the first of which is the round. lines: [{at, name, colour, low, high}] */
export function drawCurves(canvas, rows, lines) {
  const { g, width, height } = ready(canvas);
  const n = rows.length ? rows.shape[0] : 0, m = rows.shape?.[1] ?? 1;
  const box = { left: 38, right: width - 8, top: 20, bottom: height - 16 };
  const column = (at) => Array.from({ length: n }, (_, i) => rows[i * m + at]);
  const steps = column(0);
  const first = steps[0] ?? 0, last = Math.max(steps[n - 1] ?? 1, first + 1);
  const shown = lines.map((line) => ({ ...line, values: column(line.at) }));
  const common = shown.filter((line) => line.low === undefined).flatMap((l) => l.values).filter(Number.isFinite);
  common.sort((a, b) => a - b);
  // one wild value must not flatten all others
  let low = common[Math.floor(common.length * 0.01)] ?? 0, high = common[Math.ceil(common.length * 0.99) - 1] ?? 1;
  if (high - low < 1e-6) [low, high] = [low - 0.5, high + 0.5];
  const pad = 0.08 * (high - low);
  [low, high] = [low - pad, high + pad];
  const x = (s) => box.left + ((s - first) / (last - first)) * (box.right - box.left);

  g.font = "11px system-ui, sans-serif";
  g.fillStyle = colour("muted");
  g.strokeStyle = colour("line");
  g.lineWidth = 1;
  g.textAlign = "right";
  for (const value of [low + pad, (low + high) / 2, high - pad]) {
    const y = box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
    g.beginPath();
    g.moveTo(box.left, y);
    g.lineTo(box.right, y);
    g.stroke();
    g.fillText(digits(value, 2), box.left - 5, y + 4);
  }
  g.fillText(n ? String(Math.round(last)) : "", box.right, height - 3);
  g.textAlign = "left";
  g.fillText(n ? String(Math.round(first)) : "", box.left, height - 3);

  let at = box.left;
  const told = [];
  g.lineWidth = 1.6;
  g.lineJoin = "round";
  for (const { name, colour: tint, values, low: own, high: top } of shown) {
    const l = own ?? low, h = top ?? high;
    const finite = values.filter(Number.isFinite);
    if (n && !finite.length) continue;
    g.strokeStyle = g.fillStyle = colour(tint);
    g.save();
    g.beginPath();
    g.rect(box.left, box.top - 2, box.right - box.left, box.bottom - box.top + 4);
    g.clip();
    g.beginPath();
    values.forEach((v, i) => Number.isFinite(v) && g.lineTo(x(steps[i]), box.bottom - ((v - l) / (h - l)) * (box.bottom - box.top)));
    g.stroke();
    g.restore();
    const now = finite[finite.length - 1];
    const text = `${name} ${now === undefined ? "" : h === 1 && own === 0 ? `${Math.round(100 * now)} %` : digits(now)}`;
    g.fillText(text, at, 12);
    at += g.measureText(text).width + 16;
    told.push(text);
  }
  canvas.setAttribute("aria-label", `${told.join(", ")}, at ${n ? Math.round(last) : 0} rounds`);
}
