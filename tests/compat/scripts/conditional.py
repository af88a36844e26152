"""Conditional GANs: labels through an Embedding, joined with torch.cat; then InfoGAN-like codes as
one-hot vectors and chained parameters."""

import itertools

import numpy as np

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset, random_split

torch.manual_seed(3)
np.random.seed(3)
n_classes = 4
latent_dim = 6
img_shape = (1, 6, 6)
batch = 5
cuda = torch.cuda.is_available()
FloatTensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor
LongTensor = torch.cuda.LongTensor if cuda else torch.LongTensor


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.label_emb = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(
            nn.Linear(latent_dim + n_classes, 16),
            nn.BatchNorm1d(16, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(16, int(np.prod(img_shape))),
            nn.Tanh(),
        )

    def forward(self, noise, labels):
        gen_input = torch.cat((self.label_emb(labels), noise), -1)
        img = self.model(gen_input)
        return img.view(img.size(0), *img_shape)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.label_embedding = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(
            nn.Linear(n_classes + int(np.prod(img_shape)), 16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Dropout(0.4),
            nn.Linear(16, 1),
        )

    def forward(self, img, labels):
        d_in = torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1)
        return self.model(d_in)


class Pairs(Dataset):
    def __init__(self, n, transform=None):
        self.n, self.transform = n, transform

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        image = np.full(img_shape, index / self.n, dtype=np.float32)
        if self.transform:
            image = self.transform(image)
        return {
            "image": image,
            "label": index % n_classes,
            "name": "item %d" % index,
            "box": (index, 0.5),
            "weight": np.float32(1),
        }


adversarial_loss = torch.nn.MSELoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
whole = ConcatDataset([Pairs(7), Pairs(6, lambda x: torch.from_numpy(x).mul(2).sub_(1).numpy())])
train, held = random_split(whole, [11, 2])
dataloader = DataLoader(train, batch_size=batch, shuffle=True, num_workers=1, drop_last=True)
assert len(dataloader) == 2 and len(held) == 2 and len(Subset(whole, [0, 12])) == 2
for sample in dataloader:
    imgs, labels = sample["image"], sample["label"]
    assert (
        labels.dtype == torch.int64
        and isinstance(sample["name"], list)
        and sample["box"][1].dtype == torch.float64
    )
    assert sample["weight"].dtype == torch.float32
    batch_size = imgs.shape[0]
    valid = Variable(FloatTensor(batch_size, 1).fill_(1.0), requires_grad=False)
    fake = Variable(FloatTensor(batch_size, 1).fill_(0.0), requires_grad=False)
    real_imgs, labels = Variable(imgs.type(FloatTensor)), Variable(labels.type(LongTensor))
    optimizer_G.zero_grad()
    z = Variable(FloatTensor(np.random.normal(0, 1, (batch_size, latent_dim))))
    gen_labels = Variable(LongTensor(np.random.randint(0, n_classes, batch_size)))
    gen_imgs = generator(z, gen_labels)
    g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_real_loss = adversarial_loss(discriminator(real_imgs, labels), valid)
    d_fake_loss = adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
    d_loss = (d_real_loss + d_fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    print("[D loss: %f] [G loss: %f]" % (d_loss.item(), g_loss.item()))


# --- one-hot codes, an auxiliary classifier on a shared body, one optimiser for the parameters of
# both ---


def to_categorical(y, num_columns):
    y_cat = np.zeros((y.shape[0], num_columns))
    y_cat[range(y.shape[0]), y] = 1.0
    return Variable(FloatTensor(y_cat))


class LabelEmbedding(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body
        self.add_module("same_body", body)
        self.label = nn.Linear(n_classes, 16)
        self.adv, self.aux = (
            nn.Linear(32, 1),
            nn.Sequential(nn.Linear(16, n_classes), nn.Softmax(dim=1)),
        )
        self.register_buffer("scale", torch.ones(1))
        self.fixed = torch.arange(n_classes)

    def forward(self, x, onehot):
        h = self.body(x.view(x.size(0), -1))
        both = torch.cat([h, F.relu(self.label(onehot))], dim=1)
        return self.adv(both) * self.scale, self.aux(h)


body = nn.Sequential(nn.Linear(int(np.prod(img_shape)), 16), nn.LeakyReLU(0.2))
net = LabelEmbedding(body)
assert (
    len(list(net.parameters())) == len(set(net.parameters()))
    and "same_body.0.weight" in net.state_dict()
)
optimizer = torch.optim.Adam(itertools.chain(generator.parameters(), net.parameters()), lr=1e-3)
categorical_loss, continuous_loss = nn.CrossEntropyLoss(), nn.L1Loss()
loader = DataLoader(
    TensorDataset(torch.rand(10, *img_shape), torch.randint(0, n_classes, (10,))), batch_size=batch
)
history = []
for imgs, labels in loader:
    optimizer.zero_grad()
    onehot = torch.zeros(labels.size(0), n_classes).scatter_(1, labels.view(-1, 1), 1)
    assert (onehot == to_categorical(labels.numpy(), n_classes)).all()
    adv, probabilities = net(imgs, onehot)
    losses = [
        categorical_loss(probabilities, labels),
        continuous_loss(adv, torch.ones_like(adv)),
        F.nll_loss(torch.log(probabilities), labels),
    ]
    loss = sum(losses) / np.float64(len(losses))
    loss.backward()
    optimizer.step()
    pred = np.argmax(probabilities.data.cpu().numpy(), axis=1)
    history.append(np.mean(pred == labels.numpy()))
    accuracy = probabilities.max(1)[1].eq(labels).sum().item() / labels.size(0)
    assert accuracy == history[-1]
for row, label in zip(onehot, labels):
    assert row.argmax() == label and int(row.sum()) == 1
