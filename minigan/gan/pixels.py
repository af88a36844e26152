"""Pictures drawn pixel by pixel: each one's probability, given all those before it."""

from __future__ import annotations

from collections.abc import Iterator

from .. import nn
from ..arrays import CPU, Generator, array_module
from ..autograd import Tensor, no_grad, tensor_of
from ..nn.functional import pad
from ..ops import flip, sigmoid, stack, tanh, zeros
from .games import Descend, Game, Move
from .recalibrate import evaluating
from .vae import cross_entropy


class Pixels(Game):
    """van den Oord et al. 2016 (Pixel Recurrent Neural Networks), section 2.1: G descends

        -log p(x) = -sum_i log p(x_i | x_1 .. x_(i-1)),    pixels i row by row, from the left

    which needs one pass, since all pixels are known, and gives the likelihood itself, no bound of
    it. To draw needs a pass for each pixel. Pixels are black or white, -1 or 1.

    network : images (N, 1, H, W) -> logits of each pixel's being white, (N, 1, H, W), of which that
        of pixel i depends on pixels before i only; its `reach` says how many rows up it sees, None
        for all of them
    """

    def __init__(self, network: nn.Module, image_shape: tuple[int, ...]):
        self.G = network
        self.image_shape = tuple(image_shape)
        self.players = {"G": network}

    def moves(self, real: Tensor) -> Iterator[Move]:
        yield Descend("G", cross_entropy(self.G(real), real).mean())

    def inputs(self, n: int, generator: Generator, device=CPU) -> tuple[Tensor, ...]:
        """For each pixel a number u ~ U(0, 1): it becomes white where u < p."""
        return (tensor_of(generator.uniform((n, *self.image_shape), device=device)),)

    def sample(self, numbers: Tensor) -> Tensor:
        *_, last = self.frames(numbers)
        return last

    def frames(self, numbers: Tensor) -> Iterator[Tensor]:  # type: ignore[override]
        """The pictures after each of their rows; pixels to come are grey, 0."""
        u = numbers.array
        x = array_module(u).zeros_like(u)
        reach = getattr(self.G, "reach", None)
        with evaluating(self.G), no_grad():
            for i in range(x.shape[2]):
                top = 0 if reach is None else max(0, i - reach)
                for j in range(x.shape[3]):
                    p = sigmoid(self.G(tensor_of(x[:, :, top : i + 1]))).array[:, :, i - top, j]
                    x[:, :, i, j] = 2 * (u[:, :, i, j] < p) - 1
                yield tensor_of(x.copy())


class Marginals(nn.Module):
    """Each pixel has a probability of its own, whatever the others are: what a network that sees
    nothing can reach.

    (N, *image_shape) -> logits, alike for all N
    """

    def __init__(self, image_shape: tuple[int, ...]):
        super().__init__()
        self.logits = nn.Parameter(zeros(*image_shape))

    def forward(self, x):
        return self.logits[..., : x.shape[-2], :] + 0 * x


# --- PixelCNN ---


class MaskedBlock(nn.Module):
    """x + conv(ReLU): 2h channels to h, a masked 3x3 convolution, and back (section 4, figure 5)"""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), nn.Conv2d(2 * width, width, 1),
            nn.ReLU(), nn.MaskedConv2d("B", width, width, 3),
            nn.ReLU(), nn.Conv2d(width, 2 * width, 1),
        )  # fmt: skip

    def forward(self, x):
        return x + self.layers(x)


def outputs(width: int) -> list[nn.Module]:
    """ReLU and a 1x1 convolution, twice, to one logit for each pixel."""
    return [nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, 1, 1)]


class PixelCNN(nn.Sequential):
    """A 7x7 convolution that does not see its own pixel, then residual blocks that do not see
    pixels to come (table 1 of the paper; there 15 blocks of width 128).

    width : h, half the channels between blocks
    """

    def __init__(self, width: int = 16, blocks: int = 7):
        super().__init__(
            nn.MaskedConv2d("A", 1, 2 * width, 7),
            *(MaskedBlock(width) for _ in range(blocks)),
            *outputs(2 * width),
        )
        self.reach = 3 + blocks


# --- PixelRNN ---

SHUT = -1e4  # of a gate: its sigmoid is 0


def lstm(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """(h, c) after the gates o, f, i, g, which lie side by side in dimension 1 (equation 3)"""
    width = c.shape[1]
    o, f, i, g = (gates[:, n * width : (n + 1) * width] for n in range(4))
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


class RowLSTM(nn.Module):
    """x + LSTM over rows from the top (section 3.1): what row i - 1 remembers, convolved with a
    kernel of 3, and a masked convolution of row i, make the gates.

    width : h;  (N, 2h, H, W) -> (N, 2h, H, W)
    """

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.of_input = nn.MaskedConv2d("B", 2 * width, 4 * width, (1, 3))
        self.of_state = nn.Conv1d(width, 4 * width, 3, padding=1)
        self.back = nn.Conv2d(width, 2 * width, 1)

    def forward(self, x):
        given, rows = self.of_input(x), []
        h = c = zeros(len(x), self.width, x.shape[3], dtype=x.dtype, device=x.device)
        for i in range(x.shape[2]):
            h, c = lstm(given[:, :, i] + self.of_state(h), c)
            rows.append(h)
        return x + self.back(stack(rows, 2))


class DiagonalBiLSTM(nn.Module):
    """x + LSTM along diagonals, from the left and from the right (section 3.2): a pixel remembers
    its left and its upper neighbour, so in the end all pixels before it. Rows are shifted so that a
    diagonal is a column (`skew`); what comes from the right is put one row lower, so that no pixel
    sees those to come.

    width : h;  (N, 2h, H, W) -> (N, 2h, H, W)
    """

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.of_input = nn.ModuleList([nn.Conv2d(2 * width, 4 * width, 1) for _ in range(2)])
        self.of_state = nn.ModuleList([nn.Conv1d(width, 4 * width, 2) for _ in range(2)])
        self.back = nn.Conv2d(width, 2 * width, 1)

    def forward(self, x):
        left = self.walk(x, 0)
        right = flip(self.walk(flip(x, (3,)), 1), (3,))
        lower = pad(right[:, :, :-1], (0, 0, 1, 0))
        return x + self.back(left + lower)

    def walk(self, x, direction: int):
        # beside the picture all gates are shut: what is remembered there is 0
        given, columns = skew(self.of_input[direction](x), SHUT), []
        h = c = zeros(len(x), self.width, x.shape[2], dtype=x.dtype, device=x.device)
        for j in range(given.shape[3]):
            above = pad(h, (1, 0))  # the row above, beside the row itself
            h, c = lstm(given[..., j] + self.of_state[direction](above), c)
            columns.append(h)
        return unskew(stack(columns, 3))


def skew(x: Tensor, beside: float = 0.0) -> Tensor:
    """Row i is moved i places to the right: (N, C, H, W) -> (N, C, H, W + H - 1), with `beside`
    around."""
    n, channels, height, width = x.shape
    flat = pad(x, (0, height), value=beside).reshape(n, channels, -1)[..., :-height]
    return flat.reshape(n, channels, height, width + height - 1)


def unskew(x: Tensor) -> Tensor:
    """What `skew` did, undone: (N, C, H, W + H - 1) -> (N, C, H, W)"""
    n, channels, height, wide = x.shape
    flat = pad(x.reshape(n, channels, -1), (0, height))
    return flat.reshape(n, channels, height, wide + 1)[..., : wide + 1 - height]


class PixelRNN(nn.Sequential):
    """The same with LSTM layers in place of the masked blocks (table 1; there 7 or 12 layers of
    width 16 for MNIST).

    kind : "diagonal" or "row"
    """

    KINDS = {"diagonal": DiagonalBiLSTM, "row": RowLSTM}

    def __init__(self, kind: str = "diagonal", width: int = 16, blocks: int = 3):
        super().__init__(
            nn.MaskedConv2d("A", 1, 2 * width, 7),
            *(self.KINDS[kind](width) for _ in range(blocks)),
            *outputs(2 * width),
        )
