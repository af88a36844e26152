"""Settings for all tests: what is skipped where, and how hard hypothesis tries."""

import atexit
import os
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

# Compiling a kernel makes one example slow: no deadline. The same examples in every run: a failure
# can be repeated.
settings.register_profile(
    "minigan", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# HYPOTHESIS_PROFILE=search: new examples
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "minigan"))

# No test cuts the power: runs need not wait for the disk (those killed are processes of their own)
os.fsync = lambda descriptor: None


@pytest.fixture(scope="session", autouse=True)
def curves_are_drawn_once():
    """Of some hundred short runs: those that have the same curves get the picture of the first of
    them, as it takes longer than the steps do. (tests/viz draws by itself.)"""
    from minigan.data.files import write_atomic
    from minigan.training.callbacks import metrics

    shown = {"d_value", "g_loss", "d_real", "d_fake", "critic_real", "critic_fake"}
    pictures, draw = {}, metrics.save_curves

    def save_curves(path, rows):
        of = frozenset(shown.intersection(*rows))
        if of in pictures:
            return write_atomic(path, pictures[of])
        draw(path, rows)
        pictures[of] = path.read_bytes()

    with mock.patch.object(metrics, "save_curves", save_curves):
        yield


# the tests marked gpu, on a GPU that is not there: it finds mistakes of their own
if os.environ.get("MINIGAN_STAND_IN"):
    import fakecuda

    STAND_IN = fakecuda.with_kernels()  # kept, as it ends when nobody has it
    STAND_IN.__enter__()
    atexit.register(STAND_IN.__exit__, None, None, None)


def pytest_collection_modifyitems(config, items):
    if any("gpu" in item.keywords for item in items):
        from minigan.arrays import cuda_problem

        if problem := cuda_problem():
            for item in items:
                if "gpu" in item.keywords:
                    item.add_marker(pytest.mark.skip(reason=problem))
    if "slow" not in config.option.markexpr:
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: pytest -m slow"))
