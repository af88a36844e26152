"""A DCGAN that upsamples and convolves, with weights initialised by class name, and fixed noise;
then one with transposed convolutions."""

import argparse
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
import torch.utils.data
import torchvision.utils as vutils
from torch.autograd import Variable

parser = argparse.ArgumentParser()
parser.add_argument("--batchSize", type=int, default=8)
parser.add_argument("--imageSize", type=int, default=16)
parser.add_argument("--nz", type=int, default=10)
parser.add_argument("--ngf", type=int, default=4)
parser.add_argument("--ndf", type=int, default=4)
parser.add_argument("--niter", type=int, default=1)
parser.add_argument("--lr", type=float, default=0.0002)
parser.add_argument("--beta1", type=float, default=0.5)
parser.add_argument("--manualSeed", type=int)
parser.add_argument("--out", default=".")
opt = parser.parse_args()
if opt.manualSeed is None:
    opt.manualSeed = random.randint(1, 10000)
random.seed(opt.manualSeed)
torch.manual_seed(opt.manualSeed)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
nc = 1


class Shapes(torch.utils.data.Dataset):
    def __len__(self):
        return 20

    def __getitem__(self, index):
        image = torch.full((nc, opt.imageSize, opt.imageSize), -1.0)
        size = 3 + index % 5
        image[:, size : 2 * size, 2:-2] = 1.0
        return image, index % 5


def weights_init_normal(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        torch.nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm2d") != -1:
        torch.nn.init.normal_(m.weight.data, 1.0, 0.02)
        torch.nn.init.constant_(m.bias.data, 0.0)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        m.weight.data.normal_(0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        m.weight.data.normal_(1.0, 0.02)
        m.bias.data.fill_(0)


class UpGenerator(nn.Module):
    def __init__(self):
        super(UpGenerator, self).__init__()
        self.init_size = opt.imageSize // 4
        self.l1 = nn.Sequential(nn.Linear(opt.nz, 4 * opt.ngf * self.init_size**2))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(4 * opt.ngf),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4 * opt.ngf, 4 * opt.ngf, 3, stride=1, padding=1),
            nn.BatchNorm2d(4 * opt.ngf, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4 * opt.ngf, 2 * opt.ngf, 3, stride=1, padding=1),
            nn.BatchNorm2d(2 * opt.ngf, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * opt.ngf, nc, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        out = self.l1(z)
        out = out.view(out.shape[0], 4 * opt.ngf, self.init_size, self.init_size)
        return self.conv_blocks(out)


class DropDiscriminator(nn.Module):
    def __init__(self):
        super(DropDiscriminator, self).__init__()

        def discriminator_block(in_filters, out_filters, bn=True):
            block = [
                nn.Conv2d(in_filters, out_filters, 3, 2, 1),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Dropout2d(0.25),
            ]
            if bn:
                block.append(nn.BatchNorm2d(out_filters, 0.8))
            return block

        self.model = nn.Sequential(
            *discriminator_block(nc, opt.ndf, bn=False), *discriminator_block(opt.ndf, 2 * opt.ndf)
        )
        ds_size = opt.imageSize // 2**2
        self.adv_layer = nn.Sequential(nn.Linear(2 * opt.ndf * ds_size**2, 1), nn.Sigmoid())

    def forward(self, img):
        out = self.model(img)
        out = out.view(out.shape[0], -1)
        return self.adv_layer(out)


class TransposedGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(opt.nz, opt.ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(opt.ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(opt.ngf * 2, opt.ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(opt.ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(opt.ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class PlainDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(nc, opt.ndf, 4, 2, 1, bias=False)
        self.conv2 = nn.Conv2d(opt.ndf, opt.ndf * 2, 4, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(opt.ndf * 2)
        self.conv3 = nn.Conv2d(opt.ndf * 2, 1, 4, 1, 0, bias=False)

    def forward(self, input):
        x = F.leaky_relu(self.conv1(input), 0.2, inplace=True)
        x = F.leaky_relu(self.bn2(self.conv2(x)), 0.2)
        return torch.sigmoid(self.conv3(x)).view(-1, 1).squeeze(1)


def train(netG, netD, noise_shape, name):
    netG, netD = netG.to(device), netD.to(device)
    criterion = nn.BCELoss().to(device)
    dataloader = torch.utils.data.DataLoader(
        Shapes(), batch_size=opt.batchSize, shuffle=True, num_workers=2, drop_last=True
    )
    fixed_noise = torch.randn(opt.batchSize, *noise_shape, device=device)
    real_label, fake_label = 1, 0
    optimizerD = optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
    errors = []
    for epoch in range(opt.niter):
        for i, data in enumerate(dataloader, 0):
            netD.zero_grad()
            real = data[0].to(device, non_blocking=True)
            batch_size = real.size(0)
            label = torch.full((batch_size,), real_label, dtype=real.dtype, device=device)
            output = netD(real).view(-1)
            errD_real = criterion(output, label)
            errD_real.backward()
            D_x = output.mean().item()
            noise = torch.randn(batch_size, *noise_shape, device=device)
            fake = netG(noise)
            label.fill_(fake_label)
            output = netD(fake.detach()).view(-1)
            errD_fake = criterion(output, label)
            errD_fake.backward()
            D_G_z1 = output.mean().item()
            errD = errD_real + errD_fake
            optimizerD.step()

            netG.zero_grad()
            label.fill_(real_label)
            output = netD(fake).view(-1)
            errG = criterion(output, label)
            errG.backward()
            optimizerG.step()
            errors += [errD.item(), errG.item()]
            print(
                "[%d/%d][%d/%d] Loss_D: %.4f Loss_G: %.4f D(x): %.4f D(G(z)): %.4f / %.4f"
                % (
                    epoch,
                    opt.niter,
                    i,
                    len(dataloader),
                    errD.item(),
                    errG.item(),
                    D_x,
                    D_G_z1,
                    output.data.mean(),
                )
            )
        with torch.no_grad():
            fake = netG(fixed_noise).detach().cpu()
        vutils.save_image(fake, "%s/%s_%03d.png" % (opt.out, name, epoch), normalize=True)
        grid = vutils.make_grid(fake, padding=2, normalize=True)
        assert grid.shape[0] == 3 and grid.min() >= 0 and grid.max() <= 1
        torch.save(netG.state_dict(), "%s/%s_netG_epoch_%d.pth" % (opt.out, name, epoch))
    return errors


first = UpGenerator()
first.apply(weights_init_normal)
second = DropDiscriminator()
second.apply(weights_init_normal)
assert all(e == e for e in train(first, second, (opt.nz,), "up"))
third, fourth = TransposedGenerator(), PlainDiscriminator()
third.apply(weights_init)
fourth.apply(weights_init)
assert all(e == e for e in train(third, fourth, (opt.nz, 1, 1), "transposed"))
again = TransposedGenerator()
again.load_state_dict(
    torch.load(
        "%s/transposed_netG_epoch_0.pth" % opt.out, map_location=lambda storage, loc: storage
    )
)
assert all(torch.equal(p, q) for p, q in zip(again.parameters(), third.cpu().parameters()))
assert Variable(torch.zeros(1)).data[0] == 0 and os.path.exists(os.path.join(opt.out, "up_000.png"))
