"""torch.backends.mps: minigan does not compute on Apple's GPUs."""


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False
