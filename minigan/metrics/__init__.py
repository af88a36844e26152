"""How good samples are. Every function takes arrays of samples (NumPy, CuPy or Tensors); `python -m
minigan.metrics RUN` measures a run.

    evaluate            everything that rests on the digit classifier, as a dict of numbers (for a
                        trainer, some seconds)
    parzen              log-likelihood under a Parzen window
    ais_log_likelihood  log-likelihood of a decoder with Gaussian noise
    Principal           Frechet distance for any pictures, of principal components of their pixels
    frechet_distance    between features as Gaussians
    mmd2, kid           kernel discrepancies
    wasserstein         exactly, sliced, or of numbers
    inception_score, mode_score, modes_covered    of class probabilities
    bleu, self_bleu     of sequences of tokens, by their n-grams
    nearest_neighbour_test, precision_recall, copying    by distances between samples
    interval_divergence, repeats, scale_consistency, tone_span    of melodies
    classifier_of, accuracy_of_series    what series teach, examined on others
    psnr, ssim, iou, retrieval, grey_share    of pictures beside those that they should be

None of them means much alone: read each beside its value for real images in place of the samples,
with as many of them.
"""

from .ais import Annealed, ais_log_likelihood
from .bleu import bleu, self_bleu
from .classifier import Described, MnistClassifier, describe, load_classifier
from .evaluate import BETTER, Reference, evaluate, evaluate_pixels, unit_pixels
from .frechet import Moments, frechet_distance, frechet_of_gaussians
from .mmd import cubic, kid, median_distance, mmd2, mmd2_subsets, rbf
from .modes import ModeCoverage, mode_coverage, true_quality
from .music import interval_divergence, repeats, scale_consistency, tone_span
from .neighbours import (
    Copying,
    Fidelity,
    TwoSample,
    copying,
    nearest_images,
    nearest_neighbour_test,
    precision_recall,
)
from .parzen import SIGMAS, Parzen, choose_sigma, parzen, parzen_log_likelihoods
from .pictures import grey_share, iou, psnr, retrieval, ssim
from .principal import Principal
from .rows import Estimate
from .scores import ModesCovered, inception_score, mode_score, modes_covered, stacked_labels
from .series import accuracy_of_series, classifier_of
from .wasserstein import sliced_wasserstein, wasserstein, wasserstein_1d

__all__ = [
    "BETTER", "SIGMAS", "Annealed", "Copying", "Described", "Estimate", "Fidelity",
    "MnistClassifier", "ModeCoverage", "ModesCovered",
    "Moments", "Parzen", "Principal", "Reference", "TwoSample", "accuracy_of_series",
    "ais_log_likelihood",
    "bleu", "choose_sigma", "classifier_of", "copying", "cubic", "describe", "evaluate",
    "evaluate_pixels", "frechet_distance", "frechet_of_gaussians", "grey_share",
    "inception_score", "interval_divergence", "iou", "kid",
    "load_classifier", "median_distance", "mmd2",
    "mmd2_subsets", "mode_coverage", "mode_score", "modes_covered", "nearest_images",
    "nearest_neighbour_test", "parzen",
    "parzen_log_likelihoods", "precision_recall", "psnr", "rbf", "repeats",
    "retrieval", "scale_consistency", "self_bleu", "sliced_wasserstein", "ssim", "stacked_labels",
    "tone_span",
    "true_quality", "unit_pixels",
    "wasserstein", "wasserstein_1d",
]  # fmt: skip
