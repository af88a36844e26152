"""Super-resolution with a perceptual loss, and a VAE-GAN: networks of torchvision.models,
torch.distributions, adaptive normalisation whose weights another network computes, discriminators
in a ModuleList, a pool of earlier samples, a schedule of the learning rate."""

import itertools
import random
import sys

import numpy as np

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.models as models
from torch.autograd import Variable
from torch.distributions import Independent, Normal, kl_divergence
from torchvision.models import resnet18, vgg19
from torchvision.utils import make_grid, save_image

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
out = sys.argv[sys.argv.index("--out") + 1] if "--out" in sys.argv else "."
Tensor = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.Tensor


class Features(nn.Module):
    def __init__(self):
        super(Features, self).__init__()
        self.layers = nn.Sequential(*list(alexnet_features().children())[:4])
        for p in self.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        return self.layers(x)


def alexnet_features():
    """The first layers of AlexNet, whose other layers are quickly made."""
    return models.alexnet(num_classes=2).features


class AdaIN(nn.Module):
    """Instance normalisation by batch_norm of (1, b c, h, w); weight and bias are no parameters,
    but assigned before each call."""

    def __init__(self, channels):
        super(AdaIN, self).__init__()
        self.channels = channels
        self.weight = None
        self.bias = None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        assert self.weight is not None and self.bias is not None
        b, c, h, w = x.size()
        mean, var = self.running_mean.repeat(b), self.running_var.repeat(b)
        y = F.batch_norm(
            x.contiguous().view(1, b * c, h, w), mean, var, self.weight, self.bias, True, 0.1, 1e-5
        )
        return y.view(b, c, h, w)


class Decoder(nn.Module):
    def __init__(self, code=4):
        super(Decoder, self).__init__()
        self.fc = nn.Linear(code, 8 * 4 * 4)
        self.style = nn.Linear(code, 2 * 8)
        self.model = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, padding=1), AdaIN(8), nn.PReLU(),
            nn.Conv2d(8, 3 * 16, 3, padding=1), nn.PixelShuffle(4), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        style = self.style(z)
        for m in self.modules():
            if m.__class__.__name__ == "AdaIN":
                m.bias = style[:, : m.channels].contiguous().view(-1)
                m.weight = style[:, m.channels :].contiguous().view(-1)
        return self.model(self.fc(z).view(-1, 8, 4, 4))


class Encoder(nn.Module):
    def __init__(self, code=4):
        super(Encoder, self).__init__()
        network = resnet18(pretrained=False)
        self.extractor = nn.Sequential(*list(network.children())[:-5])
        self.pooling = nn.AvgPool2d(kernel_size=8, stride=8, padding=0)
        self.mu, self.logvar = nn.Linear(64, code), nn.Linear(64, code)

    def forward(self, x):
        h = self.pooling(self.extractor(x)).view(x.size(0), -1)
        return Independent(Normal(self.mu(h), torch.exp(self.logvar(h) / 2)), 1)


class Discriminators(nn.Module):
    def __init__(self):
        super(Discriminators, self).__init__()
        self.models = nn.ModuleList()
        for i in range(2):
            layers = [
                nn.Conv2d(3, 8, 4, 2, 1),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(8, 1, 3, padding=1),
            ]
            self.models.add_module("disc_%d" % i, nn.Sequential(*layers))
        self.downsample = nn.AvgPool2d(3, stride=2, padding=[1, 1], count_include_pad=False)

    def loss(self, x, target):
        total = 0
        for m in self.models:
            total += torch.mean((m(x) - target) ** 2)
            x = self.downsample(x)
        return total


class Pool:
    def __init__(self, size=3):
        self.size, self.data = size, []

    def push_and_pop(self, batch):
        chosen = []
        for element in batch.data:
            element = torch.unsqueeze(element, 0)
            if len(self.data) < self.size:
                self.data.append(element)
                chosen.append(element)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.size - 1)
                chosen.append(self.data[i].clone())
                self.data[i] = element
            else:
                chosen.append(element)
        return Variable(torch.cat(chosen))


encoder = Encoder()
decoder = Decoder()
critics = Discriminators()
features = Features()
pool = Pool()
features.eval()
before = features.layers[0].weight.clone()
g_opt = torch.optim.Adam(
    itertools.chain(encoder.parameters(), decoder.parameters()), lr=2e-3, betas=(0.5, 0.999)
)
d_opt = torch.optim.Adam(critics.parameters(), lr=2e-3, betas=(0.5, 0.999))
schedule = torch.optim.lr_scheduler.LambdaLR(
    g_opt, lr_lambda=lambda epoch: 1.0 - max(0, epoch - 1) / 2
)
prior = Independent(Normal(torch.zeros(4), torch.ones(4)), 1)
real = Tensor(np.random.uniform(-1, 1, (4, 3, 32, 32)))
history = []
for epoch in range(3):
    for step in range(2):
        g_opt.zero_grad()
        posterior = encoder(real)
        z = posterior.rsample()
        fake = decoder(z)
        kl = kl_divergence(posterior, prior).mean()
        content = F.l1_loss(features(fake), features(real).detach())
        loss = (
            critics.loss(fake, 1)
            + 0.1 * kl
            + content
            - 0.01 * posterior.log_prob(z.detach()).mean()
        )
        loss.backward()
        g_opt.step()
        d_opt.zero_grad()
        d_loss = critics.loss(real, 1) + critics.loss(pool.push_and_pop(fake).detach(), 0)
        d_loss.backward()
        d_opt.step()
        history.append((loss.item(), d_loss.item(), kl.item()))
        print("[%d/%d] loss %f, D %f, kl %f" % (epoch, step, *history[-1]))
    schedule.step()
assert callable(vgg19) and np.isfinite(history).all() and history[-1][1] < history[0][1]
assert schedule.get_last_lr() == [0.0] and torch.equal(before, features.layers[0].weight)
assert all(p.grad is not None for p in encoder.parameters()) and len(pool.data) == 3
with torch.no_grad():
    grid = make_grid(decoder(prior.sample((8,))), nrow=4, normalize=True)
    save_image(torch.cat((grid, grid), -2), "%s/features.png" % out)
