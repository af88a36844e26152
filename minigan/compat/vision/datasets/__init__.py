"""Data sets with torchvision's names and arguments: pairs (image, label), the image a Pillow
picture or what `transform` makes of it.

Files are read where torchvision and their authors put them; what can be downloaded is with
download=True, checked against its md5. Nothing in a file can run code: CIFAR's pickles are read by
a reader that knows arrays, numbers and texts.
"""

from .base import VisionDataset
from .celeba import CelebA
from .cifar import CIFAR10, CIFAR100
from .fake import FakeData
from .folder import IMG_EXTENSIONS, DatasetFolder, ImageFolder, default_loader
from .lsun import LSUN
from .mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from .stl10 import STL10
from .svhn import SVHN
from .usps import USPS

__all__ = [
    "CIFAR10", "CIFAR100", "EMNIST", "IMG_EXTENSIONS", "KMNIST", "LSUN", "MNIST", "QMNIST", "STL10",
    "SVHN", "USPS", "CelebA", "DatasetFolder", "FakeData", "FashionMNIST", "ImageFolder",
    "VisionDataset", "default_loader",
]  # fmt: skip
