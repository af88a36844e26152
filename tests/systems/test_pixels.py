"""Pixel by pixel: no pixel sees those to come, the likelihood in NumPy, diagonals, drawing."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import grad, tensor_of
from minigan.data import DataError, ImageSet
from minigan.gan import Trainer
from minigan.gan.pixels import (
    DiagonalBiLSTM,
    Marginals,
    PixelCNN,
    PixelRNN,
    Pixels,
    RowLSTM,
    skew,
    unskew,
)
from minigan.optim import SGD
from minigan.systems.command import main
from minigan.systems.pixelcnn import binarised, nats

RNG = np.random.default_rng(0)
NETWORKS = {
    "cnn": lambda: PixelCNN(3, 2),
    "row": lambda: PixelRNN("row", 3, 2),
    "diagonal": lambda: PixelRNN("diagonal", 3, 2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_pixel_sees_itself_or_those_to_come(name):
    minigan.manual_seed(0)
    network = NETWORKS[name]()
    x = tensor_of(
        np.random.default_rng(0).normal(size=(1, 1, 5, 6)).astype(np.float32), requires_grad=True
    )
    logits = network(x)
    slopes = [
        grad(logits[0, 0, i, j], x, retain_graph=True)[0].numpy().ravel()
        for i in range(5)
        for j in range(6)
    ]
    derivative = np.stack(slopes)  # d logit_i / d pixel_j
    assert not np.triu(derivative).any()
    left = np.diag(derivative, -1)[np.arange(29) % 6 < 5]
    assert len(left) == 25 and np.count_nonzero(left) > 20  # a ReLU or two may be shut
    if name == "diagonal":  # which misses no pixel
        before = np.tril(np.ones((30, 30), bool), -1)
        assert np.count_nonzero(derivative[before]) > 0.95 * before.sum()


def test_rows_are_moved_to_diagonals_and_back():
    x = np.arange(6.0, dtype=np.float32).reshape(1, 1, 2, 3) + 1
    moved = skew(tensor_of(x))
    assert moved.numpy().tolist() == [[[[1, 2, 3, 0], [0, 4, 5, 6]]]]
    y = tensor_of(RNG.normal(size=(2, 3, 5, 4)).astype(np.float32))
    assert np.array_equal(unskew(skew(y)).numpy(), y.numpy())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(gates, c):
    o, f, i, g = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def numbers(*parameters):
    return [p.detach().numpy().astype(np.float64) for p in parameters]


def test_row_lstm_in_numpy():
    layer = RowLSTM(2)
    x = RNG.normal(size=(4, 3, 5)).astype(np.float32)  # channels, rows, columns
    found = layer(tensor_of(x[None])).detach().numpy()[0] - x
    w, b = numbers(layer.of_input.weight, layer.of_input.bias)
    u, v = numbers(layer.of_state.weight, layer.of_state.bias)
    back, add = numbers(layer.back.weight[:, :, 0, 0], layer.back.bias)
    h = c = np.zeros((2, 5))
    for i in range(3):
        wide, beside = np.pad(x[:, i], ((0, 0), (1, 1))), np.pad(h, ((0, 0), (1, 1)))
        gates = np.empty((8, 5))
        for j in range(5):
            gates[:, j] = w[:, :, 0, 0] @ wide[:, j] + w[:, :, 0, 1] @ wide[:, j + 1] + b
            gates[:, j] += np.einsum("oik,ik->o", u, beside[:, j : j + 3]) + v
        h, c = lstm(gates, c)
        np.testing.assert_allclose(found[:, i], back @ h + add[:, None], atol=1e-5)


def test_diagonal_lstm_in_numpy():
    layer = DiagonalBiLSTM(2)
    height, width = 3, 4
    x = RNG.normal(size=(4, height, width)).astype(np.float32)
    found = layer(tensor_of(x[None])).detach().numpy()[0] - x

    def walk(x, w, b, u, v):
        """Each pixel after its left and its upper neighbour."""
        h, c = np.zeros((2, height, width)), np.zeros((2, height, width))
        zero = np.zeros(2)
        for i in range(height):
            for j in range(width):
                left = h[:, i, j - 1] if j else zero
                # on a diagonal, the place above is that of the upper neighbour
                above = h[:, i - 1, j] if i else zero
                memory = c[:, i, j - 1] if j else zero
                gates = w[:, :, 0, 0] @ x[:, i, j] + b + u[:, :, 0] @ above + u[:, :, 1] @ left + v
                h[:, i, j], c[:, i, j] = lstm(gates, memory)
        return h

    walks = []
    for n in range(2):
        w, b = numbers(layer.of_input[n].weight, layer.of_input[n].bias)
        u, v = numbers(layer.of_state[n].weight, layer.of_state[n].bias)
        walks.append((w, b, u, v))
    right = walk(x[:, :, ::-1], *walks[1])[:, :, ::-1]
    total = walk(x, *walks[0])
    total[:, 1:] += right[:, :-1]
    back, add = numbers(layer.back.weight[:, :, 0, 0], layer.back.bias)
    expected = np.einsum("oc,chw->ohw", back, total) + add[:, None, None]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def images(n, height=4, width=4):
    return np.where(RNG.random((n, 1, height, width)) < 0.5, 1, -1).astype(np.float32)


def test_the_loss_is_the_likelihood():
    game, x = Pixels(PixelCNN(2, 1), (1, 4, 4)), images(4)
    (move,) = game.moves(tensor_of(x))
    p = sigmoid(game.G(tensor_of(x)).detach().numpy().astype(np.float64))
    expected = -np.log(np.where(x > 0, p, 1 - p)).sum((1, 2, 3)).mean()
    assert move.player == "G" and not move.ascends
    assert move.value.item() == pytest.approx(expected, rel=1e-5)
    as_bytes = np.where(x > 0, 255, 0).astype(np.uint8)
    assert nats(game, as_bytes, "cpu") == pytest.approx(expected, rel=1e-5)


def test_probabilities_of_all_pictures_sum_to_one():
    game = Pixels(PixelRNN("diagonal", 2, 1), (1, 2, 3))
    bits = (np.arange(64)[:, None] >> np.arange(6)) & 1
    x = (2.0 * bits - 1).astype(np.float32).reshape(64, 1, 2, 3)
    p = sigmoid(game.G(tensor_of(x)).detach().numpy().astype(np.float64))
    each = np.where(x > 0, p, 1 - p).prod((1, 2, 3))
    assert each.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_drawing_follows_the_probabilities(name):
    """Each pixel is white where its number is below the probability that the others give it."""
    game = Pixels(NETWORKS[name](), (1, 6, 5))
    (u,) = game.inputs(8, Generator(3))
    x = game.sample(u)
    with minigan.no_grad():
        p = sigmoid(game.G(x).numpy())
    assert np.array_equal(x.numpy(), np.where(u.numpy() < p, 1, -1))
    frames = list(game.frames(u))
    assert len(frames) == 6 and not frames[2].numpy()[:, :, 3:].any()
    assert np.array_equal(frames[2].numpy()[:, :, :3], x.numpy()[:, :, :3])


def test_what_sees_nothing_learns_the_mean_of_each_pixel():
    game, x = Pixels(Marginals((1, 2, 2)), (1, 2, 2)), images(8, 2, 2)
    trainer = Trainer(game, {"G": SGD(game.G.parameters(), 8.0)})
    for _ in range(300):
        trainer.play(tensor_of(x))
    mean = (x.mean(0) + 1) / 2
    np.testing.assert_allclose(sigmoid(game.G.logits.detach().numpy()), mean, atol=0.02)
    assert isinstance(game.G.logits, nn.Parameter)


def test_pixels_are_drawn_with_their_grey_value():
    grey = np.broadcast_to(np.uint8([[0, 255], [51, 204]]), (4000, 1, 2, 2))
    data = ImageSet(grey, np.zeros(4000, np.uint8), "grey", "made")
    drawn = binarised(data)
    assert set(np.unique(drawn.images)) == {0, 255}
    np.testing.assert_allclose(drawn.images.mean(0)[0] / 255, [[0, 1], [0.2, 0.8]], atol=0.03)
    assert drawn.checksum == binarised(data).checksum
    half = binarised(data, 2)  # the mean of the four is .5
    assert half.images.shape == (4000, 1, 1, 1)
    assert half.images.mean() / 255 == pytest.approx(0.5, abs=0.03)
    with pytest.raises(DataError, match="--shrink 3"):
        binarised(data, 3)
    with pytest.raises(DataError, match="3 channels"):
        binarised(ImageSet(np.zeros((4, 3, 2, 2), np.uint8), np.zeros(4, np.uint8), "rgb", "made"))


def test_an_animation_of_what_is_drawn(tmp_path, capsys):
    from PIL import Image

    words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "1", "--quiet"]
    words += ["--shrink", "4", "--width", "2", "--blocks", "1", "--device", "cpu", "--no-doctor"]
    assert main(["train", "pixelcnn", *words, "--out", str(tmp_path / "run")]) == 0
    out = tmp_path / "drawn.gif"
    assert main(["draw", str(tmp_path / "run"), "--n", "4", "--out", str(out)]) == 0
    with Image.open(out) as found:
        assert found.n_frames == 7 and found.size == (17, 17)
    words = ["--dataset", "strokes", "--batch-size", "8", "--max-steps", "1", "--quiet"]
    assert main(["train", "gan", *words, "--device", "cpu", "--out", str(tmp_path / "gan")]) == 0
    capsys.readouterr()
    assert main(["draw", str(tmp_path / "gan"), "--out", str(out)]) == 2
    assert "in one go, so there is no animation" in capsys.readouterr().err
