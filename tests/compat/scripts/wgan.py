"""WGAN with clipped weights and RMSprop, then WGAN-GP with a gradient penalty through
convolutions."""

import numpy as np

import torch
import torch.autograd as autograd
import torch.nn as nn
from torch.autograd import Variable

torch.manual_seed(1)
np.random.seed(1)
cuda = True if torch.cuda.is_available() else False
Tensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor
n_critic = 2
clip_value = 0.01
lambda_gp = 10
latent_dim = 8
size = 8


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.first = nn.Linear(latent_dim, 8 * 4 * 4)
        self.main = nn.Sequential(
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 4, 4, 2, 1),
            nn.ReLU(True),
            nn.Conv2d(4, 1, 3, 1, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.main(self.first(z).view(z.size(0), 8, 4, 4))


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential()
        self.main.add_module("conv", nn.Conv2d(1, 6, 4, 2, 1))
        self.main.add_module("relu", nn.LeakyReLU(0.2, inplace=True))
        self.main.add_module("conv2", nn.Conv2d(6, 6, 3, 1, 1))
        self.main.add_module("norm", nn.InstanceNorm2d(6, affine=True))
        self.main.add_module("relu2", nn.LeakyReLU(0.2, inplace=True))
        self.main.add_module(
            "pool", nn.AvgPool2d(3, stride=2, padding=[1, 1], count_include_pad=False)
        )
        self.last = nn.Linear(6 * 2 * 2, 1)

    def forward(self, img):
        out = self.main(img)
        return self.last(out.view(out.shape[0], -1))


def data():
    for k in range(5):
        yield torch.from_numpy(np.random.uniform(-1, 1, (6, 1, size, size)).astype(np.float32))


generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.RMSprop(generator.parameters(), lr=0.00005)
optimizer_D = torch.optim.RMSprop(discriminator.parameters(), lr=0.00005)
one = torch.FloatTensor([1])
mone = one * -1

for i, imgs in enumerate(data()):
    for p in discriminator.parameters():
        p.requires_grad = True
    for p in discriminator.parameters():
        p.data.clamp_(-clip_value, clip_value)
    discriminator.zero_grad()
    real_imgs = Variable(imgs.type(Tensor))
    z = Variable(Tensor(np.random.normal(0, 1, (imgs.shape[0], latent_dim))))
    errD_real = discriminator(real_imgs).mean(0).view(1)
    errD_real.backward(one)
    fake_imgs = Variable(generator(z).data)
    errD_fake = discriminator(fake_imgs).mean(0).view(1)
    errD_fake.backward(mone)
    errD = errD_real - errD_fake
    optimizer_D.step()
    for p in discriminator.parameters():
        p.data.clamp_(-clip_value, clip_value)
    assert max(p.data.abs().max() for p in discriminator.parameters()) <= clip_value
    if i % n_critic == 0:
        for p in discriminator.parameters():
            p.requires_grad = False
        generator.zero_grad()
        noise = torch.FloatTensor(1)
        noise.resize_(imgs.size(0), latent_dim).normal_(0, 1)
        loss_G = -torch.mean(discriminator(generator(Variable(noise))))
        loss_G.backward()
        optimizer_G.step()
        print("[%d] D: %f G: %f" % (i, errD.data[0], loss_G.data.item()))


def compute_gradient_penalty(D, real_samples, fake_samples):
    alpha = Tensor(np.random.random((real_samples.size(0), 1, 1, 1)))
    interpolates = (alpha * real_samples + ((1 - alpha) * fake_samples)).requires_grad_(True)
    d_interpolates = D(interpolates)
    fake = Variable(Tensor(real_samples.shape[0], 1).fill_(1.0), requires_grad=False)
    gradients = autograd.grad(
        outputs=d_interpolates,
        inputs=interpolates,
        grad_outputs=fake,
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    gradient_penalty = ((gradients.norm(2, dim=1) - 1) ** 2).mean()
    return gradient_penalty


for p in discriminator.parameters():
    p.requires_grad_(True)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
before = discriminator.last.weight.data.clone()
for i, imgs in enumerate(data()):
    real_imgs = Variable(imgs.type(Tensor))
    optimizer_D.zero_grad()
    z = Variable(Tensor(np.random.normal(0, 1, (imgs.shape[0], latent_dim))))
    fake_imgs = generator(z)
    real_validity = discriminator(real_imgs)
    fake_validity = discriminator(fake_imgs)
    gradient_penalty = compute_gradient_penalty(discriminator, real_imgs.data, fake_imgs.data)
    d_loss = -torch.mean(real_validity) + torch.mean(fake_validity) + lambda_gp * gradient_penalty
    d_loss.backward()
    optimizer_D.step()
    optimizer_G.zero_grad()
    if i % n_critic == 0:
        fake_imgs = generator(z)
        fake_validity = discriminator(fake_imgs)
        g_loss = -torch.mean(fake_validity)
        g_loss.backward()
        optimizer_G.step()
        print(
            "[%d] [D loss: %f] [G loss: %f] [penalty: %f]"
            % (i, d_loss.item(), g_loss.item(), gradient_penalty.item())
        )
assert not torch.allclose(before, discriminator.last.weight.data)
