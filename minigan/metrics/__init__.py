"""How good samples are."""

from .classifier import Described, MnistClassifier, describe, load_classifier

__all__ = ["Described", "MnistClassifier", "describe", "load_classifier"]
