"""torchvision as the judge, where it is installed."""

import pytest
from compat import torchvision_alone


@pytest.fixture(scope="session")
def torchvision():
    """torchvision, also where its compiled ops do not load."""
    pytest.importorskip("torch")
    try:
        return torchvision_alone.load()
    except ImportError as error:
        pytest.skip(f"torchvision does not import: {error}")
