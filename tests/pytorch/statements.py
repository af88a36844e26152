"""Random statements for programs.Writer: what a program does next."""

# (weight, function of a Writer that returns a line of text, or None where nothing fits); filled by
# `statement`.
KINDS = []

ACTIVATIONS = ["ReLU()", "ReLU(inplace=True)", "LeakyReLU(0.2, inplace=True)", "LeakyReLU(0.2)",
    "Tanh()", "Sigmoid()", "ELU(inplace=True)",
               "SELU()", "GELU()", "SiLU(inplace=True)", "Softplus()", "PReLU()",
               "Hardtanh(inplace=True)", "ReLU6()", "Mish()",
               "Softmax(-1)", "LogSoftmax(0)", "LogSigmoid()", "Identity()", "Flatten(0)",
               "Dropout(0.3).eval()"]  # fmt: skip
LOSSES = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "soft_margin_loss",
]
OPTIMISERS = ["SGD({}, lr=0.1)", "SGD({}, lr=0.1, momentum=0.9)",
    "SGD({}, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)",
              "Adam({}, lr=0.05)", "Adam({}, lr=0.05, betas=(0.5, 0.9), weight_decay=0.1)",
              "Adam({}, lr=0.05, amsgrad=True)",
              "AdamW({}, lr=0.05)", "RMSprop({}, lr=0.02)",
              "RMSprop({}, lr=0.02, momentum=0.5, centered=True)", "Adagrad({}, lr=0.1)",
              "SGD({}, lr=0.1, maximize=True)"]  # fmt: skip
BATCH_NORM = ["", ", affine=False", ", track_running_stats=False", ", momentum=None"]
INSTANCE_NORM = ["", ", affine=True", ", affine=True, track_running_stats=True"]
UPSAMPLING = ["", ", mode='bilinear'", ", mode='bilinear', align_corners=True", ", mode='bicubic'"]


def statement(weight):
    """Register a kind of statement; it is written that often."""
    return lambda f: KINDS.append((weight, f)) or f


def write(w):
    """One random line for Writer `w`, or None."""
    weights, kinds = zip(*KINDS)
    return w.rng.choices(kinds, weights)[0](w)


@statement(6)
def create(w):
    dtype = w.rng.choices([None, "int64", "uint8", "bool"], [7, 1, 1, 1])[0]
    x, shape = w.name(), w.shape()
    sizes = ", ".join(map(str, shape)) or "()"
    dtypes = (
        w.rng.choice(["", f", dtype=torch.{w.float}", ", dtype=torch.int64"])
        if w.float == "float32"
        else f", dtype=torch.{w.float}"
    )
    if w.chance(0.2):
        made = w.rng.choice([f"zeros({sizes}{dtypes})", f"ones({sizes}{dtypes})",
            f"full(({''.join(f'{n},' for n in shape)}), 2.0{dtypes})",
                             f"arange({w.rng.randint(1, 6)}{dtypes})",
                             f"eye({w.rng.randint(1, 4)}{dtypes})"])  # fmt: skip
        return f"{x} = torch.{made}"
    return f"{x} = {w.random(shape, dtype)}"


def expression(w):
    x = w.floats()
    if not x:
        return None
    t = w.value(x)
    roll = w.rng.random()
    if roll < 0.38:
        return (
            w.view(w.pick() if w.chance(0.2) else x, t) if not w.chance(0.2) else w.view(*pair(w))
        )
    if roll < 0.55:
        return w.binary(x, t)
    if roll < 0.67:
        return w.unary(x)
    if roll < 0.78:
        return w.reduction(x, t)
    if roll < 0.90:
        return w.reads(x, t)
    return w.products(x, t) if roll < 0.95 else w.joins(x, t)


def pair(w):
    x = w.pick()
    return x, w.value(x)


@statement(30)
def compute(w):
    text = expression(w)
    return text and f"{w.name()} = {text}"


@statement(2)
def without_grad(w):
    text = expression(w)
    return text and f"with torch.no_grad(): {w.name()} = {text}"


@statement(4)
def other_dtypes(w):
    text = w.mixed()
    return text and f"{w.name()} = {text}"


@statement(2)
def number(w):
    x = w.pick(lambda t: t.numel() == 1)
    if not x:
        return x
    ways = f"{x}.item()", f"float({x})", f"{x}.tolist()", f"bool({x} > 0)", f"({x} > 0).item()"
    return f"{w.name()} = {w.rng.choice(ways)}"


@statement(2)
def unpack(w):
    x, t = w.pick(lambda t: t.ndim), None
    if not x:
        return None
    t = w.value(x)
    d = w.dim(t)
    way = w.rng.choice(
        [
            f"{x}.unbind({d})",
            f"{x}.split(1, {d})",
            f"{x}.chunk(2, {d})",
            f"{x}.split(2, dim={d})",
            f"list({x})",
        ]
    )
    return f"{w.name()}, *{w.name('rest')} = {way}"


@statement(22)
def write_in_place(w):
    x = w.pick(
        lambda t: (
            t.is_floating_point()
            and not (t.is_leaf and t.requires_grad)
            and str(t.dtype).endswith(w.float)
        )
    )
    if not x or w.chance(0.05):
        x = w.pick()
    if not x:
        return None
    t = w.value(x)
    target = x
    if w.chance(0.12):
        target = f"{x}.data" if w.chance(0.6) else f"{x}.detach()"
    r = w.rng
    shape = list(t.shape)
    y = w.broadcast(list(t.shape), t)
    simple = y[0].isdigit() or y[0] == "-" or y == "True"
    if w.chance(0.45):  # through an index
        index = w.index(shape, 0.35)
        try:
            part = list(t[eval(f"__import__('numpy').index_exp[{index}]", dict(w.scope))].shape)
        except Exception:
            return None
        value = w.broadcast(part, t)
        if w.chance(0.1):
            value = w.random([1, *part])
        if w.chance(0.12) and part:
            return f"{target}[{index}] = {x}[{index}].flip(0)"
        line = f"{target}[{index}] {r.choice(['=', '=', '+=', '*=', '-='])} {value}"
    else:
        d = w.dim(t)
        n = t.shape[d] if t.ndim else 1
        at = f"torch.tensor([{r.randrange(max(1, n))}])"
        texts = [f"{target} += {y}", f"{target} -= {y}", f"{target} *= {y}", f"{target} /= 2",
            f"{target}.add_({y})",
                 f"{target}.mul_({y})", f"{target}.sub_({y}{', alpha=2' if not simple else ''})",
                 f"{target}.zero_()", f"{target}.fill_(0.5)", f"{target}.clamp_(-1, 1)",
                 f"{target}.clamp_(min=0)", f"{target}.tanh_()", f"{target}.sigmoid_()",
                 f"{target}.relu_()", f"{target}.neg_()",
                 f"{target}.abs_()", f"{target}.pow_(2)", f"{target} **= 2",
                 f"{target}.masked_fill_({x} > 0, 0.5)", f"{target}.transpose_({d}, {w.dim(t)})",
                 f"{target}.unsqueeze_({d})", f"{target}.squeeze_()",
                 f"{target}.exp_()" if w.chance(0.3) else f"{target}.square_()",
                 f"{target}.index_fill_({d}, {at}, 1.5)",
                 f"{target}.index_add_({d}, {at}, {x}.narrow({d}, 0, 1) * 2)",
                 f"{target}.index_copy_({d}, {at}, {x}.narrow({d}, 0, 1) * 2)",
                 f"{target}.scatter_({d}, torch.zeros_like({x}, dtype=torch.int64), 2.0)",
                 f"torch.nn.functional.leaky_relu({target}, 0.1, inplace=True)",
                 f"torch.nn.functional.relu({target}, inplace=True)",
                 f"{target}.requires_grad_()", f"{target}.detach_()"]  # fmt: skip
        if not simple:
            texts += [
                f"{target}.copy_({y})",
                f"{target}.lerp_({y}, 0.3)",
                f"{target}.addcmul_({y}, {y}, value=0.5)",
            ]
        line = r.choice(texts)
    return f"with torch.no_grad(): {line}" if w.chance(0.15) else line


@statement(9)
def layer(w):
    r = w.rng
    m = w.name("m")
    y = w.name()
    c, out = r.choice([1, 2, 3, 4]), r.choice([1, 2, 3, 4])
    k = r.choice([1, 2, 3])
    s = r.choice([1, 2])
    p = r.choice([0, 1])
    sizes = {1: [5], 2: [4, 5], 3: [3, 4, 3]}
    n = r.choice([1, 2, 2, 3])
    image = [r.choice([1, 2, 3]), c, *sizes[n]]
    g = r.choice([i for i in (1, c) if out % i == 0])
    bias = r.choice(["", ", bias=False"])
    made, shape = r.choice([
        (f"Linear({c}, {out}{bias})", w.shape(0, 2) + [c]),
        (f"Conv{n}d({c}, {out}, {k}, {s}, {p}, groups={g}{bias})", image),
        (f"Conv{n}d({c}, {out}, 2, dilation={s}, padding={p})", image),
        (f"ConvTranspose{n}d({c}, {out}, {k}, {s}, {min(p, k - 1)}{bias})", image),
        (f"ConvTranspose{n}d({c}, {out}, 3, 2, 1, output_padding=1)", image),
        (f"BatchNorm{n}d({c}{r.choice(BATCH_NORM)})", image),
        (f"BatchNorm{n}d({c}).eval()", image),
        (f"BatchNorm1d({c})", [r.choice([2, 3, 4]), c]),
        (f"LayerNorm({c})", w.shape(1, 2) + [c]),
        (f"LayerNorm({image[1:]})", image),
        (f"GroupNorm({r.choice([i for i in (1, 2, 3, 4) if c % i == 0])}, {c})", image),
        (f"InstanceNorm{n}d({c}{r.choice(INSTANCE_NORM)})", image),
        (f"InstanceNorm{n}d({c}, track_running_stats=True).eval()", image),
        (r.choice(ACTIVATIONS), w.shape(1, 3)),
        (r.choice(ACTIVATIONS), w.shape(1, 3)),
        (f"{r.choice(['Max', 'Avg'])}Pool{min(n, 2)}d({r.choice([2, 3])}, {s}, 1)",
            [1, c, *sizes[min(n, 2)]]),
        (f"Adaptive{r.choice(['Max', 'Avg'])}Pool{min(n, 2)}d({r.choice([1, 2, 3])})",
            [2, c, *sizes[min(n, 2)]]),
        (f"{r.choice(['Reflection', 'Replication', 'Zero'])}Pad{min(n, 2)}d({r.choice([1, 2])})",
            [2, c, *sizes[min(n, 2)]]),
        ("ConstantPad2d((1, 0, -1, 2), 0.5)", [2, c, 4, 5]),
        (f"Upsample(scale_factor=2{r.choice(UPSAMPLING)})", [2, c, 3, 4]),
        (f"Upsample(size=(5, 3), mode='{r.choice(['nearest', 'bilinear'])}')", [1, c, 3, 4]),
        ("PixelShuffle(2)", [1, 4, 2, 3]), ("PixelUnshuffle(2)", [1, 2, 4, 2]),
        ("Flatten()", image),
        (f"Sequential(torch.nn.Linear({c}, 3), torch.nn.ReLU(inplace=True), torch.nn.Linear(3, "
         f"{out}))", [2, c]),
        (f"Sequential(torch.nn.Conv2d({c}, 2, 3, 1, 1), torch.nn.BatchNorm2d(2), "
         "torch.nn.LeakyReLU(0.2, inplace=True))", [2, c, 3, 3]),
        (f"Sequential(torch.nn.ConvTranspose2d({c}, 2, 2, 2, bias=False), "
         "torch.nn.BatchNorm2d(2), torch.nn.ReLU(True))", [2, c, 2, 2]),
        (f"RNN({c}, 2, batch_first=True)", [2, 3, c]), (f"GRU({c}, 2)", [3, 2, c]),
        (f"LSTM({c}, 2, num_layers=2)", [3, 2, c]),
        (f"Bilinear({c}, {c}, {out})", [2, c]),
    ])  # fmt: skip
    x = w.pick(lambda t: list(t.shape) == shape and str(t.dtype).endswith(w.float)) or w.random(
        shape
    )
    x = f"({x} * 1)" if w.chance(0.3) else x
    call = f"{m}({x}, {w.random(shape)})" if made.startswith("Bilinear") else f"{m}({x})"
    last = "[0]" if made[:3] in ("RNN", "GRU", "LST") else ""
    return f"{m} = fill(torch.nn.{made}, {w.seed()}, '{w.float}'); {y} = {call}{last}"


@statement(3)
def again(w):
    """A module that is there is called once more, on what it was called on or on its own mode
    changed."""
    import torch

    m = w.pick(kind=torch.nn.Module)
    if not m:
        return None
    if w.chance(0.3):
        ways = "train() eval() zero_grad() requires_grad_(False) requires_grad_()".split()
        return f"{m}.{w.rng.choice(ways)}"
    first = next((p for p in w.value(m).parameters()), None)
    if first is None or first.ndim != 2:
        return None
    return f"{w.name()} = {m}({w.random([2, first.shape[1]])})"


@statement(3)
def loss(w):
    x = w.floats()
    if not x:
        return None
    t, r = w.value(x), w.rng
    f = r.choice(LOSSES)
    shape = list(t.shape)
    y = w.name()
    reduction = r.choice(["", ", reduction='sum'", ", reduction='none'"])
    if t.ndim == 2 and t.shape[0] and t.shape[1] and w.chance(0.4):
        labels = f"torch.tensor({[r.randrange(t.shape[1]) for _ in range(t.shape[0])]})"
        return f"{y} = torch.nn.functional.cross_entropy({x}, {labels}{reduction})"
    target = f"{w.random(shape, 'bool')}.to({x}.dtype)" if f.startswith("bin") else w.random(shape)
    if w.chance(0.2):
        return (
            f"{y} = torch.nn.functional.binary_cross_entropy(torch.sigmoid({x}), "
            f"{w.random(shape, 'bool')}.to({x}.dtype){reduction})"
        )
    return f"{y} = torch.nn.functional.{f}({x}, {target}{reduction})"


@statement(9)
def backward(w):
    y = w.pick(lambda t: t.requires_grad and not t.is_leaf)
    if not y:
        return None
    keep = w.rng.choice(["retain_graph=True"] * 4 + ["create_graph=True", ""])
    ones = f"torch.ones_like({y})"
    both = f"{ones}, {keep}" if keep else ones
    return w.rng.choice([f"({y} * {y}).sum().backward({keep})", f"{y}.sum().backward({keep})",
        f"{y}.backward({both})",
                         f"{y}.mean().backward({keep})",
                         f"({y} * 0.5).tanh().sum().backward({keep})"])  # fmt: skip


@statement(6)
def grad(w):
    y = w.pick(lambda t: t.requires_grad and not t.is_leaf)
    x = w.pick(lambda t: t.requires_grad)
    if not y or not x:
        return None
    keep = w.rng.choice(["create_graph=True", "create_graph=True", "retain_graph=True"])
    of = w.rng.choice([f"{y}.sum()", f"({y} * {y}).sum()", f"{y}.tanh().mean()"])
    return f"{w.name('g')} = torch.autograd.grad({of}, {x}, {keep}, allow_unused=True)[0]"


@statement(3)
def flags(w):
    y = w.pick(lambda t: t.requires_grad and not t.is_leaf)
    x = w.pick(lambda t: t.is_leaf and t.requires_grad)
    texts = [f"{y}.retain_grad()"] * 3 if y else []
    texts += [f"{x}.grad = None", f"{x}.data.mul_(0.9)", f"{x}.requires_grad_(False)"] if x else []
    if x and w.value(x).grad is not None:
        texts += [
            f"{x}.grad.zero_()",
            f"{w.name()} = {x}.grad",
            f"with torch.no_grad(): {x} -= 0.1 * {x}.grad",
        ]
    return w.rng.choice(texts) if texts else None


@statement(4)
def optimise(w):
    import torch

    m, r = w.pick(kind=torch.nn.Module), w.rng
    x = w.pick(lambda t: t.is_leaf and t.requires_grad and t.numel() > 0)
    text, opt = r.choice(OPTIMISERS), w.name("opt")
    if m and w.chance(0.5) and any(p.ndim == 2 for p in w.value(m).parameters()):
        first = next(p for p in w.value(m).parameters())
        if first.ndim != 2 or isinstance(w.value(m), (torch.nn.RNNBase, torch.nn.Bilinear)):
            return None
        call = f"{m}({w.random([2, first.shape[1]], grad=False)}).pow(2).mean()"
        made = text.format(f"{m}.parameters()")
    elif x:
        other = w.pick(lambda t: t.is_leaf and t.requires_grad and t.numel() > 0)
        call = f"(({x} - 1) ** 2).sum() + {other}.tanh().sum()"
        made = text.format(f"[{x}]" if other == x else f"[{x}, {other}]")
    else:
        return None
    step = f"{opt}.zero_grad(); ({call}).backward(); {opt}.step()"
    return f"{opt} = torch.optim.{made}\nfor _ in range({r.choice([1, 2, 4])}): {step}"
