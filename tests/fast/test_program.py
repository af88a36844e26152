"""minigan.cpu.graph: what is repeated is what would have happened, to the bit; what cannot be
repeated is said and played as it is."""

import threading
import time
import warnings

import numpy as np
import pytest

import minigan
from minigan import Tensor, nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data.toy import TOYS, PointBatches
from minigan.gan import GAN, R1, NonSaturating, Trainer
from minigan.nn import functional as F
from minigan.optim import EMA, SGD, Adam
from minigan.optim.lr_scheduler import StepLR
from minigan.training import Run
from minigan.training.plane import GAMES, Players, points_per_example


def game(name="gan", seed=0):
    minigan.manual_seed(seed)
    return GAMES[name](Players("small"))


def state(trainer):
    """All numbers of a trainer's players and optimisers, and the random state."""
    found = [p.array for m in trainer.game.players.values() for p in m.state_dict().values()]
    for optimizer in trainer.optimizers.values():
        found += [
            np.asarray(v.array if isinstance(v, Tensor) else v)
            for s in optimizer.state.values()
            for v in s.values()
        ]
    return [a.copy() for a in found], minigan.get_rng_state()


def batches(trainer, n, size=20):
    points, each = Generator(1), size * points_per_example(trainer.game)
    return [tensor_of(points.normal((each, 2))) for _ in range(n)]


def play(name, steps, wrap):
    trainer = game(name)
    step = wrap(trainer.play)
    values = []
    for real in batches(trainer, steps):
        moves = step(real)
        values.append([m.value.item() for m in moves])
    return step, values, state(trainer)


REPEATED = [
    "gan",
    "wgan",
    "wgan-gp",
    "dragan",
    "spectral",
    "began",
    "pacgan2",
    "veegan",
    "madgan",
    "ebgan-pt",
    "mdgan",
]


@pytest.mark.parametrize("name", REPEATED)
def test_games_are_repeated_to_the_bit(name):
    _, values, (arrays, random) = play(name, 7, lambda step: step)
    graph, again, (repeated, same_random) = play(name, 7, minigan.cpu.graph)
    assert graph.why is None and graph.program is not None
    assert values == again and random == same_random
    for a, b in zip(arrays, repeated, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name, reason", [
    ("magan", "changes 'round'"), ("unrolled", "which no op has computed"),
])  # fmt: skip
def test_games_that_keep_numbers_are_played_as_they_are(name, reason):
    _, values, _ = play(name, 7, lambda step: step)
    with pytest.warns(RuntimeWarning, match=reason):
        graph, again, _ = play(name, 7, minigan.cpu.graph)
    assert reason in graph.why and graph.program is None and values == again


def small():
    minigan.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    return model, Adam(model.parameters(), 1e-2)


def test_backward_averages_schedules_and_running_statistics():
    def run(wrap):
        model, optimizer = small()
        average, schedule = EMA(model, 0.9), StepLR(optimizer, 3, 0.5)

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            average.update()
            return {"loss": loss}

        repeat, losses = wrap(step), []
        source = Generator(0)
        for _ in range(10):
            losses.append(repeat(tensor_of(source.normal((6, 3))))["loss"].item())
            schedule.step()
        averages = [t.array for t in average.averages.values()]
        return (
            losses,
            [*[t.array for t in model.state_dict().values()], *averages],
            average.updates,
            optimizer.param_groups[0]["lr"],
        )

    losses, arrays, *rest = run(lambda step: step)
    again, repeated, *others = run(minigan.cpu.graph)
    assert losses == again and rest == others
    for a, b in zip(arrays, repeated, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_a_step_is_given_stays_the_callers():
    """A list of batches may be gone through again."""
    trainer = game()
    real, step = batches(trainer, 7), minigan.cpu.graph(trainer.play)
    before = [(x.array, x.array.copy()) for x in real]
    for x in real:
        step(x)
    assert step.repeats
    for x, (array, values) in zip(real, before):
        assert x.array is array
        np.testing.assert_array_equal(array, values)


def test_a_step_may_give_back_what_it_was_given():
    step = minigan.cpu.graph(lambda x: (x, x * 2))
    for i in range(6):
        same, twice = step(minigan.ones(3) * i)
        assert same.tolist() == [i] * 3 and twice.tolist() == [2 * i] * 3


def test_other_shapes_run_the_step_itself_and_exchanged_memory_begins_anew():
    model, optimizer = small()

    @minigan.cpu.graph
    def step(x):
        loss = model(x).mean()
        optimizer.step_with(minigan.grad(loss, list(model.parameters())))
        return loss

    for n in (6, 6, 6, 6, 4, 6):
        step(minigan.ones(n, 3))
    # on the tape: not repeated
    assert step.program is not None and step(minigan.ones(4, 3)).requires_grad
    first, program = step(minigan.ones(6, 3)), step.program
    assert first is step(minigan.ones(6, 3)) and not first.requires_grad and first.grad_fn is None
    model[0].weight.data = minigan.zeros(8, 3)
    for _ in range(4):
        value = step(minigan.ones(6, 3))
    assert step.program is not program and step.program is not None and step.why is None
    assert np.abs(model[0].weight.array).max() < 0.2
    assert value is not first


CLASSES = np.array([[2, 0, 1, 1], [0, 2, 2, 1], [1, 1, -100, 0]])


@pytest.mark.parametrize("loss, shape", [
    (lambda x, y: F.cross_entropy(x, y), (4, 3)),
    (lambda x, y: F.cross_entropy(x, y, tensor_of(np.float32([1, 2, 3])), label_smoothing=0.1),
        (4, 3)),
    (lambda x, y: F.nll_loss(x, y, reduction="sum"), (4, 3)),
    (lambda x, y: F.max_pool1d(x, 3, 2).sum(), (2, 3, 8)),
    (lambda x, y: F.max_pool2d(x, 2, padding=1).sum(), (2, 3, 6, 6)),
    (lambda x, y: F.adaptive_max_pool2d(x, 4).sum(), (2, 3, 7, 6)),
    (lambda x, y: F.max_pool3d(x, 2, 1, return_indices=True)[0].sum(), (2, 4, 5, 6)),
    (lambda x, y: F.adaptive_max_pool3d(x, 2).sum(), (2, 4, 5, 6)),
])  # fmt: skip
def test_classes_and_places_that_a_step_finds_are_repeated(loss, shape):
    """They are other numbers at each step: the rows of a table, the places of maxima."""
    random, weight = np.random.default_rng(5), minigan.ones(shape[-1])
    weight.requires_grad = True

    def step(x, y):
        value = loss(x * weight, y)
        return value, minigan.grad(value, [weight])[0]

    graph = minigan.cpu.graph(step)
    for i in range(8):
        x = tensor_of(random.normal(size=shape).astype(np.float32))
        y = tensor_of(CLASSES[i % 3])
        expected = [found.detach().numpy().copy() for found in step(x, y)]
        for found, value in zip(graph(x, y), expected):
            np.testing.assert_array_equal(found.detach().numpy(), value)
    assert graph.why is None and graph.program is not None


def test_what_a_repetition_would_not_do_is_refused():
    x = minigan.ones(3)

    def refused(step, match):
        graph = minigan.cpu.graph(step)
        with pytest.warns(RuntimeWarning, match=match):
            found = [graph(x).array.tolist() for _ in range(6)]
        assert graph.program is None
        return found

    box = {"n": 0}

    def counts(x):
        box["n"] += 1
        return x * 2

    assert refused(counts, "changes 'n'") and box["n"] == 6
    assert refused(lambda x: x * (1 if x.sum().item() > 0 else 2), "reads a Tensor's values")
    random = np.random.default_rng(0)
    found = refused(
        lambda x: x * tensor_of(random.normal(size=3).astype(np.float32)),
        "which no op has computed",
    )
    assert len({tuple(f) for f in found}) == 6
    names = iter("abcdefghij")
    refused(lambda x: x.exp() if next(names) in "bdfh" else x.log(), "it called")
    refused(lambda x: box.setdefault("seen", []).append(3) or x + 1, "changes")
    kept = minigan.zeros(3)

    def writes(x):
        kept.array[...] += x.array  # behind the back of the engine
        return x * 2

    refused(writes, "changes a Tensor of shape")
    assert kept.tolist() == [6, 6, 6]
    minigan.cpu.graph(lambda x: x + 1)(x)  # and nothing goes on being recorded
    assert not minigan.fast.replay.program.current_recording


def test_in_place_writes_are_repeated():
    def run(wrap):
        kept, history = minigan.zeros(4), minigan.ones(2, 4)

        def step(x):
            kept.mul_(0.5).add_(x)
            history[1] = kept * 2
            return kept + history.sum(0)

        repeat = wrap(step)
        return [repeat(minigan.full((4,), float(i))).tolist() for i in range(8)]

    assert run(lambda step: step) == run(minigan.cpu.graph)


def test_functions_of_ones_own_are_repeated():
    """Their ops are, forward and backward, and the Python between them is not."""
    calls = []

    class Wave(minigan.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(y := x.sin(), z := x.cos())
            return y, z

        @staticmethod
        def backward(ctx, g, h):
            calls.append(1)
            y, z = ctx.saved_tensors
            return g * z - h * y

    def run(wrap):
        minigan.manual_seed(0)
        net = nn.Linear(3, 3)
        optimizer = SGD(net.parameters(), 0.1)

        def step(x):
            y, z = Wave.apply(net(x))
            loss = (y * 2).sum() + (z * z).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach()

        repeat = wrap(step)
        points = Generator(1)
        return [repeat(tensor_of(points.normal((4, 3)))).item() for _ in range(30)]

    expected = run(lambda step: step)
    calls.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(minigan.cpu.graph) == expected and 0 < len(calls) < 10


def test_dropout_draws_anew():
    def run(wrap):
        minigan.manual_seed(3)
        f = nn.functional
        repeat = wrap(
            lambda x: (
                f.dropout(x, 0.5)
                + minigan.randn_like(x)
                + f.alpha_dropout(x, 0.5, True)
                + minigan.bernoulli(x, 0.5)
            )
        )
        return [repeat(minigan.ones(50)).tolist() for _ in range(6)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(lambda step: step) == run(minigan.cpu.graph)


def test_the_program_reads_as_python():
    minigan.manual_seed(0)
    G, D = (
        nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)),
        nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)),
    )
    trainer = Trainer(
        GAN(G, D, NonSaturating(), 2),
        {"G": SGD(G.parameters(), 0.1), "D": SGD(D.parameters(), 0.1)},
    )
    step = minigan.cpu.graph(trainer.play)
    for real in batches(trainer, 3):
        step(real)
    text = step.program.text
    assert (
        text.startswith("def run(input0):\n    v0 = normal(")
        and "linear_activation(v0, array4x2, array4, 'tanh', 0.0)" in text
    )
    compile(text, "text", "exec")


def test_a_run_repeats_its_steps(tmp_path):
    trainer = game("pacgan2")
    points = PointBatches(TOYS["ring"](), 20 * points_per_example(trainer.game), seed=0)
    run = Run(trainer, points, tmp_path / "run", {}, epochs=1, max_steps=8)
    run.train()
    assert run.round.graph.program is not None


def test_a_run_calls_code_of_others_in_each_step(tmp_path):
    called = []

    class Mine(GAN):
        def moves(self, real):
            called.append(len(called))
            return super().moves(real)

    minigan.manual_seed(0)
    G, D = (
        nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)),
        nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)),
    )
    trainer = Trainer(
        Mine(G, D, NonSaturating(), 2),
        {"G": SGD(G.parameters(), 0.1), "D": SGD(D.parameters(), 0.1)},
    )
    run = Run(
        trainer,
        PointBatches(TOYS["ring"](), 20, seed=0),
        tmp_path / "other",
        {},
        epochs=1,
        max_steps=8,
    )
    run.train()
    assert len(called) == 8 and run.round.graph.program is None


def test_what_other_threads_compute_is_not_in_the_program():
    stop, x = threading.Event(), minigan.ones(3)

    def others():
        while not stop.is_set():
            (minigan.rand(4) * 2).sum().item()

    thread = threading.Thread(target=others)
    thread.start()
    try:
        graph = minigan.cpu.graph(lambda x: x.exp() + 1)
        for _ in range(4):
            time.sleep(0.01)
            graph(x)
    finally:
        stop.set()
        thread.join()
    assert graph.program.text.count("=") == 2


@pytest.mark.parametrize("change", [
    lambda t: setattr(t.game.penalties[0], "weight", 3.0), lambda t: setattr(t.game, "k", 2),
    lambda t: t.game.D.eval(),
    lambda t: t.game.G[0].weight.requires_grad_(False), lambda t: setattr(t.game, "penalties", ()),
    lambda t: t.game.G.register_forward_pre_hook(lambda module, args: (args[0] * 2,)),
])  # fmt: skip
def test_what_is_changed_from_outside_counts(change):
    found = []
    for wrap in (lambda step: step, minigan.cpu.graph):
        minigan.manual_seed(0)
        G, D = (
            nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)),
            nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.1), nn.Linear(4, 1)),
        )
        players = GAN(G, D, NonSaturating(), 2, penalties=R1(2.0))
        trainer = Trainer(
            players, {"G": Adam(G.parameters(), 0.01), "D": SGD(D.parameters(), 0.01)}
        )
        step, values = wrap(trainer.play), []
        for i, real in enumerate(batches(trainer, 12)):
            if i == 6:
                change(trainer)
            values.append([m.value.item() for m in step(real)])
        found.append((values, state(trainer)))
    assert found[0][0] == found[1][0]
    for a, b in zip(found[0][1][0], found[1][1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert step.program is not None


def test_what_a_step_leaves_behind_is_renewed():
    """Attributes, gradients, and weights that hooks compute show the values of the last call."""

    class Kept:
        last = None

    def run(wrap):
        minigan.manual_seed(0)
        model, kept = nn.utils.spectral_norm(nn.Linear(3, 2)), Kept()

        def step(x):
            model.zero_grad()
            kept.last = model(x).tanh()
            kept.last.sum().backward()

        repeat, seen = wrap(step), []
        for i in range(7):
            repeat(minigan.full((4, 3), 0.1 * i))
            seen.append(
                [kept.last.tolist(), model.weight_orig.grad.tolist(), model.weight.tolist()]
            )
        return seen, repeat

    plain, _ = run(lambda step: step)
    found, graph = run(minigan.cpu.graph)
    assert plain == found and graph.program is not None


def test_the_same_array_twice_is_refused():
    x, y = minigan.ones(3), minigan.zeros(3)
    graph = minigan.cpu.graph(lambda a, b: a - b)
    with pytest.warns(RuntimeWarning, match="same array twice"):
        for _ in range(5):
            assert graph(x, x).tolist() == [0, 0, 0]
    assert graph(x, y).tolist() == [1, 1, 1]


def test_running_statistics_of_instances_are_repeated():
    def run(wrap):
        layer = nn.InstanceNorm1d(2, track_running_stats=True)
        step, source = wrap(lambda x: layer(x).sum()), Generator(0)
        for _ in range(6):
            step(tensor_of(source.normal((3, 2, 5))))
        return layer.running_mean.tolist(), layer.running_var.tolist(), step

    *plain, _ = run(lambda step: step)
    *found, graph = run(minigan.cpu.graph)
    assert plain == found and graph.program is not None


def test_gradients_are_clipped_as_soon_as_they_are_large():
    """Whether clipping does something is decided anew in each step."""

    def trained(wrap):
        minigan.manual_seed(0)
        model = nn.Linear(10, 10, bias=False)
        optimizer = SGD(model.parameters(), 0.1)

        def step(x):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            return norm

        step = wrap(step)
        norms = [step(0.01 * (i + 1) * minigan.randn(8, 10)).item() for i in range(5)]
        norms += [step(100 * minigan.randn(8, 10)).item() for _ in range(3)]
        return step, norms, [p.array for p in model.parameters()]

    _, expected, values = trained(lambda step: step)
    graph, norms, repeated = trained(minigan.cpu.graph)
    assert graph.why is None and norms == expected and norms[0] < 1 < norms[-1]
    for a, b in zip(values, repeated, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_picture_that_is_warped_is_repeated():
    """Where its pixels lie is rounded down, of which the derivative is known to be 0."""

    def run(wrap):
        theta = nn.Parameter(minigan.tensor([[[0.9, 0.1, 0.2], [-0.2, 0.8, 0.1]]]))
        optimizer = SGD([theta], 0.1)

        def step(x):
            y = F.grid_sample(x, F.affine_grid(theta, (1, 2, 5, 5)))
            loss = (y * y).mean() + (theta * 9).floor().mean()
            optimizer.step_with(minigan.grad(loss, [theta]))
            return loss

        graph, random = wrap(step), np.random.default_rng(0)
        losses = [
            graph(tensor_of(random.normal(size=(1, 2, 6, 6)).astype(np.float32))).item()
            for _ in range(7)
        ]
        return losses, theta.detach().numpy().tolist(), graph

    *expected, _ = run(lambda step: step)
    *found, graph = run(minigan.cpu.graph)
    assert found == expected and graph.program is not None and graph.why is None


def test_views_and_numbers_of_tensors_are_repeated():
    """A linear layer's result is laid out anew in each step in which it is viewed or detached."""

    def run(wrap):
        minigan.manual_seed(0)
        net, head = nn.Linear(3, 4), nn.Linear(4, 2)
        opt = SGD([*net.parameters(), *head.parameters()], 0.1)
        seen = minigan.zeros(24)

        @wrap
        def step(x):
            y = net(x).relu()
            with minigan.no_grad():
                seen.copy_(y.view(-1) + y.detach().t().reshape(-1))
                z = head(y)
                z.view(-1)[::3] = 0.5
                seen[:12] += z.view(-1)
            opt.zero_grad()
            loss = (head(y).view(3, 4) * y.view(2, 3, 4)[1]).sum()
            loss.backward()
            opt.step()
            return loss

        rng = np.random.default_rng(0)
        losses = [step(tensor_of(rng.standard_normal((6, 3), np.float32))).item() for _ in range(6)]
        return losses, seen.tolist(), net.weight.tolist(), step

    *expected, _ = run(lambda step: step)
    *found, graph = run(minigan.cpu.graph)
    assert found == expected and graph.program is not None
