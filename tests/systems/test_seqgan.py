"""SeqGAN: its losses and rewards against NumPy and against languages small enough to enumerate;
who moves when; its control; the oracle; draw and measure."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from minigan import manual_seed, nn
from minigan.arrays import CPU, Generator
from minigan.autograd import grad, no_grad, tensor_of
from minigan.data import TextSet, texts
from minigan.gan import Likelihood, Policy, SeqGAN, TextCritic
from minigan.gan.sequences import oracle
from minigan.metrics import bleu, self_bleu
from minigan.systems import load_game, system
from minigan.systems.command import main
from minigan.systems.seqgan import cooled
from minigan.systems.system import facts_of
from minigan.systems.texts import drawn_by, nats, of_oracle

from .steps import assert_descends, assert_only, played

V, T = 3, 3
ALL = np.array(list(itertools.product(range(V), repeat=T)))  # every sentence of the language
RNG = np.random.default_rng(5)


def policy(seed=0, dtype="float64", words=V):
    """With weights large enough that words differ in their probabilities."""
    found, rng = Policy(words, 2, 4), np.random.default_rng(seed)
    for p in found.parameters():
        p.data = tensor_of(rng.normal(size=p.shape).astype(dtype))
    return found


class Told(nn.Module):
    """A discriminator that has a logit for each sentence: it has learnt nothing of their parts."""

    per_example = True

    def __init__(self, seed=3):
        super().__init__()
        self.logits = nn.Parameter(np.random.default_rng(seed).normal(size=V**T))

    def forward(self, tokens):
        return self.logits[tokens[:, 0] * 9 + tokens[:, 1] * 3 + tokens[:, 2]][:, None]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def log_p(weights, tokens):
    """log pi(y_t | ...), (N, T), written out; weights: name -> array of a Policy."""
    w = {k: np.asarray(v, np.float64) for k, v in weights.items()}
    h = c = np.zeros((len(tokens), w["cell.weight_hh"].shape[1]))
    words = len(w["out.bias"])
    read, found = np.full(len(tokens), words), []
    for t in range(tokens.shape[1]):
        a = w["embedding.weight"][read] @ w["cell.weight_ih"].T + w["cell.bias_ih"]
        a = a + h @ w["cell.weight_hh"].T + w["cell.bias_hh"]
        i, f, g, o = np.split(a, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        said = log_softmax(h @ w["out.weight"].T + w["out.bias"])
        read = tokens[:, t]
        found.append(said[np.arange(len(tokens)), read])
    return np.stack(found, 1)


def weights_of(network):
    return {k: p.detach().numpy().copy() for k, p in network.named_parameters()}


def exact_values(network, logits, made):
    """Q_t by all sentences that begin so."""
    p = np.exp(log_p(weights_of(network), ALL))
    found = np.zeros(made.shape)
    for row, t in np.ndindex(*made.shape):
        same = (ALL[:, : t + 1] == made[row, : t + 1]).all(1)
        rest = p[same, t + 1 :].prod(1)
        found[row, t] = (rest * sigmoid(logits[same])).sum()
    return found


# --- the policy ---


def test_likelihood_is_that_of_numpy():
    G = policy()
    found = G.nats(tensor_of(ALL)).detach().numpy()
    np.testing.assert_allclose(-found, log_p(weights_of(G), ALL), rtol=1e-12)
    np.testing.assert_allclose(np.exp(-found.sum(1)).sum(), 1)
    logits = G(tensor_of(ALL)).detach().numpy()
    picked = np.take_along_axis(log_softmax(logits), ALL[..., None], 2)[..., 0]
    np.testing.assert_allclose(picked, -found, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])  # by the reference, and by the kernel
def test_sentences_come_as_often_as_is_probable(dtype):
    G, n = policy(dtype=dtype), 30_000
    said = drawn_by(G, Generator(0).uniform((n, T), np.dtype(dtype)))
    counts = np.bincount(said @ [9, 3, 1], minlength=27)
    expected = np.exp(log_p(weights_of(G), ALL).sum(1)) * n
    assert expected.min() > 5 and len(set(np.round(expected))) > 20
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


def test_the_oracle_knows_the_likelihood_of_all():
    c = facts_of({"words": 40, "longest": 7, "sequences": 300})
    data, test = of_oracle(c, "train"), of_oracle(c, "test")
    assert data.tokens.shape == (300, 7) and data.checksum == of_oracle(c, "train").checksum
    assert data.checksum != test.checksum and len(data.vocabulary) == 40
    truth = oracle(40)
    weights = weights_of(truth)
    every = np.concatenate([w.ravel() for w in weights.values()])
    assert abs(every.mean()) < 0.05 and abs(every.std() - 1) < 0.05 and len(every) > 5000
    value = nats(truth, test.tokens, None or "cpu")
    np.testing.assert_allclose(value, -log_p(weights, test.tokens).mean(), rtol=1e-5)
    noise = np.random.default_rng(0).integers(0, 40, (300, 7))
    assert value < nats(truth, noise, "cpu") - 1  # it says what is probable


# --- rewards ---


def game(**options):
    return SeqGAN(policy(), Told(), "abc", T, rollouts=2, d_steps=1, **options)


def test_rewards_are_those_of_the_whole_tree():
    g = game()
    g.behind, g.rollouts = policy(8), 4000  # rollouts are those of the copy
    made = ALL[[0, 5, 13, 25]]
    found = g.values(tensor_of(made)).numpy()
    logits = g.D.logits.detach().numpy()
    exact = exact_values(g.behind, logits, made)
    np.testing.assert_allclose(found, exact, atol=0.02)
    np.testing.assert_allclose(found[:, -1], sigmoid(logits[[0, 5, 13, 25]]))
    other = exact_values(g.G, logits, made)
    assert np.abs(exact - other).max() > 0.1  # so it is seen whose they are


@pytest.mark.parametrize("baseline", [False, True])
def test_the_mean_gradient_is_that_of_the_expected_reward(baseline):
    """REINFORCE with rollouts by G itself: the gradient of E D(y), by all sentences. Over many
    rounds, each entry within four standard errors."""
    g = game(baseline=baseline)
    g.behind = g.G
    manual_seed(3)
    parameters = list(g.G.parameters())
    reward = tensor_of(sigmoid(g.D.logits.detach().numpy()))
    p = (-g.G.nats(tensor_of(ALL)).sum(1)).exp()
    exact = np.concatenate([x.numpy().ravel() for x in grad((p * reward).sum(), parameters)])
    found = []
    batch = tensor_of(np.zeros((8, T), np.int64))
    for _ in range(300):
        move = next(iter(g.moves(batch)))
        found.append(np.concatenate([x.numpy().ravel() for x in grad(move.value, parameters)]))
    mean, se = np.mean(found, 0), np.std(found, 0) / np.sqrt(len(found))
    assert (np.abs(mean - exact) <= 4.5 * se + 1e-12).all()
    assert np.linalg.norm(mean - exact) < 0.3 * np.linalg.norm(exact)


def test_advantages():
    worth = RNG.normal(size=(4, T))
    np.testing.assert_array_equal(game().advantage(tensor_of(worth)).numpy(), worth)
    others = np.stack([np.delete(worth, i, 0).mean(0) for i in range(4)])
    found = game(baseline=True).advantage(tensor_of(worth)).numpy()
    np.testing.assert_allclose(found, worth - others)
    manual_seed(0)
    mixed = game(shuffled=True).advantage(tensor_of(worth)).numpy()
    assert not (mixed == worth).all() and (np.sort(mixed, 0) == np.sort(worth, 0)).all()
    rows = [next(i for i in range(4) if (worth[i] == row).all()) for row in mixed]  # whole ones
    assert sorted(rows) == [0, 1, 2, 3]


# --- moves ---


def test_losses_and_steps_of_a_round():
    g = game()
    g.d_steps = 2
    drawn = [ALL[[3, 14]], ALL[[0, 8]], ALL[[21, 2]]]
    queue = [tensor_of(x) for x in drawn]
    worth = RNG.random((2, T))
    g.drawn = lambda n, like: queue.pop(0)
    g.values = lambda made: tensor_of(worth)
    real = ALL[[1, 5, 9, 26]]
    before = weights_of(g.behind)
    moves, kept = played(g, real)
    assert [(m.player, m.ascends) for m in moves] == [("G", True), ("D", True), ("D", True)]
    first, after_g, after_d, end = kept

    def gain(name, w):
        return (log_p(first["G"] | {name: w}, drawn[0]) * worth).sum(1).mean()

    np.testing.assert_allclose(moves[0].value.item(), gain("out.bias", first["G"]["out.bias"]))
    for name in ("out.bias", "cell.bias_hh", "embedding.weight"):
        assert_descends(lambda w, name=name: -gain(name, w), first["G"][name], after_g["G"][name])
    assert_only("G", first, after_g)

    number = lambda tokens: tokens @ [9, 3, 1]
    for i, (start, stop) in enumerate(((after_g, after_d), (after_d, end))):

        def value(w, i=i):
            x, y = w[number(real[2 * i : 2 * i + 2])], w[number(drawn[i + 1])]
            return np.log(sigmoid(x)).mean() + np.log(1 - sigmoid(y)).mean()

        logits = start["D"]["logits"]
        np.testing.assert_allclose(moves[i + 1].value.item(), value(logits))
        assert_descends(lambda w, value=value: -value(w), logits, stop["D"]["logits"])
        for name, w in start["G"].items():
            np.testing.assert_array_equal(w, stop["G"][name])

    for name, late in weights_of(g.behind).items():  # the copy has gone after G, by a fifth
        np.testing.assert_allclose(late, 0.8 * before[name] + 0.2 * after_g["G"][name])


def test_d_alone():
    moves, kept = played(game(alone=True), ALL[[0, 4]])
    assert [m.player for m in moves] == ["D"]
    for name, w in kept[0]["G"].items():
        np.testing.assert_array_equal(w, kept[1]["G"][name])


def test_maximum_likelihood():
    g, data = Likelihood(policy(), "abc", T), ALL[[3, 7, 7, 20]]
    (move,), (first, end) = played(g, data)
    loss = lambda w: -log_p(first["G"] | {"out.weight": w}, data).mean()
    np.testing.assert_allclose(move.value.item(), loss(first["G"]["out.weight"]))
    assert_descends(loss, first["G"]["out.weight"], end["G"]["out.weight"])


def test_the_discriminator_is_that_of_numpy():
    manual_seed(1)
    D = TextCritic(6, 4, width=3, filters=2, windows=(1, 2, 9), dropout=0.5).eval()
    D.rest[0].gate.bias = nn.Parameter(np.array([0.5, -1, 2, 0], np.float32))
    w = weights_of(D)
    tokens = np.array([[0, 5, 2, 2], [1, 1, 4, 3]])
    x, features = w["embedding.weight"][tokens], []
    for k, size in enumerate((1, 2)):  # a window of 9 does not fit
        kernel, bias = w[f"convolutions.{k}.weight"], w[f"convolutions.{k}.bias"]
        windows = np.stack([x[:, i : i + size] for i in range(5 - size)], 1)  # N, places, size, 3
        maps = np.einsum("npsc,fcs->npf", windows, kernel) + bias
        features.append(np.maximum(maps, 0).max(1))
    x = np.concatenate(features, 1)
    t = sigmoid(x @ w["rest.0.gate.weight"].T + w["rest.0.gate.bias"])
    new = np.maximum(x @ w["rest.0.new.weight"].T + w["rest.0.new.bias"], 0)
    x = t * new + (1 - t) * x
    expected = x @ w["rest.2.weight"].T + w["rest.2.bias"]
    with no_grad():
        np.testing.assert_allclose(D(tensor_of(tokens)).numpy(), expected, rtol=2e-5, atol=1e-6)


# --- the system ---

SMALL = [
    "--words", "30", "--longest", "6", "--sequences", "64", "--batch-size", "8", "--mle-steps", "4",
    "--d-first-steps", "2", "--steps", "6", "--more-steps", "6", "--rollouts", "2", "--d-steps",
    "2", "--hidden", "6", "--filters", "2", "--device", "cpu", "--quiet",
]  # fmt: skip


def trained(out, *more):
    assert main(["train", "seqgan", *SMALL, "--out", str(out), *more]) == 0
    return load_game(out)


def test_a_policy_at_a_temperature():
    """Probabilities are those of before to the power of 1 / temperature, normalised."""
    before, tokens = policy(), tensor_of(ALL[:5])
    p = before(tokens).softmax(-1).detach().numpy() ** 2
    found = cooled(before, 0.5)(tokens).softmax(-1).detach().numpy()
    np.testing.assert_allclose(found, p / p.sum(-1, keepdims=True), rtol=1e-9)


def test_the_control_plays_no_game(tmp_path):
    kind, g, c, step = trained(tmp_path / "run", "--control")
    assert type(g) is Likelihood and set(g.players) == {"G"} and step == 10
    assert list(kind.stages(c)) == ["MLE", "more MLE"]
    c.control = False
    assert kind.stages(c) == {"MLE": 4, "D alone": 2, "adversarial": 6}


def test_options_reach_the_game():
    kind = system("seqgan")
    c = facts_of(kind.complete({}) | {
        "vocabulary": list("abcd"), "length": 5, "between": "", "stage": "adversarial",
        "rollouts": 3, "rate": 0.5, "d_steps": 4, "baseline": False, "shuffled": True,
    })  # fmt: skip
    g = kind.game_after(kind.game(c).players, c)
    found = g.rollouts, g.rate, g.d_steps, g.baseline, g.shuffled, g.alone
    assert found == (3, 0.5, 4, False, True, False)
    c.stage, c.shuffled = "D alone", False
    g = kind.game_after(g.players, c)
    assert g.alone and not g.shuffled and g.verse == 0
    rates = {k: o.param_groups[0]["lr"] for k, o in kind.optimizers(g, c).items()}
    assert rates == {"G": c.g_lr, "D": c.d_lr}


def test_poems_are_shown_verse_by_verse(tmp_path):
    data = texts("quatrains")
    c = facts_of(system("seqgan").complete({}) | {"stage": "MLE"})
    vars(c).update(system("seqgan").facts(data, c))
    g = system("seqgan").game(c)
    g.pictured(data.tokens[:2]).save(tmp_path / "a.txt")
    shown = (tmp_path / "a.txt").read_text("utf-8").splitlines()
    assert shown[0] == "來年二月二 與汝暫相棄 燒灰散長江 勿占檀那地"
    assert [line.replace(" ", "") for line in shown] == data.lines(data.tokens[:2])


def test_draw_and_measure(tmp_path, capsys):
    run, text = tmp_path / "run", tmp_path / "said.txt"
    _, g, c, _ = trained(run)
    shown = (run / "samples" / "0000012.txt").read_text().splitlines()
    assert len(shown) == 20 and all(len(line.split()) == 6 for line in shown)
    assert main(["draw", str(run), "--n", "7", "--seed", "3", "--out", str(text)]) == 0
    said = g.sample(*g.inputs(7, Generator(3))).numpy()
    assert text.read_text().splitlines() == [" ".join(map(str, row)) for row in said]
    assert (
        main(["draw", str(run), "--n", "7", "--seed", "3", "--out", str(tmp_path / "a.npz")]) == 0
    )
    with np.load(tmp_path / "a.npz") as found:
        np.testing.assert_array_equal(found["samples"], said)
    assert main(["draw", str(run)]) == 0 and (run / "drawn.txt").exists()
    capsys.readouterr()
    assert main(["draw", str(run), "--out", str(tmp_path / "a.png")]) == 2
    assert "texts are written as FILE.txt" in capsys.readouterr().err
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    truth = weights_of(oracle(30))
    numbers = Generator(0).uniform((100, 6))
    expected = -log_p(truth, drawn_by(g.G, numbers)).mean()
    np.testing.assert_allclose(rows["NLL oracle"]["value"], expected, rtol=1e-5)
    fell = rows["NLL oracle after MLE"]["value"] - rows["NLL oracle"]["value"]
    np.testing.assert_allclose(rows["drop after MLE"]["value"], fell)
    cold = rows["NLL oracle after MLE, at temperature 0.9"]["value"]
    fell = rows["NLL oracle after MLE"]["value"] - cold
    np.testing.assert_allclose(rows["drop by temperature"]["value"], fell)
    assert fell != 0 and rows["NLL test"]["value"] > 0
    assert main(["train", "seqgan", *SMALL, "--out", str(tmp_path / "x"), "--evaluate", "1"]) == 2
    assert "makes no pictures" in capsys.readouterr().err


def test_a_round_of_a_small_set_has_as_many_sequences():
    """A set of fewer than --batch-size times --d-steps is gone through several times."""
    kind = system("seqgan")
    c = facts_of(kind.complete({"batch_size": 8, "seed": 0, "stage": "adversarial", "d_steps": 5}))
    tokens = np.arange(18)[:, None] + np.arange(2)
    data = TextSet(tokens, tuple("abcdefghijklmnopqrs"), "", "own", "here")
    game = SimpleNamespace(columns=("tokens",))
    batches = kind.batches(game, data, c, CPU)
    for numbers in itertools.islice(batches.numbers(0), 2):
        (found,) = batches[numbers]
        assert found.shape == (40, 2) and {*found[:, 0].tolist()} <= {*range(18)}
        assert max(np.bincount(found[:, 0].numpy())) <= 3  # of 54 sequences each is there thrice
    c.stage = "MLE"
    assert kind.batches(game, data, c, CPU).batch_size == 8


def test_own_texts(tmp_path, capsys):
    """Lines of different lengths, whose words come back; BLEU."""
    path, run = tmp_path / "own.txt", tmp_path / "run"
    lines = ["the cat sat", "a dog", "the dog sat down"] * 30
    path.write_text("\n".join(lines))
    given = ["--dataset", str(path), "--mle-steps", "60", "--lr", "0.03"]
    _, g, c, _ = trained(run, *given)
    assert c.vocabulary[0] == "" and c.length == 4 and c.between == " "
    said = g.lines(drawn_by(g.G, Generator(0).uniform((50, 4))))
    known = set(" ".join(lines).split())
    assert all(set(line.split()) <= known for line in said)
    assert main(["measure", str(run), "--samples", "100"]) == 0
    rows = {r["name"]: r for r in json.loads((run / "measure.json").read_text())["rows"]}
    assert {"BLEU-2", "self-BLEU-2", "BLEU-2 after MLE", "NLL test"} <= set(rows)
    words = [line.split() for line in g.lines(drawn_by(g.G, Generator(0).uniform((100, 4))))]
    expected = bleu(words[:9], [line.split() for line in lines[:3]])  # so many are held out
    np.testing.assert_allclose(rows["BLEU-2"]["value"], expected)
    np.testing.assert_allclose(rows["self-BLEU-2"]["value"], self_bleu(words[:9]))
    assert expected < 1 and rows["BLEU-2"]["ceiling"] == 1
    path.write_text("\n".join(lines).replace("dog", "hen"))  # its numbers are those of other words
    assert main(["measure", str(run), "--samples", "100"]) == 2
    assert "has changed since the run: its words are others" in capsys.readouterr().err
