import pytest
import zarr


@pytest.fixture
def older(tmp_path, volume):
    """A group of format 2 with one image."""
    root = zarr.create_group(tmp_path / "s.zarr", zarr_format=2)
    root.create_array("image", data=volume, chunks=(20, 25, 30))
    return tmp_path / "s.zarr"
