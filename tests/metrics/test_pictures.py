"""psnr, ssim, iou, retrieval, grey_share on known values; scikit-image's are literals."""

import numpy as np
import pytest

from minigan.metrics import grey_share, iou, psnr, retrieval, ssim

Y, X = np.mgrid[0:16, 0:20]
A = (np.sin(X / 3.0) * np.cos(Y / 2.0) + 1) / 2
B = np.clip(A * 0.8 + 0.1 * np.cos(X * Y / 7.0), 0, 1)
PAIRS = np.stack([A, A])[:, None], np.stack([B, 1 - B])[:, None]
SSIM = [0.8619510060299939, -0.7251411371731454]
PSNR = [18.15407126969096, 6.642102745291885]


def test_against_scikit_image():
    np.testing.assert_allclose(ssim(*PAIRS), SSIM, rtol=1e-9)
    np.testing.assert_allclose(psnr(*PAIRS), PSNR, rtol=1e-12)


def test_the_same_pictures():
    a = PAIRS[0]
    assert ssim(a, a).tolist() == [1, 1] and np.isinf(psnr(a, a)).all()
    assert iou(a, a).tolist() == [1, 1] and iou(0 * a, 0 * a).tolist() == [1, 1]


def test_known_values():
    a, b = np.zeros((2, 1, 2, 2)), np.zeros((2, 1, 2, 2))
    a[0, 0, 0], b[0, 0, :, 0] = 1, 1  # the upper row, the left column
    b[1] = 0.1
    assert iou(a, b).tolist() == [1 / 3, 1]
    assert psnr(a, b).tolist() == pytest.approx([10 * np.log10(2), 20])
    assert psnr(255 * a, 255 * b, 255)[0] == pytest.approx(psnr(a, b)[0])


def test_channels_are_averaged():
    both = ssim(*(np.concatenate([x[:1], x[1:]], 1) for x in PAIRS))
    assert both.shape == (1,) and both[0] == pytest.approx(ssim(*PAIRS).mean())


def test_retrieval():
    gallery = np.eye(4).reshape(4, 1, 2, 2)
    made = 0.6 * gallery[[2, 0, 3]] + 0.1
    assert retrieval(made, gallery, [2, 0, 3]) == 1
    assert retrieval(made, gallery, [2, 1, 3]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="retrieval"):
        retrieval(made, gallery, [0])


def test_grey_share():
    assert grey_share(np.array([0, 0.05, 0.5, 0.89, 0.95, 1])) == pytest.approx(1 / 3)


def test_faults():
    with pytest.raises(ValueError, match="of one shape"):
        psnr(PAIRS[0], PAIRS[1][:1])
    with pytest.raises(ValueError, match="at least 11x11"):
        ssim(*(x[..., :8] for x in PAIRS))
