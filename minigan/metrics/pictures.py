"""How near pictures are to those that they should be: of pairs (N, C, H, W), floats in [0, 1]."""

from __future__ import annotations

import numpy as np


def _pair(a, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 4:
        raise ValueError(f"expected two arrays (N, C, H, W) of one shape, not {a.shape}, {b.shape}")
    return a, b


def psnr(a, b, peak: float = 1.0) -> np.ndarray:
    """Peak signal-to-noise ratio of each picture, 10 log10(peak^2 / mean squared error), in dB;
    infinite where both are the same: float64 (N,)."""
    a, b = _pair(a, b)
    error = ((a - b) ** 2).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(peak**2 / error)


def ssim(a, b, peak: float = 1.0) -> np.ndarray:
    """Structural similarity of each picture, float64 (N,), the mean over its channels and pixels
    (Wang et al. 2004, equation 13): 11x11 Gaussian windows with sigma 1.5, K1 = .01, K2 = .03. Only
    windows that lie in the picture count, which must be 11 pixels wide at least.

    It is `skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)`.
    """
    from scipy.ndimage import correlate1d

    a, b = _pair(a, b)
    if min(a.shape[2:]) < 11:
        raise ValueError(f"ssim: pictures of {a.shape[2:]}: expected at least 11x11")
    window = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window /= window.sum()

    def mean(x):
        for axis in (2, 3):
            x = correlate1d(x, window, axis)
        return x[:, :, 5:-5, 5:-5]

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    found = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return found.mean((1, 2, 3))


def iou(a, b, threshold: float = 0.5) -> np.ndarray:
    """Intersection over union of what is above the threshold in each picture; 1 where nothing is in
    either: float64 (N,)."""
    a, b = (x > threshold for x in _pair(a, b))
    both, any_of_them = (a & b).sum((1, 2, 3)), (a | b).sum((1, 2, 3))
    return np.where(any_of_them, both / np.maximum(any_of_them, 1), 1.0)


def retrieval(made, gallery, truth) -> float:
    """Share of pictures to which, of the whole gallery, the right one is the nearest (Euclidean; of
    equally near ones, the first).

    made : (N, ...);  gallery : (M, ...);  truth : int (N,), the numbers of the right ones in it
    """
    x = np.asarray(made, np.float64).reshape(len(made), -1)
    y = np.asarray(gallery, np.float64).reshape(len(gallery), -1)
    truth = np.asarray(truth)
    if x.shape[1] != y.shape[1] or truth.shape != (len(x),):
        raise ValueError(
            f"retrieval: {x.shape} made, {y.shape} in the gallery, {truth.shape} numbers: expected "
            "pictures of one size, and a number for each that was made"
        )
    distance = (y * y).sum(1) - 2 * x @ y.T
    return float((distance.argmin(1) == truth).mean())


def grey_share(images, margin: float = 0.1) -> float:
    """Share of pixels that are neither black nor white, by more than `margin`: of pictures that
    have two values, such as glyphs, how blurred they are."""
    images = np.asarray(images)
    return float(((images > margin) & (images < 1 - margin)).mean())
