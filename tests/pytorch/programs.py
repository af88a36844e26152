"""Random programs in PyTorch's vocabulary: a Writer writes one statement after another, running
each with torch to know the shapes."""

import random

import torch

# What a program may use beside torch. `noise` moves all random inputs a little, to tell bad luck
# from a fault.
PRELUDE = """
import numpy as np
def rand(seed, *shape, dtype="float32", noise=NOISE):
    r = np.random.RandomState(seed)
    x = r.randn(*shape) if shape else np.array(r.randn())
    return (x * (1 + noise * np.random.RandomState(seed + 999).randn(*x.shape))).astype(dtype)
def ints(seed, *shape, dtype="int64"):
    low = 0 if dtype == "uint8" else -4
    return np.array(np.random.RandomState(seed).randint(low, 6, shape)).astype(dtype)
def bools(seed, *shape):
    return np.array(np.random.RandomState(seed).rand(*shape) > 0.4)
def fill(module, seed, dtype="float32"):
    for i, p in enumerate(module.parameters()):
        p.data.copy_(torch.tensor(0.5 * rand(seed + i, *p.shape)))
    return module.to(getattr(torch, dtype))
"""

UNARY = """abs neg square exp log1p_abs sqrt_abs tanh sigmoid relu sin cos sign floor round erf
 expm1 softplus leaky_relu elu selu gelu silu mish softsign logsigmoid hardtanh relu6 hardswish
 reciprocal_safe trunc frac isnan isfinite logical_not clone contiguous""".split()
REDUCTIONS = """sum mean var std prod amax amin max min argmax argmin logsumexp norm all any
 count_nonzero cumsum softmax log_softmax sort topk""".split()
MIXED = """exp() sqrt() sin() tanh() abs() neg() sigmoid() float() long() bool() byte()
 double() int() log() erf() square() cumsum(0) prod() max() argmax() mean()
 softmax(-1) float().mean()""".split()


class Writer:
    """Writes a random program. `scope` holds torch's values of its names."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.number = 0
        self.float = self.rng.choice(["float32", "float32", "float64"])
        self.scope = scope(torch)
        self.lines = []

    # --- picking ---

    def name(self, letter="x"):
        self.number += 1
        return f"{letter}{self.number}"

    def seed(self):
        return self.rng.randrange(1000)

    def chance(self, p):
        return self.rng.random() < p

    def all(self, fits=lambda t: True, kind=torch.Tensor):
        return [
            n
            for n, v in self.scope.items()
            if not n.startswith("_") and isinstance(v, kind) and fits(v)
        ]

    def pick(self, fits=lambda t: True, kind=torch.Tensor):
        """A name, later ones more often; None if there is none that fits."""
        found = self.all(fits, kind)
        if not found:
            return None
        return found[max(self.rng.randrange(len(found)), self.rng.randrange(len(found)))]

    def value(self, name):
        return self.scope[name]

    def shape(self, low=0, high=4):
        return [
            self.rng.choice([1, 2, 2, 3, 3, 4]) if not self.chance(0.01) else 0
            for _ in range(self.rng.randint(low, high))
        ]

    def dim(self, x, extra=0):
        n = x.ndim + extra
        return self.rng.randrange(-n, n) if n else self.rng.choice([0, -1])

    def floats(self, **more):
        return self.pick(lambda t: t.dtype == getattr(torch, self.float), **more)

    # --- expressions ---

    def random(self, shape, dtype=None, grad=None):
        """Text of a new tensor."""
        dtype = dtype or self.float
        sizes = "".join(f", {n}" for n in shape)
        if dtype == "bool":
            return f"torch.tensor(bools({self.seed()}{sizes}))"
        if dtype in ("int64", "uint8"):
            return f"torch.tensor(ints({self.seed()}{sizes}, dtype='{dtype}'))"
        grad = self.chance(0.4) if grad is None else grad
        return (
            f"torch.tensor(rand({self.seed()}{sizes}, "
            f"dtype='{dtype}'){', requires_grad=True' if grad else ''})"
        )

    def broadcast(self, shape, apart=None):
        """A tensor's name or text that broadcasts with `shape`; not one that shares memory with the
        tensor `apart`, which is written: what a write reads of its own memory, torch leaves
        open."""
        memory = None if apart is None else apart.untyped_storage().data_ptr()

        def fits(t):
            if t.dtype != getattr(torch, self.float) or t.untyped_storage().data_ptr() == memory:
                return False
            return t.ndim <= len(shape) and all(
                a in (1, b) for a, b in zip(reversed(t.shape), reversed(shape))
            )

        found = self.pick(fits)
        if found and self.chance(0.7):
            return found
        if self.chance(0.3):
            return self.rng.choice(["2", "0.5", "-1.5", "3.0", "True"])
        cut = self.rng.randint(0, len(shape))
        return self.random([n if self.chance(0.7) else 1 for n in shape[cut:]], grad=None)

    def slice(self, n):
        a, b = sorted((self.rng.randint(0, n), self.rng.randint(0, n)))
        if a == b:
            a, b = 0, max(1, n)
        texts = [
            ":",
            f"{a}:{b}",
            f"{a}:",
            f":{b}",
            f"::{self.rng.choice([1, 2])}",
            f"-{max(1, b)}:",
            f"{a}:{b}:2",
            ":-1",
        ]
        return self.rng.choice(texts)

    def index(self, shape, advanced=0.4):
        """Text of an index into a tensor of this shape."""
        items = []
        dims = list(shape)
        fancy = self.chance(advanced)
        if fancy and dims and self.chance(0.25):
            sizes = dims[: self.rng.randint(1, len(dims))]
            mask = self.pick(lambda t: t.dtype == torch.bool and list(t.shape) == sizes)
            return mask or self.random(sizes, "bool")
        length, used = self.rng.choice([1, 2, 3]), False
        for n in dims[: self.rng.randint(0, len(dims))]:
            if self.chance(0.1):
                items.append("None")
            roll = self.rng.random()
            if n == 0:
                items.append(":")
            elif fancy and roll < 0.5:
                used = True
                positions = [self.rng.randrange(-n, n) for _ in range(length)]
                rows = [f"{positions}", f"torch.tensor({positions})", f"torch.tensor({positions})"]
                items.append(self.rng.choice(rows))
            elif not fancy and roll < 0.35:
                i = self.rng.randrange(-n, n)
                items.append(str(i) if self.chance(0.85) else f"torch.tensor({i})")
            else:
                items.append(self.slice(n))
        if len(items) < 4 and self.chance(0.2):
            items.insert(self.rng.randint(0, len(items)) if not used else len(items), "...")
        return ", ".join(items) or self.rng.choice(["...", ":" if dims else "...", "None"])

    def view(self, x, t):
        """Text of a view (or a copy that looks like one) of tensor t named x."""
        r, d = self.rng, self.dim(t)
        sizes = list(t.shape)
        n = sizes[d] if sizes else 1
        order = r.sample(range(t.ndim), t.ndim)
        split = r.choice([s for s in (1, 2, 3, 4, 6) if t.numel() % s == 0])
        wide = [r.choice([2, 3]) if s == 1 and self.chance(0.6) else -1 for s in sizes]
        texts = [
            f"{x}.view(-1)", f"{x}.view({split}, -1)", f"{x}.reshape({split}, -1)",
            f"{x}.reshape(-1)", f"{x}.flatten()",
            f"{x}.transpose({d}, {self.dim(t)})",
            f"{x}.permute({', '.join(map(str, order))})" if order else f"{x}.view(1)",
            f"{x}.T" if t.ndim == 2 else f"{x}.unsqueeze({self.dim(t, 1)})",
            f"{x}.mT" if t.ndim > 1 else f"{x}.unsqueeze(0)",
            f"{x}.squeeze({d})", f"{x}.squeeze()", f"{x}.unsqueeze({self.dim(t, 1)})",
            f"{x}.expand({', '.join(map(str, wide)) or 2})",
            f"{x}.expand(2, {', '.join(['-1'] * t.ndim)})" if t.ndim else f"{x}.expand(3)",
            f"{x}.narrow({d}, {0}, {max(1, n - 1)})",
            f"{x}.select({d}, {r.randrange(-n, n) if n else 0})",
            f"{x}.diagonal()" if t.ndim > 1 else f"{x}.view(-1)",
            f"{x}.diagonal({r.choice([0, 1, -1])})" if t.ndim > 1 else f"{x}[...]",
            f"{x}.unbind({d})[{r.choice([0, -1])}]",
            f"{x}.split({r.choice([1, 2])}, {d})[0]", f"{x}.chunk(2, {d})[-1]",
            f"{x}.movedim({d}, {self.dim(t)})",
            f"{x}.flatten({min(1, max(0, t.ndim - 1))})", f"{x}.detach()", f"{x}.data",
            f"{x}[{self.index(sizes, 0.1)}]",
            f"{x}[{self.index(sizes, 0.1)}]", f"{x}.view_as({x})",
            f"{x}.repeat({', '.join(['1'] + ['2'] * t.ndim)})",
            f"{x}.tile(1, 2)", f"{x}.repeat({', '.join(['1'] * max(1, t.ndim))})",
            f"{x}.flip({d})" if t.ndim else f"{x}[None]",
            f"{x}.roll(1, {d})" if t.ndim else f"{x}[...]",
            f"torch.broadcast_to({x}, (2, *{x}.shape))", f"{x}.contiguous()",
            f"{x}.view({x}.shape)", f"{x}.clone()", f"{x}.to({x}.dtype)",
            f"{x}.float()" if self.float == "float32" else f"{x}.double()",
            f"{x}.swapaxes({d}, {self.dim(t)})", f"{x}.reshape({x}.shape)", f"{x}.expand_as({x})",
            f"{x}.unflatten({d}, (-1, 1))",
            f"{x}.ravel()",
        ]  # fmt: skip
        return r.choice(texts)

    def unary(self, x):
        f = self.rng.choice(UNARY)
        special = {"log1p_abs": f"{x}.abs().log1p()", "sqrt_abs": f"({x} * {x} + 1).sqrt()",
            "exp": f"{x}.clamp(max=2).exp()",
                   "reciprocal_safe": f"({x} * {x} + 0.5).reciprocal()"}  # fmt: skip
        if f in special:
            return special[f]
        names = (
            "softplus leaky_relu elu selu gelu silu mish softsign logsigmoid hardtanh relu6 "
            "hardswish"
        )
        return (
            f"torch.nn.functional.{f}({x})"
            if f in names.split()
            else f"{self.rng.choice(['torch.' + f + f'({x})', f'{x}.{f}()'])}"
        )

    def reduction(self, x, t):
        f, d = self.rng.choice(REDUCTIONS), self.dim(t)
        if f in ("cumsum", "softmax", "log_softmax"):
            return f"{x}.{f}({d})"
        if f == "sort":
            return f"{x}.sort({d})[0]"
        if f == "topk":
            return f"{x}.topk(1, {d})[{self.rng.choice([0, 1])}]"
        keep = self.rng.choice(["", ", keepdim=True"]) if f != "count_nonzero" else ""
        if (
            f in ("logsumexp", "amax", "amin", "sum", "mean", "var", "std")
            and t.ndim > 1
            and self.chance(0.3)
        ):
            return f"{x}.{f}(({self.dim(t)}, {self.dim(t)}){keep})"
        if f in ("max", "min"):
            return (
                f"{x}.{f}({d}{keep})[{self.rng.choice([0, 1])}]"
                if self.chance(0.6)
                else f"{x}.{f}()"
            )
        if f in ("norm",):
            p = self.rng.choice(["2", "1", "float('inf')", "3"])
            return f"{x}.norm()" if self.chance(0.5) else f"{x}.norm({p}, {d}{keep})"
        if f == "logsumexp" or self.chance(0.6):
            return f"{x}.{f}({d}{keep})"
        return f"{x}.{f}()"

    def binary(self, x, t):
        y = self.broadcast(list(t.shape))
        swap = self.chance(0.3)
        a, b = (y, x) if swap else (x, y)
        texts = [
            f"{a} + {b}",
            f"{a} - {b}",
            f"{a} * {b}",
            f"{a} / ({b} * {b} + 1)",
            f"{a} > {b}",
            f"{a} == {b}",
            f"{a} <= {b}",
        ]
        if not y[0].isdigit() and y[0] != "-" and y != "True":
            texts += [f"torch.maximum({a}, {b})", f"torch.minimum({a}, {b})",
                f"torch.where({a} > 0, {a}, {b})",
                      f"torch.lerp({a}, {b}, 0.3)",
                      f"torch.addcmul({a}, {b}, {b}, value=0.5)"]  # fmt: skip
        else:
            texts += [f"{x}.clamp(-0.5, 0.8)", f"{x}.clamp(min=0.1)", f"{x} ** 2", f"{x} ** 3",
                f"{x} % 2", f"{x} // 2",
                      f"torch.pow({x}, 2)"]  # fmt: skip
        return self.rng.choice(texts)

    def mixed(self):
        """Integers and booleans among themselves and with floats."""
        x, y = self.pick(lambda t: not t.is_floating_point()), self.pick()
        if not x or not y:
            return None
        op = self.rng.choice("+ - * / // % ** < == & | ^ >=".split())
        method = self.rng.choice(MIXED)
        return self.rng.choice([f"{x} {op} {y}", f"{y} {op} {x}", f"{x} {op} 2", f"{x} {op} 1.5",
            f"~{x}", f"{x}.sum()", f"{x}.{method}",
                                f"{x}.{method}", f"torch.where({x} > 0, {y}, {x})",
                                f"{x}.to({y}.dtype)", f"{x}.type_as({y})"])  # fmt: skip

    def products(self, x, t):
        r = self.rng
        if t.ndim == 2:
            n = r.choice([1, 2, 3])
            return r.choice(
                [
                    f"{x} @ {self.random([t.shape[1], n])}",
                    f"{x} @ {x}.t()",
                    f"torch.mm({x}.t(), {x})",
                    f"torch.einsum('ij,kj->ik', {x}, {x})",
                    f"torch.einsum('ij->ji', {x})",
                    f"{x} @ {self.random([t.shape[1]])}",
                    f"torch.addmm({self.random([n])}, {x}, {self.random([t.shape[1], n])})",
                ]
            )
        if t.ndim >= 3:
            return r.choice(
                [
                    f"{x} @ {x}.transpose(-1, -2)",
                    f"torch.matmul({x}, {self.random([t.shape[-1], 2])})",
                ]
            )
        return f"torch.dot({x}, {x})" if t.ndim == 1 else f"torch.stack([{x}, {x} * 2])"

    def joins(self, x, t):
        same = self.pick(lambda s: s.shape == t.shape and s.dtype == t.dtype) or x
        d = self.dim(t)
        return self.rng.choice([f"torch.cat([{x}, {same}], {d})",
            f"torch.stack([{x}, {same}], {self.dim(t, 1)})",
                                f"torch.stack(({x}, {same}))",
                                f"torch.cat(({same}, {x}, {same}), dim={d})"])  # fmt: skip

    def reads(self, x, t):
        """Indexing that copies."""
        r, d = self.rng, self.dim(t)
        n = t.shape[d] if t.ndim else 1
        at = [r.randrange(max(1, n)) for _ in range(2)]
        return r.choice([
            f"{x}[{self.index(t.shape, 0.9)}]", f"{x}[{self.index(t.shape, 0.9)}]", f"{x}[{x} > 0]",
            f"{x}.index_select({d}, torch.tensor({at}))",
            f"{x}.gather({d}, torch.zeros_like({x}, dtype=torch.int64))",
            f"{x}.masked_select({x} > 0)", f"{x}.masked_fill({x} < 0, 0.5)",
            f"torch.take_along_dim({x}, {x}.argsort({d}), {d})",
            f"{x}.nonzero()", f"torch.where({x} > 0)[0]", f"{x}.take(torch.tensor([0]))",
            f"{x}.tril()", f"{x}.triu(1)",
            f"{x}.index_add({d}, torch.tensor({at[:1]}), {x}.narrow({d}, 0, 1))", f"{x}.unique()",
            f"{x}.scatter({d}, torch.zeros_like({x}, dtype=torch.int64), {x})",
        ])  # fmt: skip


def scope(world, noise=0.0):
    """A fresh namespace in which `torch` is `world`."""
    names = {"torch": world}
    exec(PRELUDE.replace("NOISE", repr(noise)), names)
    return names
