"""Image to image: a U-Net with skip connections against a PatchGAN, L1 loss, LambdaLR, replay
buffer, checkpoints."""

import argparse
import functools
import itertools
import os
import random
import sys

import numpy as np

import torch
import torch.nn as nn
from torch.nn import init
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader
from torch.utils import data

parser = argparse.ArgumentParser()
parser.add_argument("--out", default=".")
parser.add_argument("--epochs", type=int, default=2)
opt = parser.parse_args()
torch.manual_seed(0)
random.seed(0)


class Photos(data.Dataset):
    def __getitem__(self, i):
        x = torch.linspace(-1, 1, 16).expand(3, 16, 16) * (0.5 + i / 10)
        return {"A": x, "B": -x.transpose(1, 2), "index": i}

    def __len__(self):
        return 4


class UNetDown(nn.Module):
    def __init__(self, in_size, out_size, normalize=True, dropout=0.0):
        super(UNetDown, self).__init__()
        layers = [nn.Conv2d(in_size, out_size, 4, 2, 1, bias=False)]
        if normalize:
            layers.append(nn.InstanceNorm2d(out_size))
        layers.append(nn.LeakyReLU(0.2))
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class UNetUp(nn.Module):
    def __init__(self, in_size, out_size, dropout=0.0):
        super(UNetUp, self).__init__()
        layers = [
            nn.ConvTranspose2d(in_size, out_size, 4, 2, 1, bias=False),
            nn.InstanceNorm2d(out_size),
            nn.ReLU(inplace=True),
        ]
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.model = nn.Sequential(*layers)

    def forward(self, x, skip_input):
        x = self.model(x)
        x = torch.cat((x, skip_input), 1)
        return x


class GeneratorUNet(nn.Module):
    def __init__(self, in_channels=3, out_channels=3):
        super(GeneratorUNet, self).__init__()
        self.down1 = UNetDown(in_channels, 4, normalize=False)
        self.down2 = UNetDown(4, 8)
        self.down3 = UNetDown(8, 8, normalize=False, dropout=0.5)
        self.up1 = UNetUp(8, 8, dropout=0.5)
        self.up2 = UNetUp(16, 4)
        self.final = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.ZeroPad2d((1, 0, 1, 0)),
            nn.Conv2d(8, out_channels, 4, padding=1),
            nn.Tanh(),
        )

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(d1)
        d3 = self.down3(d2)
        u1 = self.up1(d3, d2)
        u2 = self.up2(u1, d1)
        return self.final(u2)


class SkipBlock(nn.Module):
    """Recursive U-Net block: what goes around it is what its first activation, in place, has made
    of it."""

    def __init__(self, outer, inner, submodule=None):
        super().__init__()
        down = [nn.LeakyReLU(0.2, True), nn.Conv2d(outer, inner, 4, 2, 1)]
        up = [
            nn.ReLU(True),
            nn.ConvTranspose2d(inner * 2 if submodule else inner, outer, 4, 2, 1),
            nn.InstanceNorm2d(outer),
        ]
        self.model = nn.Sequential(*(down + [submodule] + up if submodule else down + up))

    def forward(self, x):
        return torch.cat([x, self.model(x)], 1)


class ResidualBlock(nn.Module):
    def __init__(self, features, norm_layer):
        super().__init__()
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(features, features, 3),
            norm_layer(features),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(features, features, 3),
            norm_layer(features),
        )

    def forward(self, x):
        out = self.block(x)
        out += x
        return out


class Discriminator(nn.Module):
    def __init__(self, in_channels=3):
        super(Discriminator, self).__init__()

        def discriminator_block(in_filters, out_filters, normalization=True):
            layers = [nn.Conv2d(in_filters, out_filters, 4, stride=2, padding=1)]
            if normalization:
                layers.append(nn.InstanceNorm2d(out_filters, affine=True, track_running_stats=True))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *discriminator_block(in_channels * 2, 4, normalization=False),
            *discriminator_block(4, 8),
            nn.ZeroPad2d((1, 0, 1, 0)),
            nn.Conv2d(8, 1, 4, padding=1, bias=False),
        )

    def forward(self, img_A, img_B):
        img_input = torch.cat((img_A, img_B), 1)
        return self.model(img_input)


def init_weights(net, init_type="normal", gain=0.02):
    def init_func(m):
        classname = m.__class__.__name__
        if hasattr(m, "weight") and (
            classname.find("Conv") != -1 or classname.find("Linear") != -1
        ):
            if init_type == "normal":
                init.normal_(m.weight.data, 0.0, gain)
            elif init_type == "xavier":
                init.xavier_normal_(m.weight.data, gain=gain)
            if hasattr(m, "bias") and m.bias is not None:
                init.constant_(m.bias.data, 0.0)

    net.apply(init_func)
    return net


class LambdaLR:
    def __init__(self, n_epochs, offset, decay_start_epoch):
        self.n_epochs = n_epochs
        self.offset = offset
        self.decay_start_epoch = decay_start_epoch

    def step(self, epoch):
        return 1.0 - max(0, epoch + self.offset - self.decay_start_epoch) / (
            self.n_epochs - self.decay_start_epoch
        )


class ReplayBuffer:
    def __init__(self, max_size=2):
        self.max_size, self.data = max_size, []

    def push_and_pop(self, data):
        to_return = []
        for element in data.data:
            element = torch.unsqueeze(element, 0)
            if len(self.data) < self.max_size:
                self.data.append(element)
                to_return.append(element)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.max_size - 1)
                to_return.append(self.data[i].clone())
                self.data[i] = element
            else:
                to_return.append(element)
        return torch.cat(to_return)


criterion_GAN, criterion_pixelwise = torch.nn.MSELoss(), torch.nn.L1Loss()
norm_layer = functools.partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)
generator, discriminator = init_weights(GeneratorUNet()), init_weights(Discriminator())
other = nn.Sequential(
    nn.Conv2d(3, 4, 3, 1, 1),
    SkipBlock(4, 6, SkipBlock(6, 6)),
    ResidualBlock(8, norm_layer),
    nn.Conv2d(8, 3, 1),
    nn.Tanh(),
)
init_weights(other, "xavier")
optimizer_G = torch.optim.Adam(
    itertools.chain(generator.parameters(), other.parameters()), lr=0.0002, betas=(0.5, 0.999)
)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
lr_scheduler_G = torch.optim.lr_scheduler.LambdaLR(
    optimizer_G, lr_lambda=LambdaLR(opt.epochs + 1, 0, 1).step
)
lr_scheduler_D = lr_scheduler.StepLR(optimizer_D, step_size=1, gamma=0.5)
buffer = ReplayBuffer()
dataloader = DataLoader(Photos(), batch_size=2, shuffle=True, num_workers=2)
patch = (1, 16 // 2**2, 16 // 2**2)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

for epoch in range(opt.epochs):
    for i, batch in enumerate(dataloader):
        real_A, real_B = batch["B"].to(device), batch["A"].to(device)
        valid = torch.ones((real_A.size(0), *patch), requires_grad=False)
        fake = torch.zeros((real_A.size(0), *patch), requires_grad=False)
        generator.train()
        optimizer_G.zero_grad()
        fake_B = generator(real_A)
        rec_A = other(fake_B)
        loss_GAN = criterion_GAN(discriminator(fake_B, real_A), valid)
        loss_pixel = criterion_pixelwise(fake_B, real_B) + criterion_pixelwise(rec_A, real_A)
        loss_G = loss_GAN + 100 * loss_pixel
        loss_G.backward()
        optimizer_G.step()

        optimizer_D.zero_grad()
        loss_real = criterion_GAN(discriminator(real_B, real_A), valid)
        fake_B_ = buffer.push_and_pop(fake_B)
        loss_fake = criterion_GAN(discriminator(fake_B_.detach(), real_A), fake)
        loss_D = 0.5 * (loss_real + loss_fake)
        loss_D.backward()
        optimizer_D.step()
        sys.stdout.write(
            "\r[%d/%d] [D loss: %f] [G loss: %f, pixel: %f, adv: %f]\n"
            % (epoch, opt.epochs, loss_D.item(), loss_G.item(), loss_pixel.item(), loss_GAN.item())
        )
    lr_scheduler_G.step()
    lr_scheduler_D.step()
    path = os.path.join(opt.out, "generator_%d.pth" % epoch)
    torch.save(generator.state_dict(), path)
    torch.save(
        {
            "epoch": epoch,
            "G": generator.state_dict(),
            "opt": optimizer_G.state_dict(),
            "losses": [loss_G.item(), loss_D.item()],
        },
        os.path.join(opt.out, "all.pth"),
    )

assert abs(optimizer_D.param_groups[0]["lr"] - 0.0002 * 0.5**opt.epochs) < 1e-12
assert abs(optimizer_G.param_groups[0]["lr"] - 0.0001) < 1e-12
restored = GeneratorUNet()
restored.load_state_dict(torch.load(path))
state = torch.load(os.path.join(opt.out, "all.pth"), map_location="cpu")
assert state["epoch"] == opt.epochs - 1 and len(state["losses"]) == 2
optimizer_G.load_state_dict(state["opt"])
generator.eval()
restored.eval()
with torch.no_grad():
    a, b = generator(real_A), restored(real_A)
assert torch.equal(a, b) and np.allclose(a.numpy(), b.numpy()) and a.shape == real_A.shape
