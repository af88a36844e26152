// A network as a list of ops, computed here. A tensor is {shape, data}; sums are in float64.
// Each op of `ops` is that of minigan of the same name, for one example.

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const tensor = (shape, data) => ({ shape, data: data ?? new Float32Array(size(shape)) });
const each = (x, f) => tensor(x.shape, Float32Array.from(x.data, f));
const asTensor = (x) => (typeof x === "number" ? tensor([], [x]) : x);
const strides = (shape) => {
  const found = new Array(shape.length);
  for (let i = shape.length - 1, n = 1; i >= 0; n *= shape[i--]) found[i] = n;
  return found;
};

// f of two tensors, or numbers, broadcast against each other
function both(a, b, f) {
  [a, b] = [asTensor(a), asTensor(b)];
  const rank = Math.max(a.shape.length, b.shape.length);
  const wide = (x) => [...new Array(rank - x.shape.length).fill(1), ...x.shape];
  const [s, t] = [wide(a), wide(b)];
  const out = tensor(s.map((n, i) => (n === 1 ? t[i] : n)));
  const steps = (sizes) => strides(sizes).map((n, i) => (sizes[i] === 1 ? 0 : n));
  const [p, q, r] = [steps(s), steps(t), strides(out.shape)];
  for (let k = 0; k < out.data.length; k++) {
    let i = 0, j = 0, rest = k;
    for (let d = 0; d < rank; d++) {
      const at = Math.floor(rest / r[d]);
      rest -= at * r[d];
      i += at * p[d];
      j += at * q[d];
    }
    out.data[k] = f(a.data[i], b.data[j]);
  }
  return out;
}

// out[k] = x[place of k], where a place is a sum over dimensions of first + index * step
function picked(x, shape, first, step) {
  const out = tensor(shape), r = strides(shape);
  for (let k = 0; k < out.data.length; k++) {
    let at = first, rest = k;
    for (let d = 0; d < shape.length; d++) {
      const i = Math.floor(rest / r[d]);
      rest -= i * r[d];
      at += i * step[d];
    }
    out.data[k] = x.data[at];
  }
  return out;
}

// rows (outputs, inputs) applied along the second to last dimension (back: the last)
function along(x, matrix, back) {
  const [m, n] = matrix.shape, rank = x.shape.length;
  const shape = [...x.shape], d = back ? rank - 1 : rank - 2, inner = back ? 1 : x.shape[rank - 1];
  shape[d] = m;
  const out = tensor(shape), outer = size(x.shape) / (n * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < m; i++)
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += matrix.data[i * n + j] * x.data[(o * n + j) * inner + k];
        out.data[(o * m + i) * inner + k] = sum;
      }
  return out;
}

const activations = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leaky_relu: (x, slope) => (x > 0 ? x : slope * x),
};

function half_to_even(v) {
  const down = Math.floor(v);
  return v - down === 0.5 ? down + (down % 2 ? 1 : 0) : Math.round(v);
}

const ops = {
  identity: (x) => x,
  cut: (x) => x,
  clone: (x) => x,
  packed: (x) => x,
  row_major: (x) => x,
  convert: (x) => x,
  relu: (x) => each(x, activations.relu),
  tanh: (x) => each(x, activations.tanh),
  sigmoid: (x) => each(x, activations.sigmoid),
  leaky_relu: (x, slope) => each(x, (v) => activations.leaky_relu(v, slope)),
  elu: (x, alpha) => each(x, (v) => (v > 0 ? v : alpha * Math.expm1(v))),
  silu: (x) => each(x, (v) => v / (1 + Math.exp(-v))),
  softplus: (x, beta, limit) =>
    each(x, (v) => (beta * v > limit ? v : Math.log1p(Math.exp(beta * v)) / beta)),
  hardtanh: (x, low, high) => each(x, (v) => Math.min(Math.max(v, low), high)),
  clamp: (x, low, high) => each(x, (v) => Math.min(Math.max(v, low ?? -Infinity), high ?? Infinity)),
  prelu: (x, weight) => {
    const inner = size(x.shape.slice(2)), n = weight.data.length;
    return tensor(x.shape, x.data.map((v, k) => (v > 0 ? v : v * weight.data[Math.floor(k / inner) % n])));
  },
  exp: (x) => each(x, Math.exp),
  log: (x) => each(x, Math.log),
  sqrt: (x) => each(x, Math.sqrt),
  rsqrt: (x) => each(x, (v) => 1 / Math.sqrt(v)),
  square: (x) => each(x, (v) => v * v),
  abs: (x) => each(x, Math.abs),
  round: (x, decimals) => each(x, (v) => half_to_even(v * 10 ** decimals) / 10 ** decimals),
  neg: (x) => each(x, (v) => -v),
  sin: (x) => each(x, Math.sin),
  cos: (x) => each(x, Math.cos),
  add: (x, y, alpha) => both(x, y, (a, b) => a + alpha * b),
  sub: (x, y, alpha) => both(x, y, (a, b) => a - alpha * b),
  mul: (x, y) => both(x, y, (a, b) => a * b),
  div: (x, y) => both(x, y, (a, b) => a / b),
  pow: (x, y) => both(x, y, Math.pow),
  maximum: (x, y) => both(x, y, Math.max),
  minimum: (x, y) => both(x, y, Math.min),
  where: (c, x, y) => both(both(c, x, (a, b) => (a ? b : 0)), both(c, y, (a, b) => (a ? 0 : b)), (a, b) => a + b),
  eq: (x, y) => both(x, y, (a, b) => Number(a === b)),
  ne: (x, y) => both(x, y, (a, b) => Number(a !== b)),
  sum: (x, axes, keep) => summed(x, axes, keep, 1),
  mean: (x, axes, keep) => summed(x, axes, keep, size(axes.map((d) => x.shape[d]))),
  linear: (x, weight, bias) => {
    const [m, n] = weight.shape, out = tensor([...x.shape.slice(0, -1), m]);
    for (let o = 0; o < x.data.length / n; o++)
      for (let i = 0; i < m; i++) {
        let sum = bias ? bias.data[i] : 0;
        for (let j = 0; j < n; j++) sum += weight.data[i * n + j] * x.data[o * n + j];
        out.data[o * m + i] = sum;
      }
    return out;
  },
  linear_activation: (x, weight, bias, kind, slope) =>
    each(ops.linear(x, weight, bias), (v) => activations[kind](v, slope)),
  conv: (x, w, bias, g) => windows(x, w, bias, g, false),
  conv_transpose: (y, w, bias, g) => windows(y, w, bias, g, true),
  taps: (x, rows, columns) => {
    const y = rows ? along(x, rows, false) : x;
    return columns ? along(y, columns, true) : y;
  },
  reshape: (x, shape) => tensor(shape, x.data),
  expand: (x, shape) => both(x, tensor(shape), (a) => a),
  permute: (x, dims) => {
    const r = strides(x.shape);
    return picked(x, dims.map((d) => x.shape[d]), 0, dims.map((d) => r[d]));
  },
  getitem: (x, first, step, shape) => picked(x, shape, first, step),
  pick_rows: (weight, index) => {
    const n = weight.shape[1], rows = Array.from(index.data, (i) => weight.data.subarray(i * n, (i + 1) * n));
    return tensor([...index.shape, n], Float32Array.from(rows.flatMap((r) => [...r])));
  },
  cat: (dim, ...xs) => {
    const shape = [...xs[0].shape], outer = size(shape.slice(0, dim));
    shape[dim] = xs.reduce((n, x) => n + x.shape[dim], 0);
    const out = tensor(shape);
    let at = 0;
    for (let o = 0; o < outer; o++)
      for (const x of xs) {
        const n = x.data.length / outer;
        out.data.set(Array.from(x.data).slice(o * n, (o + 1) * n), at);
        at += n;
      }
    return out;
  },
  group_norm: (x, weight, bias, groups, eps) => {
    const out = tensor(x.shape), n = x.data.length / (x.shape[0] * groups);
    const inner = size(x.shape.slice(2)), channels = x.shape[1];
    for (let g = 0; g < x.data.length; g += n) {
      const part = x.data.subarray(g, g + n);
      const mean = part.reduce((a, b) => a + b, 0) / n;
      const scale = 1 / Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / n + eps);
      for (let k = g; k < g + n; k++) {
        const c = Math.floor(k / inner) % channels;
        out.data[k] = (x.data[k] - mean) * scale * (weight ? weight.data[c] : 1) + (bias ? bias.data[c] : 0);
      }
    }
    return out;
  },
};

// The sum over axes, divided.
function summed(x, axes, keep, count) {
  const shape = x.shape.map((n, d) => (axes.includes(d) ? 1 : n));
  const from = strides(x.shape), to = strides(shape), sums = new Float64Array(size(shape));
  x.data.forEach((v, k) => {
    let at = 0;
    for (let d = 0; d < shape.length; d++)
      if (!axes.includes(d)) at += (Math.floor(k / from[d]) % x.shape[d]) * to[d];
    sums[at] += v;
  });
  const left = keep ? shape : shape.filter((_, d) => !axes.includes(d));
  return tensor(left, Float32Array.from(sums, (v) => v / count));
}

// Two-dimensional convolution of x (N, C, *size) to y (N, O, *out), or (back) its transpose: y to x.
function windows(given, w, bias, g, back) {
  const [H, W] = g.size, [h, v] = g.out, [kh, kw] = g.kernel;
  const O = w.shape[0], C = w.shape[1] * g.groups, perO = O / g.groups, perC = w.shape[1];
  const N = given.shape[0], out = tensor(back ? [N, C, H, W] : [N, O, h, v]);
  const sums = new Float64Array(out.data.length), plane = back ? H * W : h * v;
  if (bias) for (let k = 0; k < sums.length; k++) sums[k] = bias.data[Math.floor(k / plane) % bias.data.length];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let c = 0; c < perC; c++)
        for (let a = 0; a < kh; a++)
          for (let b = 0; b < kw; b++) {
            const weight = w.data[((o * perC + c) * kh + a) * kw + b];
            const xs = (n * C + Math.floor(o / perO) * perC + c) * H * W, ys = (n * O + o) * h * v;
            for (let i = 0; i < h; i++) {
              const p = i * g.stride[0] - g.padding[0] + a * g.dilation[0];
              if (p < 0 || p >= H) continue;
              for (let j = 0; j < v; j++) {
                const q = j * g.stride[1] - g.padding[1] + b * g.dilation[1];
                if (q < 0 || q >= W) continue;
                const x = xs + p * W + q, y = ys + i * v + j;
                if (back) sums[x] += weight * given.data[y];
                else sums[y] += weight * given.data[x];
              }
            }
          }
  out.data.set(sums);
  return out;
}

// The numbers of a base64 text, float16 or float32, little-endian.
function numbers(text, kind) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  if (kind === "float32") return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true), exponent = (bits >> 10) & 31, share = bits & 1023;
    const value = exponent ? (1 + share / 1024) * 2 ** (exponent - 15) : (share / 1024) * 2 ** -14;
    return bits >> 15 ? -value : value;
  });
}

// (inputs by name) -> the result, of a packed network
function network(model) {
  const weights = numbers(model.weights, model.kind);
  const constants = model.constants.map(({ shape, at, values }) =>
    tensor(shape, values ? Float32Array.from(values) : weights.subarray(at, at + size(shape))));
  return (inputs) => {
    const values = new Map(model.inputs.map(({ name, number, shape }) => [number, tensor(shape, inputs[name])]));
    const known = (x) => {
      if (Array.isArray(x) || x === null || typeof x !== "object") return x;
      return "value" in x ? values.get(x.value) : "constant" in x ? constants[x.constant] : x;
    };
    for (const { op, args, out } of model.steps) values.set(out, ops[op](...args.map(known)));
    return values.get(model.out);
  };
}
