"""A training step as one graph, on a device that is not there: the graph's launches, recorded and
repeated on the same memory, give the numbers that the step gives when it is run; and nothing is
read or sent in between."""

import re
import sys

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import Tensor, nn
from minigan.arrays import default_generator, device
from minigan.arrays.seam import CaptureError
from minigan.autograd import tensor_of
from minigan.data.batches import Batches
from minigan.fast import updates
from minigan.fast.cuda import cublas
from minigan.fast.replay.graph import graph
from minigan.gan import GAN, OBJECTIVES, Trainer, dcgan_discriminator, dcgan_generator
from minigan.nn import functional as F
from minigan.optim import EMA, SGD, Adam, RMSprop
from minigan.training.run import round_of

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
GPU, CPU = device("cuda"), device("cpu")


@pytest.fixture
def kernels():
    with fakecuda.with_kernels():
        yield


def mlp():
    G = nn.Sequential(
        nn.Linear(4, 16),
        nn.BatchNorm1d(16, 0.8),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.1),
        nn.Linear(16, 64),
        nn.Tanh(),
    )
    D = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    return nn.Sequential(G, nn.Unflatten(1, (1, 8, 8))), D


def dcgan():
    return dcgan_generator(4, 1, 8, 8, 4), dcgan_discriminator(1, 8, 8, 4)


def training(
    networks, place, objective="nonsaturating", optimizer=lambda p: Adam(p, 1e-2, (0.5, 0.9)), k=1
):
    minigan.manual_seed(3)
    G, D = networks()
    if place.type == "cuda":
        G, D = G.cuda(), D.cuda()
    game = GAN(G, D, OBJECTIVES[objective](), 4, k)
    trainer = Trainer(
        game, {name: optimizer(player.parameters()) for name, player in game.players.items()}
    )
    return trainer, Batches(IMAGES, 8, 1, place)


def state(trainer):
    found = [t for player in trainer.game.players.values() for t in player.state_dict().values()]
    for optimizer in trainer.optimizers.values():
        found += [v for values in optimizer.state_dict()["state"].values() for v in values.values()]
    return [
        getattr(t.array, "storage", t.array).copy() if isinstance(t, Tensor) else t for t in found
    ]


def run(play, batches, steps):
    """The values of all moves."""
    values = []
    for epoch in range(-(-steps // len(batches))):
        for numbers in batches.numbers(epoch):
            if len(values) < steps:
                values.append([m.value.array.storage.item() for m in play(numbers)])
    return values


@pytest.mark.parametrize("networks, objective, optimizer, k", [
    (mlp, "nonsaturating", lambda p: Adam(p, 1e-2, (0.5, 0.9)), 1),
    (mlp, "minimax", lambda p: SGD(p, 1e-2, momentum=0.5, dampening=0.1), 2),
    (mlp, "minimax", lambda p: SGD(p, 1e-3, weight_decay=1), 1),
    (dcgan, "nonsaturating", lambda p: RMSprop(p, 1e-3), 1),
], ids=["mlp", "k=2, momentum", "whole numbers", "dcgan"])  # fmt: skip
def test_a_graph_gives_what_the_step_gives(kernels, networks, objective, optimizer, k):
    plain, batches = training(networks, GPU, objective, optimizer, k)
    expected = run(round_of(plain, batches, graph=False), batches, 12)
    drawn = default_generator.get_state()
    trainer, batches = training(networks, GPU, objective, optimizer, k)
    fakecuda.syncs = 0
    play = round_of(trainer, batches)
    found = run(play, batches, 12)
    assert fakecuda.syncs == 0
    assert found == expected  # the very same numbers
    assert play.graph.launches == 12
    assert default_generator.get_state() == drawn
    for f, e in zip(state(trainer), state(plain), strict=True):
        np.testing.assert_array_equal(f, e)


def test_a_changed_rate_and_reloaded_state_are_noticed(kernels):
    trainers = []
    for captured in (False, True):
        trainer, batches = training(mlp, GPU)
        play = round_of(trainer, batches, graph=captured)
        run(play, batches, 3)
        for optimizer in trainer.optimizers.values():
            optimizer.param_groups[0]["lr"] = 1e-3
        run(play, batches, 2)
        trainer.load_state_dict(trainer.state_dict())
        run(play, batches, 3)
        trainers.append(trainer)
    for f, e in zip(*map(state, trainers), strict=True):
        np.testing.assert_array_equal(f, e)


@pytest.mark.parametrize("networks", [mlp, dcgan])
def test_cuda_and_cpu_agree(kernels, networks):
    """The same seed: 100 steps on both end in weights that agree within 2 % of their spread
    (training amplifies other rounding)."""
    results = []
    for place in (CPU, GPU):
        trainer, batches = training(networks, place, optimizer=lambda p: SGD(p, 1e-2))
        steps = 0
        while steps < 100:
            for batch in batches.epoch(steps // len(batches)):
                trainer.play(*batch)
                steps += 1
        results.append([a for a in state(trainer) if isinstance(a, np.ndarray)])
    for here, there in zip(*results, strict=True):
        np.testing.assert_allclose(there, here, atol=0.02 * max(float(here.std()), 1e-3), rtol=0.02)


def test_gradients_are_kept_for_who_watches(kernels):
    trainer, batches = training(mlp, GPU)
    play = round_of(trainer, batches)
    run(play, batches, 1)
    trainer.watched = {}
    run(play, batches, 1)
    assert set(trainer.watched) == {"D", "G"}
    assert all(
        g is not None and g.shape == p.shape
        for g, p in zip(trainer.watched["G"], trainer.game.G.parameters(), strict=True)
    )


def test_games_that_cannot_be_captured_are_played_without(kernels):
    """A value that a game needs on the host, or state that it keeps: a line says why, and the
    numbers are those of the plain trainer."""

    class Curious(GAN):
        def moves(self, real):
            for move in super().moves(real):
                move.value.item()
                yield move

    class Counting(GAN):
        rounds = 0

        def state_dict(self):
            return {"rounds": self.rounds}

    for kind, words in (
        (Curious, "needs a value on the host"),
        (Counting, r"keeps a state between rounds \(rounds\)"),
    ):
        states, said = [], []
        for captured in (False, True):
            minigan.manual_seed(3)
            G, D = (m.cuda() for m in mlp())
            trainer = Trainer(
                kind(G, D, OBJECTIVES["nonsaturating"](), 4),
                {n: SGD(m.parameters(), 0.1) for n, m in (("D", D), ("G", G))},
            )
            batches = Batches(IMAGES, 8, 1, GPU)
            run(round_of(trainer, batches, said.append, captured), batches, 4)
            states.append(state(trainer))
        assert len(said) == 1 and re.search(words, said[0])
        for f, e in zip(*states, strict=True):
            np.testing.assert_array_equal(f, e)


# --- minigan.cuda.graph itself ---


def tools():
    net = nn.Linear(3, 2).cuda()
    return (
        net,
        Adam(net.parameters(), 0.1),
        tensor_of(fakecuda.asarray(np.ones((4, 3), np.float32))),
    )


def test_a_step_of_ones_own(kernels):
    """Everything a step changes is as if it had run once per call: weights, averages, buffers,
    draws, lists."""
    results = []
    for wrap in (lambda f: f, graph):
        minigan.manual_seed(0)
        net, optimizer, x = tools()
        ema, seen = EMA(net, 0.9), []

        @wrap
        def step(x):
            seen.append(1)
            loss = (net(x + minigan.randn(4, 3, device="cuda")) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update()
            return loss

        losses = [step(x).array.storage.item() for _ in range(6)]
        kept = [t.array.storage.copy() for t in (*net.parameters(), *ema.averages.values())]
        results.append(
            (
                losses,
                kept,
                optimizer.state_dict()["state"][0]["step"],
                ema.updates,
                default_generator.get_state(),
            )
        )
    (l1, k1, *rest1), (l2, k2, *rest2) = results
    assert l1 == l2 and rest1 == rest2
    for a, b in zip(k1, k2):
        np.testing.assert_array_equal(a, b)
    assert len(set(l1)) == 6


@pytest.mark.parametrize("offence, words", [
    (lambda net, x: net(x).sum().item(), "needs a value on the host"),
    (lambda net, x: float(net(x).sum()), "needs a value on the host"),
    (lambda net, x: net(x) if net(x).sum() > 0 else x, "needs a value on the host"),
    (lambda net, x: net(x).detach().numpy(), "needs a value on the host"),
    (lambda net, x: x * tensor_of(np.ones(3, np.float32)).cuda(), "sends data from the host"),
    (lambda net, x: x[x > 0], "shape"),
    (lambda net, x: sys.modules["cupy"].cuda.runtime.deviceSynchronize(), "waits for the device"),
], ids="item float if numpy send mask synchronize".split())  # fmt: skip
def test_what_cannot_be_captured(kernels, offence, words):
    net, _, x = tools()
    before, drawn = net.weight.array.storage.copy(), default_generator.get_state()

    def step(x):
        minigan.randn(3, device="cuda")
        return offence(net, x)

    with pytest.raises(CaptureError, match=words) as error:
        graph(step)(x)
    assert "test_graph.py:" in str(error.value) and "lambda net, x" in str(error.value)
    np.testing.assert_array_equal(net.weight.array.storage, before)
    assert default_generator.get_state() == drawn and fakecuda.capture is None
    assert graph(lambda x: net(x))(x).shape == (4, 2)  # the next one works


def test_changing_arguments(kernels):
    net, _, x = tools()
    step = graph(lambda x, scale: net(x) * scale)
    first = step(x, 2.0)
    twice = step(tensor_of(fakecuda.asarray(np.full((4, 3), 3, np.float32))), 2.0)
    assert twice is first
    with pytest.raises(
        CaptureError, match=r"argument 0 was float32 \(4, 3\).*now float32 \(5, 3\)"
    ):
        step(tensor_of(fakecuda.asarray(np.ones((5, 3), np.float32))), 2.0)
    with pytest.raises(CaptureError, match="on the CPU"):
        step(tensor_of(np.ones((4, 3), np.float32)), 2.0)
    with pytest.raises(CaptureError, match="argument 1 was 2.0"):
        step(x, 3.0)
    with pytest.raises(CaptureError, match="move its modules"):
        graph(lambda x: x * 2)(tensor_of(np.ones(3, np.float32)))


def test_changed_settings_are_captured_anew(kernels):
    """An attribute, an entry of a dict, a flag, a list: whatever the step's Python code can decide
    by. A rate is sent along instead."""
    results, captures = [], []
    for wrap in (lambda f: f, graph):
        net, optimizer, x = tools()
        with minigan.no_grad():
            for i, p in enumerate(net.parameters()):
                p.copy_(
                    tensor_of(
                        fakecuda.asarray(
                            np.linspace(-1, i + 1, p.array.size, dtype=np.float32).reshape(p.shape)
                        )
                    )
                )
        settings, extra = {"weight": 1.0}, []
        net.power = 2

        @wrap
        def step(x):
            loss = (net(x) ** net.power).mean() * settings["weight"]
            for factor in extra:
                loss = loss * factor
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        if wrap is graph:
            capture = step._capture
            step._capture = lambda args: captures.append(len(losses)) or capture(args)
        changes = {
            2: lambda: settings.update(weight=0.5), 4: lambda: setattr(net, "power", 4),
            6: lambda: net.bias.requires_grad_(False),
            8: lambda: extra.append(3.0), 10: lambda: optimizer.param_groups[0].update(lr=0.01),
        }  # fmt: skip
        losses = []
        for i in range(12):
            changes.get(i, lambda: None)()
            losses.append(step(x).array.storage.item())
        results.append((losses, [p.array.storage.copy() for p in net.parameters()]))
    assert captures == [0, 2, 4, 6, 8]
    assert results[0][0] == results[1][0]
    for a, b in zip(results[0][1], results[1][1]):
        np.testing.assert_array_equal(a, b)


def test_exchanged_memory_is_an_error(kernels):
    net, _, x = tools()

    def step(x):
        net.weight.data = net.weight.data * 0.9
        return net(x)

    with pytest.raises(CaptureError, match="other memory"):
        graph(step)(x)


# --- what would need a copy from the host, and how it does without ---


@pytest.mark.parametrize("do", [
    lambda a: fakecuda.concatenate([a] * 9), lambda a: np.stack([a] * 9), lambda a: a[[0, 1]],
    lambda a: a[np.array([0, 1])],
    lambda a: a.__setitem__([0, 1], 0.0), lambda a: fakecuda.add.at(a, np.array([0, 0]), a[:2]),
], ids="concatenate stack list array assignment at".split())  # fmt: skip
def test_the_stand_in_refuses_what_cuda_would(do):
    """As CuPy does: 9 small arrays are joined by a kernel that gets their addresses from the host;
    indices of the host are sent."""
    with fakecuda.installed():
        a = fakecuda.asarray(np.ones(4, np.float32))
        do(a)
        stream = fakecuda.cuda.Stream()
        stream.begin_capture()
        try:
            fakecuda.concatenate([a] * 8)
            with pytest.raises(RuntimeError, match="a copy from the host"):
                do(a)
        finally:
            stream.end_capture()


def _written(x, index):
    y = x * 1
    y[index] = 7.0
    return y


STEPS = {
    "cat": lambda x: minigan.cat([x * i for i in range(20)], 1),
    "stack": lambda x: minigan.stack([x * i for i in range(9)]),
    "prod": lambda x: x.prod(0), "list": lambda x: x[[2, 0, 2]],
    "lists": lambda x: x[[2, 0], [1, 1]], "range": lambda x: x[range(1, 3)],
    "array": lambda x: x[:, np.array([1, 1, 0])], "diag": lambda x: minigan.diag(x[0], -1),
    "diagonal": lambda x: minigan.diagonal(x, 1),
    "repeat": lambda x: minigan.repeat_interleave(x, 2, 0),
    "affine grid": lambda x: F.affine_grid(x[:8].reshape(4, 2, 3), (4, 1, 40, 40)),
    "warp": lambda x: F.grid_sample(
        x.reshape(1, 1, 9, 3), F.affine_grid(x[:2].reshape(1, 2, 3), (1, 1, 4, 4)) * 0.3),
    "eye": lambda x: x @ minigan.eye(3, device="cuda"),
    "pairs": lambda x: F.pdist(x), "classes": lambda x: F.one_hot(x.argmax(1), 3) * x,
    "windows": lambda x: x.unfold(0, 4, 2), "combinations": lambda x: minigan.combinations(x[0]),
    "windows that cover": lambda x: F.adaptive_avg_pool1d(x.T, 5),
    "of them the largest": lambda x: F.adaptive_max_pool1d(x.T, 5),
    "windows without the edge": lambda x: F.avg_pool1d(x.T, 3, 2, 1, count_include_pad=False),
    "assignment": lambda x: _written(x, [0, 2]),
    "in place": lambda x: (x * 2).index_put_(([1, 1], [0, 2]), minigan.ones(2, device="cuda"),
        accumulate=True),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_joins_and_indices_of_the_host_are_captured(kernels, name):
    results = []
    for wrap in (lambda f: f, graph):

        @wrap
        def step(x):
            x = x.detach().requires_grad_()
            y = STEPS[name](x)
            (g,) = minigan.grad((y * y).sum(), x)
            return y, g

        for seed in range(3):
            x = tensor_of(
                fakecuda.asarray(
                    np.random.default_rng(seed).standard_normal((9, 3)).astype(np.float32)
                )
            )
            results.append([t.array.storage.copy() for t in step(x)])
    for plain, captured in zip(results[:3], results[3:], strict=True):
        for p, c in zip(plain, captured, strict=True):
            np.testing.assert_array_equal(c, p)


def test_gradients_of_many_parameters_are_clipped_in_a_graph(kernels):
    ends = []
    for wrap in (lambda f: f, graph):
        minigan.manual_seed(0)
        net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(6)]).cuda()  # 12 parameters
        optimizer = SGD(net.parameters(), 0.1)
        x = tensor_of(fakecuda.asarray(np.ones((4, 3), np.float32)))

        @wrap
        def step(x):
            optimizer.zero_grad()
            (net(x) ** 2).sum().backward()
            norm = nn.utils.clip_grad_norm_(net.parameters(), 0.05)
            optimizer.step()
            return norm

        norms = [step(x).array.storage.item() for _ in range(4)]
        ends.append((norms, [p.array.storage.copy() for p in net.parameters()]))
    assert ends[0][0] == ends[1][0] and ends[0][0][0] > 0.05
    for a, b in zip(ends[0][1], ends[1][1]):
        np.testing.assert_array_equal(a, b)


def test_a_graphs_cublas_handle_goes_to_the_next(kernels, monkeypatch):
    """However many graphs are made, no more handles and workspaces are there than graphs at a time,
    and one for what is not captured."""
    monkeypatch.setattr(cublas, "_spare", {})
    library = fakecuda.cublas_library()
    net, _, x = tools()
    net(x)
    graph(lambda x: net(x))(x)
    before = library.created
    for _ in range(5):
        graph(lambda x: net(x))(x)
    assert library.created == before
    with pytest.raises(CaptureError):
        graph(lambda x: net(x).sum().item())(x)
    kept = [graph(lambda x: net(x)) for _ in range(3)]
    for g in kept:
        g(x)
    assert library.created == before + 2
    assert len({id(g._products.handle) for g in kept}) == 3


def test_weights_of_convolutions_are_copied_nowhere(kernels, monkeypatch):
    """On CUDA they lie as the kernels read them, and so do their gradients and the optimiser's
    state."""
    trainer, batches = training(dcgan, GPU)
    weights = [
        p for player in trainer.game.players.values() for p in player.parameters() if p.ndim > 2
    ]
    assert len(weights) == 2 and all(
        p.array.storage.transpose(0, 2, 3, 1).flags.c_contiguous for p in weights
    )
    copied = []

    def ascontiguousarray(x):
        if not x.flags.c_contiguous:
            copied.append(x.shape)
        return fakecuda.computed(np.ascontiguousarray, (x,), {}, x)

    monkeypatch.setattr(fakecuda, "ascontiguousarray", ascontiguousarray, raising=False)
    monkeypatch.setattr(
        updates,
        "laid_out_as",
        lambda like, a: pytest.fail(f"the gradient of {a.shape} is laid out anew"),
    )
    run(round_of(trainer, batches, graph=False), batches, 3)
    shapes = {(p.shape[0], *p.shape[2:], p.shape[1]) for p in weights}
    assert not shapes & set(copied), copied
    for player in trainer.game.players.values():
        assert all(p.array.flags.c_contiguous for p in player.cpu().parameters())


def test_classes_are_drawn_inside_a_graph(kernels):
    logits = minigan.zeros(6, 50, device="cuda")
    step = graph(lambda x: minigan.ops.categorical(x))
    drawn = [tuple(step(logits).array.storage.tolist()) for _ in range(4)]
    assert len(set(drawn)) == 4
