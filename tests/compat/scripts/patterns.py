"""What programs lean on here and there: writes through views, .data of every kind, old spellings,
attention, AdaIN, averages of weights."""

import copy
import random
from collections import OrderedDict

import numpy as np

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.autograd import Variable, grad
from torch.nn import Parameter

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
Tensor = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor


def l2normalize(v, eps=1e-12):
    return v / (v.norm() + eps)


class SpectralNorm(nn.Module):
    """Power iterations on .data of parameters that require no gradient, before each forward
    pass."""

    def __init__(self, module, name="weight", power_iterations=1):
        super(SpectralNorm, self).__init__()
        self.module = module
        self.name = name
        self.power_iterations = power_iterations
        w = getattr(self.module, self.name)
        height, width = w.data.shape[0], w.view(w.data.shape[0], -1).data.shape[1]
        u = Parameter(w.data.new(height).normal_(0, 1), requires_grad=False)
        v = Parameter(w.data.new(width).normal_(0, 1), requires_grad=False)
        u.data = l2normalize(u.data)
        v.data = l2normalize(v.data)
        w_bar = Parameter(w.data)
        del self.module._parameters[self.name]
        self.module.register_parameter(self.name + "_u", u)
        self.module.register_parameter(self.name + "_v", v)
        self.module.register_parameter(self.name + "_bar", w_bar)

    def _update_u_v(self):
        u, v = getattr(self.module, self.name + "_u"), getattr(self.module, self.name + "_v")
        w = getattr(self.module, self.name + "_bar")
        height = w.data.shape[0]
        for _ in range(self.power_iterations):
            v.data = l2normalize(torch.mv(torch.t(w.view(height, -1).data), u.data))
            u.data = l2normalize(torch.mv(w.view(height, -1).data, v.data))
        sigma = u.dot(w.view(height, -1).mv(v))
        setattr(self.module, self.name, w / sigma.expand_as(w))

    def forward(self, *args):
        self._update_u_v()
        return self.module.forward(*args)


class SelfAttention(nn.Module):
    def __init__(self, in_dim):
        super().__init__()
        self.query_conv, self.key_conv = nn.Conv2d(in_dim, 2, 1), nn.Conv2d(in_dim, 2, 1)
        self.value_conv = nn.Conv2d(in_dim, in_dim, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        m_batchsize, C, width, height = x.size()
        proj_query = self.query_conv(x).view(m_batchsize, -1, width * height).permute(0, 2, 1)
        proj_key = self.key_conv(x).view(m_batchsize, -1, width * height)
        attention = self.softmax(torch.bmm(proj_query, proj_key))
        out = torch.bmm(
            self.value_conv(x).view(m_batchsize, -1, width * height), attention.permute(0, 2, 1)
        )
        return self.gamma * out.view(m_batchsize, C, width, height) + x


class AdaptiveInstanceNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = self.bias = None
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        assert self.weight is not None and self.bias is not None
        b, c, h, w = x.size()
        running_mean, running_var = self.running_mean.repeat(b), self.running_var.repeat(b)
        x_reshaped = x.contiguous().view(1, b * c, h, w)
        out = F.batch_norm(
            x_reshaped,
            running_mean,
            running_var,
            self.weight,
            self.bias,
            True,
            self.momentum,
            self.eps,
        )
        return out.view(b, c, h, w)

    def __repr__(self):
        return self.__class__.__name__ + "(" + str(self.num_features) + ")"


class MinibatchDiscrimination(nn.Module):
    def __init__(self, in_features, out_features, kernel_dims):
        super().__init__()
        self.out_features, self.kernel_dims = out_features, kernel_dims
        self.T = nn.Parameter(torch.Tensor(in_features, out_features, kernel_dims))
        nn.init.normal_(self.T, 0, 1)

    def forward(self, x):
        matrices = x.mm(self.T.view(self.T.size(0), -1)).view(
            -1, self.out_features, self.kernel_dims
        )
        M = matrices.unsqueeze(0)
        norm = torch.abs(M - M.permute(1, 0, 2, 3)).sum(3)
        return torch.cat([x, torch.exp(-norm).sum(0) - 1], 1)


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.main = nn.Sequential(
            OrderedDict(
                [
                    ("conv", SpectralNorm(nn.Conv2d(2, 4, 3, 1, 1))),
                    ("act", nn.LeakyReLU(0.1)),
                    ("attention", SelfAttention(4)),
                ]
            )
        )
        self.adain = AdaptiveInstanceNorm2d(4)
        self.fc = nn.Linear(64, 6)
        self.mbd = MinibatchDiscrimination(6, 3, 2)
        self.last = nn.Linear(9, 1)
        self.steps = 0

    def forward(self, x, style=None):
        self.steps += 1
        h = self.main(x)
        if style is None:
            style = torch.ones(2, x.size(0) * 4)
        for m in self.modules():
            if m.__class__.__name__ == "AdaptiveInstanceNorm2d":
                m.bias, m.weight = style[0].contiguous().view(-1), style[1].contiguous().view(-1)
        h = self.adain(h)
        return self.last(self.mbd(self.fc(h.view(h.size(0), -1))))


net = Net()
print(net)
average = copy.deepcopy(net)
optimizer = optim.Adam(
    filter(lambda p: p.requires_grad, net.parameters()),
    lr=0.001,
    betas=(0.0, 0.9),
    weight_decay=1e-5,
)
k = 0.0
for step in range(3):
    real = Variable(torch.randn(3, 2, 4, 4), requires_grad=True)
    fake = torch.tanh(real * 2 - 1).detach()
    real_validity, fake_validity = net(real), net(fake)
    # WGAN-div: the gradient at both, to a power
    fake_ = fake.clone().requires_grad_(True)
    real_grad_out = Variable(Tensor(real.size(0), 1).fill_(1.0), requires_grad=False)
    real_grad = grad(
        real_validity, real, real_grad_out, create_graph=True, retain_graph=True, only_inputs=True
    )[0]
    real_grad_norm = real_grad.view(real_grad.size(0), -1).pow(2).sum(1) ** (6 / 2)
    div_gp = torch.mean(real_grad_norm) * 2 / 2
    # BEGAN: a balance kept in numbers
    d_loss = real_validity.mean()
    d_loss += F.relu(1.0 - fake_validity).mean() * k
    d_loss = d_loss - 0.1 * torch.log(torch.sigmoid(fake_validity) + 1e-6).mean() + div_gp
    diff = torch.mean(0.5 * real_validity - fake_validity)
    k = k + 0.01 * diff.item()
    k = min(max(k, 0), 1)
    optimizer.zero_grad()
    d_loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    for p in net.parameters():
        if p.grad is not None:
            p.grad.data.clamp_(-0.5, 0.5)
    optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] *= 0.9
    # an average of the weights, and a step by hand
    with torch.no_grad():
        for a, p in zip(average.parameters(), net.parameters()):
            a.mul_(0.9).add_(p, alpha=0.1)
    for a, p in zip(average.parameters(), net.parameters()):
        a.data.copy_(a.data * 0.9 + p.data * 0.1)
        if p.grad is not None:
            p.data -= 1e-4 * p.grad.data
            p.data.add_(p.grad.data, alpha=-1e-4)
    print(step, float(d_loss), "%.4f" % k)
assert net.steps == 6 and average.steps == 0
assert all(torch.isfinite(p).all() for p in average.parameters())

# --- a variational encoder with a reparametrised sample; accumulated losses; masks ---
encoder = nn.Sequential(nn.Linear(8, 6), nn.ReLU(inplace=True))
mu = nn.Linear(6, 2)
logvar = nn.Linear(6, 2)
decoder = nn.Linear(2, 8)
params = (
    list(encoder.parameters())
    + list(mu.parameters())
    + list(logvar.parameters())
    + list(decoder.parameters())
)
sgd = torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True)
x = torch.rand(5, 8)
losses = []
for _ in range(20):
    sgd.zero_grad()
    h = encoder(x)
    m, s = mu(h), torch.exp(logvar(h) / 2)
    z = Variable(Tensor(np.random.normal(0, 1, (m.size(0), 2)))) * s + m
    out = torch.zeros(5, 8)
    for i, row in enumerate(decoder(z)):
        out[i] = torch.sigmoid(row)
    loss = 0
    for part in range(2):
        loss += ((out - x)[:, part::2] ** 2).mean()
    loss += 1e-3 * (-0.5 * torch.sum(1 + s.pow(2).log() - m.pow(2) - s.pow(2), dim=1)).mean()
    loss.backward()
    sgd.step()
    losses.append(loss.data.item())
assert losses[-1] < losses[0], losses

# --- edits of labels and pictures, in place ---
labels = torch.zeros(2, 5)
labels[:, 1] = 1
for i, c in enumerate([0, 3]):
    fixed = labels.clone()
    fixed[:, c] = 1 - fixed[:, c]
    fixed[0, :2] = fixed[1, :2].clone()
    fixed[fixed > 0.5] = 0.9
    assert fixed.sum().item() == np.float32(0.9).item() * 4 or abs(fixed.sum().item() - 3.6) < 1e-5
image = torch.arange(2 * 3 * 4, dtype=torch.uint8).view(2, 3, 4)
masked = image.clone()
masked[:, 1:, 2:4] = 255
assert (
    masked.sum() > image.sum()
    and masked[0, 0].tolist() == [0, 1, 2, 3]
    and masked.dtype == torch.uint8
)
scaled = (image.float() / 127.5 - 1).mul_(0.5).add_(0.5).clamp_(0, 1).mul_(255).byte()
assert scaled.max() <= 255 and scaled.dtype == torch.uint8
noise = torch.FloatTensor(4, 3, 1, 1).normal_(0, 1)
noise.resize_(2, 3, 1, 1).data.normal_(0, 1)
assert noise.size() == (2, 3, 1, 1)
buffer = torch.FloatTensor(1)
buffer.resize_as_(noise).copy_(noise)
assert torch.equal(buffer, noise)
weights = {k: v.clone() for k, v in net.state_dict().items()}
missing = net.load_state_dict(weights, strict=False)
assert not missing.missing_keys
onehot = torch.eye(4)[torch.LongTensor(np.random.randint(0, 4, 6))]
confidence, predicted = torch.max(onehot.data, 1)
assert (predicted == onehot.argmax(dim=1)).all() and confidence.sum() == 6
alpha = torch.rand(2, 1, 1).expand(2, 3, 4)
mixed = alpha * image.float() + (1 - alpha) * masked.float()
assert ((mixed >= image.float() - 1e-3) & (mixed <= masked.float() + 1e-3)).all() or (
    masked < image
).any()
