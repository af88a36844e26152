"""Typical user code, never run: test_typing.py lets mypy read it. Each `type: ignore` is a mistake
that mypy must see, or the comment is reported as unused."""

from collections.abc import Iterator

import numpy as np

import minigan
import minigan.nn.functional as F
from minigan import Tensor, func, nn, optim
from minigan.compat import Variable
from minigan.data import DataLoader
from minigan.gan import (
    GAN,
    Ascend,
    Descend,
    Game,
    Move,
    NonSaturating,
    Trainer,
    mlp_discriminator,
    mlp_generator,
)


def tensors() -> None:
    x: Tensor = minigan.randn(2, 3, requires_grad=True)
    y: Tensor = minigan.zeros((2, 3), dtype=minigan.float32, device="cpu") + np.ones(3) * 2.0
    z: Tensor = minigan.tanh(x) @ y.T - 1 / y**2
    z = x[0, 1:] * x[..., None] if bool((x > y).any()) else -abs(x)
    z = minigan.cat([x, y], dim=0).reshape(-1, 3).sum(dim=1, keepdim=True)
    values, indices = x.max(dim=1)
    both: Tensor = values * indices
    top: Tensor = x.topk(2).values
    rows: int = x.size(0)
    shape: tuple[int, ...] = x.shape
    first, *_ = x.split(1)
    same: bool = minigan.allclose(x, y)
    array: np.ndarray = first.detach().cpu().numpy()
    number: float = x.sum().item()
    print(z, both, top, rows, shape, same, array, number)

    w: Tensor = Variable(minigan.FloatTensor(2, 3).fill_(1.0)).type(minigan.LongTensor)
    w[0, 1:] = 3
    w += x.data.clamp_(0, 1).add(w, alpha=2)
    pictures = [
        batch["image"]
        for batch in DataLoader(
            [{"image": w, "label": 1}], batch_size=1, shuffle=True, num_workers=2
        )
    ]
    minigan.save({"w": w, "pictures": pictures}, "file")
    loaded = minigan.load("file", map_location="cpu")
    print(loaded, minigan.cuda.is_available())

    x.tahn()  # type: ignore[attr-defined]
    minigan.tahn(x)  # type: ignore[attr-defined]
    minigan.tanh("x")  # type: ignore[arg-type]
    minigan.tanh(x, 1)  # type: ignore[call-arg]
    x.sum(dims=1)  # type: ignore[call-arg]
    x + "1"  # type: ignore[arg-type]
    wrong: int = x.mean()  # type: ignore[assignment]
    minigan.cat(x, "rows")  # type: ignore[arg-type]
    x["row"]  # type: ignore[arg-type]
    F.mse_loss(x, y, reduction=1)  # type: ignore[arg-type]
    print(wrong)


def gradients() -> None:
    x = minigan.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    if x.grad is not None:
        x.grad.zero_()
    (dx,) = minigan.grad(loss, [x], create_graph=True)
    penalty: Tensor = dx.norm()
    with minigan.no_grad():
        x.add_(dx, alpha=-0.1)
    right: bool = minigan.gradcheck(minigan.tanh, [x.double()])
    print(penalty, right)

    x.grad.zero_()  # type: ignore[union-attr]
    minigan.grad("loss", [x])  # type: ignore[arg-type]
    loss.backward(retain=True)  # type: ignore[call-arg]


@minigan.no_grad()
def evaluate(x: Tensor) -> float:
    return float(x.mean())


class Net(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))
        self.scale = nn.Parameter(minigan.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.layers(x) * self.scale).tanh()


def training(x: Tensor, target: Tensor) -> None:
    net = Net().train().to("cpu")
    adam = optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999))
    schedule = optim.lr_scheduler.ExponentialLR(adam, gamma=0.9)
    criterion = nn.BCEWithLogitsLoss()
    adam.zero_grad()
    loss: Tensor = criterion(net(x), target) + F.mse_loss(net(x), target)
    loss.backward()
    adam.step()
    schedule.step()
    names: list[str] = [name for name, p in net.named_parameters() if p.requires_grad]
    net.load_state_dict(net.state_dict())
    print(names, evaluate(loss))
    evaluate("x")  # type: ignore[arg-type]
    print(net.layer)  # type: ignore[attr-defined]
    optim.SGD(net, lr=0.1)  # type: ignore[arg-type]
    optim.Adam(net.parameters(), lr="fast")  # type: ignore[arg-type]
    nn.Linear(2, 3, 4.5)  # type: ignore[arg-type]
    nn.Sequential(nn.Tanh(), minigan.tanh)  # type: ignore[arg-type]


def layers(x: Tensor) -> None:
    lstm, cell = nn.LSTM(3, 4, num_layers=2, batch_first=True), nn.GRUCell(3, 4)
    output, (h, c) = lstm(x)
    linear: nn.Linear = nn.utils.spectral_norm(nn.Linear(2, 3), n_power_iterations=2)
    plain: nn.Linear = nn.utils.remove_spectral_norm(linear)
    y = func.functional_call(plain, {"weight": minigan.ones(3, 2)}, (x,))
    print(
        output,
        h,
        c,
        cell(x),
        y,
        nn.Maxout(2, 3, pieces=4),
        nn.EqualizedLinear(2, 3),
        func.functional_call(lstm, {}, x),
    )
    nn.utils.weight_norm("layer")  # type: ignore[type-var]
    nn.RNN(3, 4, nonlinearity=1)  # type: ignore[arg-type]
    nn.MinibatchStdDev(group="all")  # type: ignore[call-arg]


class TwoSteps(Game):
    """A game of one's own: moves are yielded."""

    def __init__(self, generator: nn.Module, critic: nn.Module) -> None:
        self.generator, self.critic = generator, critic
        self.players = {"G": generator, "D": critic}

    def moves(self, real: Tensor) -> Iterator[Move]:
        z = minigan.randn(len(real), 100)
        yield Ascend("D", self.critic(real).mean() - self.critic(self.generator(z).detach()).mean())
        yield Descend("G", -self.critic(self.generator(z)).mean())
        yield Ascend(self.critic, self.critic(real))  # type: ignore[arg-type]


def games(real: Tensor) -> None:
    game = GAN(mlp_generator(), mlp_discriminator(), NonSaturating())
    own = TwoSteps(mlp_generator(), mlp_discriminator())
    for g in (game, own):
        trainer = Trainer(
            g, {name: optim.Adam(module.parameters()) for name, module in g.players.items()}
        )
        moves: list[Move] = trainer.play(real)
        print(moves[0].value.item())
    trainer.play(3)  # type: ignore[arg-type]
    images = minigan.data.load_dataset("strokes").images
    minigan.viz.save_grid("grid.png", images[:4], 2)
    print(minigan.gan.GAN, minigan.metric)  # type: ignore[attr-defined]
