"""vision.models against torchvision"s: keys, shapes, values, and where weights come from."""

import hashlib

import numpy as np
import pytest

import minigan
from minigan.data import DataError
from minigan.vision import models

# (parameters and buffers, SHA-1 of "name shape" lines) of torchvision 0.29"s state dicts
KEYS = {
    "alexnet": (16, "177308a1e78d"),
    "inception_v3": (580, "eb94f032c252"),
    "resnet18": (122, "e14591082544"),
    "resnet34": (218, "785ac5c03e78"),
    "resnet50": (320, "9fbf96a422bd"),
    "resnet101": (626, "2a143ee9c0c4"),
    "resnet152": (932, "aada3dd792d0"),
    "vgg11": (22, "e7eb6cb7ddf3"),
    "vgg13_bn": (76, "eba826a48464"),
    "vgg16": (32, "8152f3c66b51"),
    "vgg16_bn": (97, "6face2f307e4"),
    "vgg19": (38, "2ec20426925c"),
    "vgg19_bn": (118, "3fa45fc1e4f3"),
}


def digest(state):
    lines = "\n".join(f"{k} {tuple(v.shape)}" for k, v in state.items())
    return len(state), hashlib.sha1(lines.encode()).hexdigest()[:12]


@pytest.fixture
def empty(monkeypatch):
    """Networks without the time that random weights take."""
    for name in ("kaiming_normal_", "normal_", "trunc_normal_", "kaiming_uniform_", "uniform_"):
        monkeypatch.setattr(minigan.nn.init, name, lambda tensor, *a, **k: tensor)


def fill(model):
    """Weights that both worlds compute alike: sines, small enough that values stay near 1."""
    with minigan.no_grad():
        for name, p in model.state_dict().items():
            if p.dim() == 0:
                continue
            wave = (
                np.sin(np.arange(p.numel(), dtype=np.float64) * 0.7 + len(name))
                .astype(np.float32)
                .reshape(tuple(p.shape))
            )
            fan = max(p.numel() // p.shape[0], 1)
            p.copy_(minigan.from_numpy(wave * (2 / fan) ** 0.5 if p.dim() > 1 else 1 + 0.1 * wave))
    return model


@pytest.mark.parametrize("name", KEYS)
def test_keys_and_shapes(name, empty):
    assert digest(getattr(models, name)().state_dict()) == KEYS[name]


def test_values_of_torchvision():
    picture = minigan.sin(minigan.arange(3 * 64 * 64).float() * 0.37).view(1, 3, 64, 64)
    for name, wanted in VALUES.items():
        model = fill(getattr(models, name)(num_classes=4)).eval()
        with minigan.no_grad():
            found = model(picture).numpy()
        np.testing.assert_allclose(found, wanted, rtol=2e-4)
    features = fill(models.vgg.convolutions(11, False)[:8]).eval()
    with minigan.no_grad():
        found = features(picture)
    assert tuple(found.shape) == FEATURES[0]
    np.testing.assert_allclose(
        [found.mean().item(), found.std().item(), found.max().item()], FEATURES[1], rtol=2e-4
    )


VALUES = {
    "resnet18": [[-697863.125, -1149576.875, -1524936.5, -1799011.375]],
    "resnet50": [[-1.8128952980041504, -8.992965698242188, -6.361865043640137, 3.5035834312438965]],
}
FEATURES = ((1, 256, 16, 16), [5.634853363037109, 14.000329971313477, 91.99082946777344])


def test_values_of_inception(empty):
    model = fill(models.inception_v3(num_classes=4, transform_input=True))
    picture = minigan.sin(minigan.arange(3 * 80 * 80).float() * 0.37).view(1, 3, 80, 80)
    with minigan.no_grad():
        found = model.eval()(picture)
        np.testing.assert_allclose(
            found.numpy(), [[-1.1420932, 0.1473422, 2.3197024, 3.2462621]], rtol=2e-4
        )
        aux = fill(models.inception.InceptionAux(768, 4)).eval()(minigan.ones(2, 768, 17, 17))
        alone = fill(models.inception_v3(num_classes=4, aux_logits=False))(
            minigan.cat([picture, picture.flip(3)])
        )
    assert aux.shape == alone.shape == (2, 4)


def test_weights_come_from_a_file(tmp_path, monkeypatch, empty):
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=r"(?s)no resnet18\.safetensors in .*or give a path"):
        models.resnet18(pretrained=True)
    with pytest.raises(DataError, match=r"no resnet50-IMAGENET1K_V2\.safetensors"):
        models.resnet50(weights="DEFAULT")
    with pytest.raises(TypeError, match="resnet18_weights"):
        models.resnet18(weights=models.VGG19_Weights.DEFAULT)
    with pytest.raises(KeyError):
        models.resnet18(weights="IMAGENET1K_V9")
    model = models.resnet18()
    with minigan.no_grad():
        model.fc.bias.fill_(3.0)
    minigan.save(model.state_dict(), tmp_path / "resnet18.safetensors")
    for asked in (
        True,
        "DEFAULT",
        "ResNet18_Weights.IMAGENET1K_V1",
        models.ResNet18_Weights.DEFAULT,
        tmp_path / "resnet18.safetensors",
    ):
        assert models.resnet18(weights=asked).fc.bias.sum().item() == 3000
    assert (
        models.resnet18(True).fc.bias[0].item() == 3
        and models.resnet18(pretrained=False).fc.bias[0].item() != 3
    )
    minigan.save(
        models.inception_v3(init_weights=False).state_dict(), tmp_path / "inception_v3.safetensors"
    )
    plain = models.inception_v3(pretrained=True, aux_logits=False)
    assert plain.transform_input and plain.AuxLogits is None and len(plain.state_dict()) < 580
    assert models.ResNet50_Weights.DEFAULT is models.ResNet50_Weights.IMAGENET1K_V2


def test_a_resnet_learns():
    """The first step"s gradients reach every parameter; zero_init_residual makes blocks
    identities."""
    minigan.manual_seed(0)
    model = fill(models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=2))
    model(minigan.randn(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.parameters())
    started = models.ResNet(models.resnet.BasicBlock, [2, 1, 1, 1], zero_init_residual=True).eval()
    x = minigan.rand(1, 64, 8, 8)
    assert minigan.equal(started.layer1(x), x)


def test_pictures_for_a_network():
    from PIL import Image

    x = models.VGG19_Weights.DEFAULT.transforms()(Image.new("RGB", (300, 280), (255, 0, 0)))
    assert tuple(x.shape) == (3, 224, 224)
    np.testing.assert_allclose(
        x.mean((1, 2)).numpy(), [2.2489083, -2.0357141, -1.8044444], rtol=1e-5
    )


def test_what_is_not_there():
    with pytest.raises(AttributeError, match=r"densenet121.*docs/porting\.md"):
        models.densenet121  # noqa: B018
