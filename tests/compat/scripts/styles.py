"""What programs of later years lean on: a mapping network and modulated convolutions with path
length regularisation, a codebook with a straight-through Function of several results, a text
encoder over packed captions, per-example gradients, dtypes in signatures, autocast."""

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd.function import once_differentiable
from torch.func import functional_call, grad, vmap
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, IterableDataset, get_worker_info


@dataclass
class Config:
    z_dim: int = 6
    channels: int = 4
    dtype: torch.dtype = torch.float32
    amp_dtype: Optional[torch.dtype] = torch.bfloat16
    device: str = "cuda" if torch.cuda.is_available() else "cpu"


cfg = Config()
torch.manual_seed(0)


class EqualLinear(nn.Linear):
    def reset_parameters(self):
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)
        fan_in, _ = nn.init._calculate_fan_in_and_fan_out(self.weight)
        self.scale = 1 / math.sqrt(fan_in)

    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias)


class ModulatedConv2d(nn.Conv2d):
    def __init__(self, i, o, k, style, up=False):
        super().__init__(i, o, k, padding=k // 2)
        self.style, self.up = EqualLinear(style, i), up

    def forward(self, x, w):
        b, c, h, _ = x.shape
        weight = self.weight[None] * (self.style(w) + 1)[:, None, :, None, None]
        weight = weight * torch.rsqrt(weight.pow(2).sum([2, 3, 4], keepdim=True) + 1e-8)
        x = x.reshape(1, b * c, h, h)
        if self.up:
            weight = weight.transpose(1, 2).reshape(-1, *weight.shape[1:2], *weight.shape[3:])
            x = F.conv_transpose2d(x, weight, stride=2, padding=1, output_padding=1, groups=b)
        else:
            x = F.conv2d(x, weight.flatten(0, 1), padding=self.padding, groups=b)
        x = x.view(b, self.out_channels, *x.shape[2:])
        return F.leaky_relu(x + self.bias[None, :, None, None], 0.2)


class Quantize(torch.autograd.Function):
    """The nearest code, and its number; the gradient goes straight through."""

    @staticmethod
    def forward(ctx, x, codes):
        index = torch.cdist(x, codes).argmin(1)
        ctx.mark_non_differentiable(index)
        ctx.save_for_backward(index, codes)
        return codes[index], index

    @staticmethod
    @once_differentiable
    def backward(ctx, g, _):
        index, codes = ctx.saved_tensors
        return g, torch.zeros_like(codes).index_add_(0, index, g)


class Generator(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.mapping = nn.Sequential(EqualLinear(c.z_dim, 8), nn.LeakyReLU(0.2), EqualLinear(8, 8))
        self.inputs = nn.ParameterDict({"start": nn.Parameter(torch.randn(1, c.channels, 4, 4))})
        self.convs = nn.ModuleList([ModulatedConv2d(4, 4, 3, 8), ModulatedConv2d(4, 4, 3, 8, True)])
        self.to_rgb = nn.Conv2d(4, 3, 1)

    def forward(self, z, dtype: torch.dtype = torch.float32):
        w = self.mapping(F.normalize(z, dim=1) * math.sqrt(z.size(1)))
        x = self.inputs["start"].expand(len(z), -1, -1, -1)
        for conv in self.convs:
            x = conv(x, w)
        return self.to_rgb(x).to(dtype), w


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.rnn = (
            nn.Embedding(9, 5),
            nn.LSTM(5, 3, batch_first=True, bidirectional=True),
        )

    def forward(self, captions, lengths):
        packed = pack_padded_sequence(
            self.embed(captions), lengths.tolist(), batch_first=True, enforce_sorted=False
        )
        out, (h, _) = self.rnn(packed)
        words, _ = pad_packed_sequence(out, batch_first=True)
        return words.transpose(1, 2), h.transpose(0, 1).reshape(len(captions), -1)


class Stream(IterableDataset):
    def __iter__(self):
        assert get_worker_info() is None
        return iter(np.random.RandomState(0).rand(8, 3, 8, 8).astype(np.float32) * 2 - 1)


G, text = Generator(cfg).to(cfg.device), Text()
features = nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten())
D = features + nn.Sequential(nn.Linear(64, 7))
codes = nn.Parameter(torch.randn(5, 4))
g_opt = torch.optim.Adam([*G.parameters(), *text.parameters(), codes], 1e-3, betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))
scaler = torch.GradScaler("cuda", enabled=False)
print(G, "\n", text)


@torch.no_grad()
def samples(n):
    for _ in range(n):
        yield G(torch.randn(2, cfg.z_dim))[0]


mean_length = torch.zeros(())
for step, real in enumerate(DataLoader(Stream(), batch_size=4)):
    captions, lengths = torch.randint(1, 9, (4, 6)), torch.tensor([3, 6, 1, 4])
    words, sentence = text(captions, lengths)
    assert words.shape == (4, 6, 6) and sentence.shape == (4, 6)
    with torch.autocast(device_type="cpu", dtype=cfg.amp_dtype, enabled=False):
        assert not torch.is_autocast_enabled()
        fake, w = G(torch.randn(4, cfg.z_dim), dtype=cfg.dtype)
        d_loss = F.softplus(-D(real)[:, 0]).mean() + F.softplus(D(fake.detach())[:, 0]).mean()
    d_opt.zero_grad()
    scaler.scale(d_loss).backward()
    total = nn.utils.clip_grad_norm_(D.parameters(), 5.0)
    scaler.step(d_opt)
    scaler.update()

    rows = fake.mean((2, 3))
    z, index = Quantize.apply(torch.cat([rows, rows[:, :1]], 1), codes)
    assert index.dtype == torch.int64 and not index.requires_grad and z.requires_grad
    similar = torch.cosine_similarity(D(fake)[:, 1:], sentence).mean()
    noise = torch.randn_like(fake) / 8
    (slope,) = torch.autograd.grad((fake * noise).sum(), w, create_graph=True)
    path = slope.square().sum(1).sqrt()
    mean_length = mean_length.lerp(path.mean().detach(), 0.01)
    g_loss = F.softplus(-D(fake)[:, 0]).mean() - similar + (z**2).mean()
    g_loss = g_loss + (path - mean_length).square().mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    print(step, float(d_loss), float(g_loss), total, sep="\t")
    for x in samples(2):
        assert not x.requires_grad and torch.is_grad_enabled()

parameters = {k: p.detach() for k, p in D.named_parameters()}


def loss(parameters, x):
    return F.softplus(-functional_call(D, parameters, (x[None],))[:, 0]).mean()


each = vmap(grad(loss), in_dims=(None, 0))(parameters, real)
together = torch.autograd.grad(F.softplus(-D(real)[:, 0]).mean(), D.parameters())
for of_each, of_all in zip(each.values(), together):
    assert torch.allclose(of_each.mean(0), of_all, atol=1e-5)
same = torch.eye(4, dtype=cfg.dtype)
assert torch.equal(same.clone().fill_diagonal_(0), same - torch.eye(4))
