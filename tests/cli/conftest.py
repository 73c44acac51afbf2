import pytest
import zarr

from tinc_codec.phantom import light_sheet


@pytest.fixture
def stored(tmp_path):
    """A plain array of two chunks."""
    pytest.importorskip("distributed")
    zarr.create_array(tmp_path / "a.zarr", data=light_sheet((20, 32, 32)), chunks=(10, 32, 32))
    return tmp_path / "a.zarr"
