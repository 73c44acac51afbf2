import os

os.environ.setdefault("TRITON_INTERPRET", "1")  # read when kernels are first imported: there, the CPU runs them

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from tests.fixtures import bounded, client, few_steps, files, ome, source, volume  # noqa: F401

settings.register_profile("tinc", deadline=None, print_blob=True)
settings.load_profile("tinc")

_PLACES = [os.environ.get("TINC_DATA"), Path(__file__).parents[2] / "shared" / "data"]


@pytest.fixture(scope="session")
def real():
    """Load a real volume by name; skips where the data are not there."""

    def load(name):
        for place in filter(None, _PLACES):
            file = Path(place) / f"{name}.npy"
            if file.exists():
                return np.load(file)
        pytest.skip(f"{name}.npy is neither in TINC_DATA nor at ../shared/data")

    return load


@pytest.fixture(autouse=True)
def _own_process_settings(monkeypatch):
    """No test depends on, or changes, where the others run."""
    from tinc_codec import set_process

    for name in [name for name in os.environ if name.startswith("TINC_") and name != "TINC_DATA"]:
        monkeypatch.delenv(name)
    set_process()
    yield
    set_process()


@pytest.fixture(scope="session")
def smooth():
    """A small volume with structure and a little noise, uint16."""
    rng = np.random.default_rng(5)
    z, y, x = np.meshgrid(*(np.linspace(0, 3, n) for n in (20, 24, 28)), indexing="ij")
    values = 900 * np.sin(2 * z + y) * np.cos(3 * x) + 2000 + rng.normal(0, 10, z.shape)
    return values.astype(np.uint16)
