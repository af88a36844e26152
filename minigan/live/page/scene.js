// The plane: D's surface, where G is told to go, the grid of z carried to x, data and samples.

import { colour, dark, ready } from "./dom.js";

// what D says: made ... real
const SURFACE = {
  light: [[244, 189, 146], [251, 249, 244], [165, 205, 234]],
  dark: [[133, 67, 15], [22, 27, 36], [18, 86, 132]],
};
const ARROWS = 3; // every third cell has one

export const LAYERS = {
  surface: "D's surface", grid: "z carried to x", data: "data", samples: "samples", field: "G's field",
};

export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.limit = 1.5;
    this.on = Object.fromEntries(Object.keys(LAYERS).map((name) => [name, true]));
    this.small = document.createElement("canvas");
    this.range = [0, 1];
    this.size = 1;
  }

  /** Data coordinates -> pixels, and back. */
  to([x, y]) {
    const half = this.size / 2;
    return [(x / this.limit + 1) * half, (1 - y / this.limit) * half];
  }

  from(x, y) {
    const { size } = this;
    return [((2 * x) / size - 1) * this.limit, (1 - (2 * y) / size) * this.limit];
  }

  /** before: where the samples were, to show where G's move took each; or null. */
  draw(frame, data, before = null) {
    const { g, width, height } = ready(this.canvas);
    this.size = width; // asking the canvas each time would take longer than all else
    g.fillStyle = colour("page");
    g.fillRect(0, 0, width, height);
    if (frame && this.on.surface) this.surface(g, width, frame);
    if (frame && this.on.grid) this.grid(g, frame);
    if (data && this.on.data) this.points(g, data, colour("real"), 1.6, 0.5);
    if (before && this.on.samples) this.trails(g, before, frame.samples);
    if (frame && this.on.samples) this.points(g, frame.samples, colour("made"), 2.1, 0.8);
    if (frame && this.on.field) this.field(g, frame);
  }

  surface(g, size, { surface, logistic }) {
    const n = surface.shape[0];
    if (logistic) this.range = [0, 1];
    else {
      const sorted = Float32Array.from(surface).sort();
      this.range = [sorted[Math.floor(0.02 * sorted.length)], sorted[Math.floor(0.98 * sorted.length)]];
    }
    const [low, high] = this.range, span = Math.max(high - low, 1e-12);
    const [made, middle, real] = SURFACE[dark() ? "dark" : "light"];
    Object.assign(this.small, { width: n, height: n });
    const context = this.small.getContext("2d");
    const pixels = context.createImageData(n, n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const t = 2 * Math.min(1, Math.max(0, (surface[i * n + j] - low) / span)) - 1;
        const end = t < 0 ? made : real, share = Math.abs(t), at = 4 * ((n - 1 - i) * n + j);
        for (let c = 0; c < 3; c++) pixels.data[at + c] = middle[c] + share * (end[c] - middle[c]);
        pixels.data[at + 3] = 255;
      }
    context.putImageData(pixels, 0, 0);
    g.imageSmoothingQuality = "high";
    const cell = size / (n - 1); // the outermost points lie on the edge
    g.drawImage(this.small, -cell / 2, -cell / 2, size + cell, size + cell);
  }

  /** Cells are the darker, the more of G's samples fall into their area. */
  grid(g, { grid }) {
    const n = grid.shape[0];
    const at = (i, j) => this.to([grid[2 * (i * n + j)], grid[2 * (i * n + j) + 1]]);
    const whole = this.size ** 2 / (n - 1) ** 2;
    g.fillStyle = colour("z");
    for (let i = 0; i + 1 < n; i++)
      for (let j = 0; j + 1 < n; j++) {
        const corners = [at(i, j), at(i, j + 1), at(i + 1, j + 1), at(i + 1, j)];
        let area = 0;
        corners.forEach(([x, y], k) => {
          const [u, v] = corners[(k + 1) % 4];
          area += (x * v - u * y) / 2;
        });
        g.globalAlpha = Math.min(0.55, 0.03 + (0.03 * whole) / (Math.abs(area) + 1));
        g.beginPath();
        corners.forEach(([x, y]) => g.lineTo(x, y));
        g.fill();
      }
    g.globalAlpha = 0.55;
    g.strokeStyle = colour("z");
    g.lineWidth = 0.7;
    g.beginPath();
    for (let i = 0; i < n; i += 2) {
      for (let j = 0; j < n; j++) g[j ? "lineTo" : "moveTo"](...at(i, j));
      for (let j = 0; j < n; j++) g[j ? "lineTo" : "moveTo"](...at(j, i));
    }
    g.stroke();
    g.globalAlpha = 1;
  }

  points(g, points, tint, radius, alpha) {
    g.fillStyle = tint;
    g.globalAlpha = alpha;
    const count = Math.min(points.length / 2, 700);
    g.beginPath();
    for (let i = 0; i < count; i++) {
      const [x, y] = this.to([points[2 * i], points[2 * i + 1]]);
      g.moveTo(x + radius, y);
      g.arc(x, y, radius, 0, 7);
    }
    g.fill();
    g.globalAlpha = 1;
  }

  trails(g, from, to) {
    g.strokeStyle = colour("made");
    g.globalAlpha = 0.45;
    g.lineWidth = 1;
    g.beginPath();
    for (let i = 0; i < to.length; i += 2) {
      g.moveTo(...this.to([from[i], from[i + 1]]));
      g.lineTo(...this.to([to[i], to[i + 1]]));
    }
    g.stroke();
    g.globalAlpha = 1;
  }

  field(g, { field }) {
    const n = field.shape[0], length = (0.8 * ARROWS * this.size) / n;
    const places = [];
    for (let i = 1; i < n; i += ARROWS)
      for (let j = 1; j < n; j += ARROWS) {
        const x = field[2 * (i * n + j)], y = field[2 * (i * n + j) + 1];
        places.push([i, j, x, y, Math.hypot(x, y)]);
      }
    const typical = places.map((p) => p[4]).sort((a, b) => a - b)[places.length >> 1] || 1e-30;
    g.strokeStyle = g.fillStyle = colour("text");
    g.lineWidth = 1;
    for (const [i, j, x, y, size] of places) {
      if (!size) continue;
      const [px, py] = this.to([((2 * j) / (n - 1) - 1) * this.limit, ((2 * i) / (n - 1) - 1) * this.limit]);
      const ux = x / size, uy = -y / size, l = length * Math.min(1, 0.35 + 0.4 * (size / typical)) * 0.5;
      g.globalAlpha = Math.min(0.5, 0.08 + (0.26 * size) / typical);
      const [tx, ty] = [px + ux * l, py + uy * l];
      g.beginPath();
      g.moveTo(px - ux * l, py - uy * l);
      g.lineTo(tx, ty);
      g.stroke();
      g.beginPath();
      g.moveTo(tx + ux * 2.5, ty + uy * 2.5);
      g.lineTo(tx - ux * 3 - uy * 2.6, ty - uy * 3 + ux * 2.6);
      g.lineTo(tx - ux * 3 + uy * 2.6, ty - uy * 3 - ux * 2.6);
      g.fill();
    }
    g.globalAlpha = 1;
  }
}

/** The regular grid of z, beside the plane. */
export function drawLatent(canvas, n, reach) {
  const { g, width } = ready(canvas);
  const inset = 14, size = width - 2 * inset;
  g.strokeStyle = g.fillStyle = colour("z");
  g.globalAlpha = 0.14;
  g.fillRect(inset, inset, size, size);
  g.globalAlpha = 0.7;
  g.lineWidth = 0.8;
  g.beginPath();
  for (let i = 0; i < n; i += 2) {
    const at = inset + (size * i) / (n - 1);
    g.moveTo(at, inset);
    g.lineTo(at, inset + size);
    g.moveTo(inset, at);
    g.lineTo(inset + size, at);
  }
  g.stroke();
  g.globalAlpha = 1;
  g.fillStyle = colour("muted");
  g.font = "11px system-ui, sans-serif";
  g.fillText(String(-reach), 0, width - 1);
  g.textAlign = "right";
  g.fillText(String(reach), width, width - 1);
  g.textAlign = "left";
}
