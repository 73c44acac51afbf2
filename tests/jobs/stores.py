"""Random stores of every kind that writers leave behind, and what must come out of a job over them."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zarr
from hypothesis import strategies as st

IMAGE = (20, 16, 16)
"""Voxels of an image: more than what is exact because it is small."""


@dataclass
class Expected:
    """What is expected of a job: which arrays are images, and which stay exact."""

    images: set = field(default_factory=set)
    exact: set = field(default_factory=set)
    lines: list = field(default_factory=list)


def image(rng):
    return rng.normal(1000, 100, IMAGE).astype("u2")


def labels(rng):
    return np.kron(rng.integers(0, 60_000, (5, 4, 4)), np.ones((4, 4, 4))).astype("u2")


KINDS = {
    "image": image,
    "float": lambda rng: rng.normal(1000, 100, IMAGE).astype("f4"),
    "label": labels,
    "mask": lambda rng: rng.random(IMAGE) < 0.5,
    "bits": lambda rng: (rng.random(IMAGE) < 0.5).astype("u1"),
    "table": lambda rng: rng.normal(size=(2000, 3)),
    "line": lambda rng: rng.normal(size=300),
    "single": lambda rng: rng.normal(size=()),
    "empty": lambda rng: np.zeros((0, 16, 16), "u2"),
    "times": lambda rng: rng.integers(0, 10**9, IMAGE),
    "flags": lambda rng: rng.integers(0, 200, IMAGE).astype("u1"),
    "anndata": lambda rng: rng.normal(size=IMAGE).astype("f4"),
    "constant": lambda rng: np.full(IMAGE, 7, "u2"),
}
ATTRIBUTES = {
    "times": {"units": "seconds since 2024-01-01"},
    "flags": {"flag_values": list(range(200))},
    "anndata": {"encoding-type": "array"},
}
FOLDERS = ("", "a", "a/b", "c", "labels", "a/labels/x", "tables")

arrays = st.lists(
    st.tuples(
        st.sampled_from(FOLDERS), st.sampled_from(sorted(KINDS)), st.sampled_from([2, 3]), st.sampled_from([None, 0, 1])
    ),
    min_size=1,
    max_size=7,
)
"""Where each array lies, what it is, its format, and which of its chunks is missing."""

groups = st.dictionaries(st.sampled_from(FOLDERS[1:]), st.sampled_from([2, 3, 23]), max_size=3)
"""Groups with metadata of their own, and in which format; 23: in both. All other folders have none."""

extras = st.sets(
    st.sampled_from(
        [
            "file",
            "file in array",
            "partial",
            "zattrs",
            "link",
            "linked array",
            "unknown codec",
            "chunks of 0",
            "zarr 2 order",
        ]
    )
)
consolidations = st.sampled_from(["no", "root", "stale", "inner"])


def build(root, root_format, placed, described, others, consolidated, seed):
    """Write a store."""
    rng, expected = np.random.default_rng(seed), Expected()
    zarr.create_group(root, zarr_format=root_format, attributes={"root": seed})
    for path, formats in described.items():
        for zarr_format in (2, 3):
            if str(zarr_format) in str(formats):
                _describe(root / path, zarr_format, {"group": path, f"of {zarr_format}": [zarr_format, None]})
    for number, (folder, kind, zarr_format, missing) in enumerate(placed):
        if number == len(placed) - 1 and consolidated == "stale":
            zarr.consolidate_metadata(root, zarr_format=root_format)  # what comes after is in no listing
        path = f"{folder}/{kind}{number}".lstrip("/")
        _write(root / path, KINDS[kind](rng), zarr_format, missing, ATTRIBUTES.get(kind, {}), rng)
        is_image = kind in ("image", "float") and folder not in ("labels", "a/labels/x", "tables")
        (expected.images if is_image else expected.exact).add(path)
    for other in sorted(others):
        _add(root, other, placed, expected, rng)
    if consolidated == "root":
        _consolidate(root, root_format)
    if consolidated == "inner" and described.get("a") == root_format:
        _consolidate(root / "a", root_format)
    return expected


def _consolidate(path, zarr_format):
    try:
        zarr.consolidate_metadata(path, zarr_format=zarr_format)
    except ValueError:
        return  # zarr cannot, where there is an array that it cannot open


def _describe(folder, zarr_format, attributes):
    folder.mkdir(parents=True, exist_ok=True)
    if zarr_format == 3:
        document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (folder / "zarr.json").write_text(json.dumps(document))
    else:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps(attributes))


def _write(path, data, zarr_format, missing, attributes, rng):
    chunks = tuple(max(1, min(n, 2000 if data.ndim < 3 else 16 - 6 * (axis == 0))) for axis, n in enumerate(data.shape))
    settings = {}
    if zarr_format == 2:
        settings["order"] = "CF"[int(rng.integers(2))]
        settings["chunk_key_encoding"] = {"name": "v2", "separator": "./"[int(rng.integers(2))]}
    array = zarr.create_array(
        path,
        shape=data.shape,
        dtype=data.dtype,
        chunks=chunks,
        zarr_format=zarr_format,
        attributes=attributes,
        **settings,
    )
    array[...] = data
    if missing is not None and data.ndim == 3 and data.size:
        key = array.metadata.encode_chunk_key((missing, 0, 0))
        (path / key).unlink(missing_ok=True)


def _add(root, other, placed, expected, rng):
    folder, kind, _, _ = placed[0]
    first = f"{folder}/{kind}0".lstrip("/")
    if other == "file":
        (root / "notes").mkdir(exist_ok=True)
        (root / "notes" / "readme.txt").write_text("kept")
    elif other == "file in array":
        (root / first / "thumbnail.png").write_bytes(b"png")
    elif other == "partial":
        (root / first / "0.0123456789abcdef0123456789abcdef.partial").write_bytes(b"half a chunk")
    elif other == "zattrs":
        (root / "lost").mkdir(exist_ok=True)
        (root / "lost" / ".zattrs").write_text('{"of": "a group without .zgroup"}')
    elif other == "link":
        (root.parent / f"{root.name}.txt").write_text("elsewhere")
        (root / "linked.txt").symlink_to(root.parent / f"{root.name}.txt")
    elif other == "linked array":
        (root / "alias").symlink_to(first, target_is_directory=True)
        (expected.images if first in expected.images else expected.exact).add("alias")
    elif other in ("unknown codec", "chunks of 0"):
        strange = root / "strange" / other.replace(" ", "_")
        strange.mkdir(parents=True)
        codec, chunks = ({"id": "nobody_knows"}, [8, 8]) if other == "unknown codec" else (None, [0, 8])
        document = {"zarr_format": 2, "shape": [16, 16], "chunks": chunks, "dtype": "<u2", "compressor": codec}
        (strange / ".zarray").write_text(json.dumps({**document, "fill_value": 0, "order": "C", "filters": None}))
        (strange / "0.0").write_bytes(rng.bytes(40))
    elif other == "zarr 2 order":
        zarr.create_array(root / "big", data=image(rng).astype(">u2"), chunks=(20, 16, 16), zarr_format=2, order="F")
        expected.images.add("big")


def content(root, expected):
    """All that a store must keep: samples by array, attributes of everything, and other files."""
    samples, attributes, files = {}, {}, {}
    for path in sorted(expected.images | expected.exact):
        array = zarr.open_array(root / path, mode="r")
        samples[path] = (array[...], array.metadata.zarr_format, array.chunks, dict(array.attrs))
    for file in (Path(folder) / name for folder, _, names in os.walk(root, followlinks=True) for name in names):
        key = file.relative_to(root).as_posix()
        inside = any(key == path or key.startswith(f"{path}/") for path in expected.images)
        if file.name in (".zattrs", "zarr.json", ".zgroup"):
            document = json.loads(file.read_text())
            attributes[key] = document.get("attributes") if file.name == "zarr.json" else document
        elif file.name != ".zmetadata" and not (inside and _is_chunk(file, root, expected)):
            files[key] = file.read_bytes()
    consolidated = {f.relative_to(root).as_posix() for f in root.rglob(".zmetadata")}
    for file in root.rglob("zarr.json"):
        if json.loads(file.read_text()).get("consolidated_metadata"):
            consolidated.add(file.relative_to(root).as_posix())
    return samples, attributes, files, consolidated


def _is_chunk(file, root, expected):
    return file.suffix not in (".png", ".partial") and file.name != ".zarray"
