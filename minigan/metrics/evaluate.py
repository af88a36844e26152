"""All metrics of generated digits that rest on the classifier, at once; and those of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from .classifier import MnistClassifier, as_images, describe, load_classifier
from .frechet import Moments, frechet_distance
from .mmd import kid, mmd2
from .neighbours import copying, nearest_neighbour_test, precision_recall
from .parzen import parzen
from .rows import subset
from .scores import inception_score, mode_score, modes_covered
from .wasserstein import sliced_wasserstein, wasserstein

PAIRS = 2000  # samples of each kind among which neighbours are sought
BETTER = {  # metric -> which way is better
    "frechet": "down", "kid": "down", "mmd2": "down", "score": "up", "mode_score": "up",
    "nn": "0.5", "nn_real": "0.5", "nn_fake": "0.5",
    "precision": "up", "recall": "up", "density": "up", "coverage": "up", "modes": "up",
    "kl_uniform": "down", "parzen": "up",
    "sliced_wasserstein": "down", "wasserstein": "down", "copying": "0.5", "copying_z": "|z| < 3",
    "nearest_training": "unseen's",
}  # fmt: skip


class Reference:
    """Real images as `evaluate` compares others with: what the classifier says of them, computed
    once.

    images : (N, 1, 28, 28), uint8 or float in [-1, 1], not those that the generator has learnt
        from: the test images
    classifier : None: the package's, on `device`
    """

    def __init__(
        self, images: Any, classifier: MnistClassifier | None = None, device="cpu"
    ) -> None:
        self.classifier = load_classifier(device=device) if classifier is None else classifier
        self.described = describe(images, self.classifier)
        self.moments = Moments().update(self.described.features)

    def __len__(self) -> int:
        return len(self.described.features)


def evaluate(images: Any, reference: Reference, seed: int = 0) -> dict[str, float]:
    """Numbers by name, from the classifier's features and opinions; `BETTER` says which way each is
    better.

    images : (N, 1, 28, 28), uint8 or float in [-1, 1], at least 100; more give smaller errors, and
        Frechet distances of different N cannot be compared. Real images in their place give the
        floor that belongs beside every value.
    seed : of the random subsets

    frechet, kid, kid_se, mmd2 (rbf), score, mode_score, nn, nn_real, nn_fake, precision, recall,
    density, coverage (k = 5), modes, kl_uniform, samples. A few seconds for 5,000 images;
    neighbours and mmd2 are those of 2,000 of them.
    """
    if len(images) < 100 or len(reference) < 100:
        raise ValueError(
            f"evaluate: {len(images)} images and {len(reference)} real ones: expected at least "
            "100 of each"
        )
    found, real = describe(images, reference.classifier), reference.described
    n = min(PAIRS, len(found.features), len(real.features))
    few, few_real = subset(found.features, n, seed), subset(real.features, n, seed + 1)
    distance, error = kid(real.features, found.features, subsets=20, seed=seed)
    neighbours = nearest_neighbour_test(few_real, few)
    fidelity = precision_recall(few_real, few)
    modes = modes_covered(found.digits)
    return {
        "frechet": frechet_distance(reference.moments, found.features), "kid": distance,
        "kid_se": error, "mmd2": mmd2(few_real, few),
        "score": inception_score(found.probabilities).value,
        "mode_score": mode_score(found.probabilities, real.probabilities).value,
        "nn": neighbours.accuracy, "nn_real": neighbours.real, "nn_fake": neighbours.fake,
        "precision": fidelity.precision, "recall": fidelity.recall, "density": fidelity.density,
        "coverage": fidelity.coverage,
        "modes": modes.covered, "kl_uniform": modes.kl, "samples": len(found.features),
    }  # fmt: skip


def unit_pixels(images: Any) -> np.ndarray:
    """Digits as float32 rows (N, 784) with pixels in [0, 1], from uint8 or floats in [-1, 1]."""
    images = as_images(images).reshape(len(images), -1)
    return (
        images.astype(np.float32) / np.float32(255)
        if images.dtype == np.uint8
        else (images.astype(np.float32) + 1) / 2
    )


def evaluate_pixels(
    images: Any, training: Any, test: Any, validation: Any = None, seed: int = 0
) -> dict[str, float]:
    """Numbers by name, from pixels in [0, 1], without a classifier.

    images, training, test : digits as for `evaluate`;
    validation : digits on which the Parzen window is chosen; None: the first 1,000
        training images

    parzen, parzen_se, parzen_sigma; sliced_wasserstein (2,000 of each, p = 2), wasserstein (1,000
    of each, p = 1), copying, copying_z, nearest_training, nearest_training_unseen (2,000 images).
    About half a minute for 10,000 images.
    """
    images = unit_pixels(images)
    training = unit_pixels(training)
    test = unit_pixels(test)
    likelihood = parzen(
        images, test, training[:1000] if validation is None else unit_pixels(validation)[:1000]
    )
    n = min(PAIRS, len(images), len(test))
    few, unseen = subset(images, n, seed), subset(test, n, seed + 1)
    copies = copying(few, training, unseen)
    return {
        "parzen": likelihood.value, "parzen_se": likelihood.se, "parzen_sigma": likelihood.sigma,
        "sliced_wasserstein": sliced_wasserstein(unseen, few),
        "wasserstein": wasserstein(unseen[: n // 2], few[: n // 2]),
        "copying": copies.share, "copying_z": copies.z, "nearest_training": copies.distance,
        "nearest_training_unseen": copies.unseen,
    }  # fmt: skip
