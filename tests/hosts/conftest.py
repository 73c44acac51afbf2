import numpy as np
import pytest


@pytest.fixture(scope="session")
def ramp():
    """A volume that changes slowly along every axis, uint16."""
    return np.add.outer(np.add.outer(np.arange(70) * 100, np.arange(64) * 3), np.arange(100)).astype("u2")
