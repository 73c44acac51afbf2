"""What the demo does: compress a volume into a Zarr array, read it back, measure, and draw it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray
from rich.console import Console

from tinc_codec import metrics
from tinc_codec.errors import ConfigurationError, MissingDependencyError, UnsupportedDataError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.opening import open_node
from tinc_codec.hosts.warm_up import warm_up
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.noise_level import noise
from tinc_codec.phantom import light_sheet
from tinc_codec.runtime import progress
from tinc_codec.runtime.usable import usable

CHUNK = 64
LARGEST = (64, 128, 128)
"""What the demo takes out of the middle of a larger volume, so that two cores are done within a quarter of a minute."""


@dataclass(frozen=True)
class Result:
    """Figures of a demo run; sizes in bytes, times in seconds, errors in the data's units."""

    shape: tuple[int, ...]
    dtype: str
    raw_bytes: int
    stored_bytes: int
    psnr: float
    ssim: float
    rmse: float
    max_error: float
    noise: float
    encode_seconds: float
    decode_seconds: float

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes, the array's metadata included."""
        return self.raw_bytes / self.stored_bytes

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "ratio": self.ratio}


def load(path: Path | None, seed: int) -> NDArray[Any]:
    """Load a .npy, .tif or .zarr, or make the phantom; of a large volume, only the middle.

    Raises
    ------
    ConfigurationError
        The file's kind is not known, or a Zarr group does not name one array.
    MissingDependencyError
        A TIFF is given and tifffile is not installed.
    UnsupportedDataError
        It holds nothing, or no real numbers.
    """
    if path is None:
        return light_sheet(LARGEST, seed)
    if not path.exists():
        raise ConfigurationError(f"input {path} does not exist")
    with usable(f"input {str(path)!r}"):
        opened = _open(path)
        volume = np.asarray(opened[_middle(tuple(opened.shape))])
    volume = volume.reshape([n for n in volume.shape if n != 1] or [1])
    if volume.dtype.kind not in "iuf":
        raise UnsupportedDataError(f"the input has dtype {volume.dtype}: integers or floats are wanted")
    if not volume.size:
        raise UnsupportedDataError(f"the input has shape {tuple(opened.shape)}: there is nothing in it")
    return volume


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """What is taken: at most `LARGEST` of the last three axes that have several planes, and one plane of others."""
    axes = [axis for axis, n in enumerate(shape) if n != 1][-3:]
    limits = dict(zip(axes, LARGEST[len(LARGEST) - len(axes) :], strict=True))
    edges = [min(n, limits.get(axis, 1)) for axis, n in enumerate(shape)]
    return tuple(slice((n - edge) // 2, (n - edge) // 2 + edge) for n, edge in zip(shape, edges, strict=True))


def _open(path: Path) -> Any:
    if path.suffix == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ConfigurationError(f"input {path} is not an array that NumPy saved: {error}") from error
    if path.suffix in (".tif", ".tiff"):
        return _first_image(path)
    if path.is_dir():
        node = open_node(path, path)
        if isinstance(node, zarr.Array):
            return node
        names = [name for name, _ in node.arrays()]
        raise ConfigurationError(f"{path} is a group: name one of its arrays, {', '.join(names) or 'it has none'}")
    raise ConfigurationError(f"input {path} is neither .npy, .tif nor a Zarr directory")


def _first_image(path: Path) -> Any:
    try:
        import tifffile
    except ImportError as error:
        raise MissingDependencyError(f"{path} needs tifffile: pip install 'tinc-codec[plot]'") from error
    try:
        with tifffile.TiffFile(path) as tiff:
            contiguous = tiff.series[0].dataoffset is not None
        return tifffile.memmap(path, mode="r") if contiguous else tifffile.imread(path)
    except (tifffile.TiffFileError, IndexError) as error:
        raise ConfigurationError(f"input {path} is not a TIFF that can be read: {error}") from error
    except ValueError as error:
        raise MissingDependencyError(f"{path} cannot be decoded ({error}): pip install imagecodecs") from error


@contextmanager
def _progress_bar(total: int, console: Console) -> Iterator[None]:
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("compressing"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    done: dict[int, float] = {}
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("compressing", total=total)

        def observer(number: int, raw_bytes: int, fraction: float) -> None:
            done[number] = raw_bytes * fraction
            bar.update(task, completed=sum(done.values()))

        with progress.observe(observer):
            yield
        bar.update(task, completed=total)


def run(
    volume: NDArray[Any], store: Path, codec: TINCCodec, zarr_format: Literal[2, 3], console: Console
) -> tuple[Result, NDArray[Any]]:
    """Compress `volume` into a Zarr array at `store`, read it back, and measure, with a bar on `console`.

    Returns
    -------
    Result, ndarray
        The figures, and the volume as it was read back.
    """
    chunks = tuple(min(n, CHUNK) for n in volume.shape)
    with console.status("loading compiled code; after an installation it is compiled first, which takes a minute"):
        warm_up([codec], [volume])
    start = time.perf_counter()
    with _progress_bar(volume.nbytes, console):
        zarr.create_array(
            store, data=volume, chunks=chunks, overwrite=True, **zarr_kwargs(codec, zarr_format=zarr_format)
        )
    middle = time.perf_counter()
    decoded = np.asarray(zarr.open_array(store, mode="r")[...])
    end = time.perf_counter()
    stored = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    a, b = _finite(volume, decoded)
    data_range = float(a.max()) - float(a.min())
    result = Result(
        volume.shape,
        str(volume.dtype),
        volume.nbytes,
        stored,
        metrics.psnr(a, b, data_range),
        metrics.ssim(a, b, data_range) if data_range else 1.0,
        metrics.rmse(a, b),
        metrics.max_error(a, b),
        noise(volume),
        middle - start,
        end - middle,
    )
    return result, decoded


def _finite(original: NDArray[Any], decoded: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both, with 0 where the original is not finite: there they are the same, and measures would be NaN."""
    finite = np.isfinite(original)
    return np.where(finite, original, 0), np.where(finite, decoded, 0)


def check_picture() -> None:
    """Raise `MissingDependencyError` unless `draw` has what it needs: before the work, and not after it."""
    if find_spec("matplotlib") is None:
        raise MissingDependencyError("the picture needs matplotlib: pip install 'tinc-codec[plot]'")


def draw(original: NDArray[Any], decoded: NDArray[Any], result: Result, path: Path) -> None:
    """Write a PNG, with matplotlib: the middle slice along each axis of original, decoded, and their difference."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pairs = _slices(original, decoded)
    heights = [max(0.35, a.shape[0] / a.shape[1]) for _, a, _ in pairs]
    figure = Figure(figsize=(11, 3.1 * sum(heights) + 0.5 * len(pairs)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(pairs), 3, squeeze=False, height_ratios=heights)
    low, high = np.nanpercentile(original, [0.5, 99.8])
    spread = 3 * float(np.std(metrics.difference(*_finite(original, decoded)))) or 1.0
    for row, (name, a, b) in zip(axes, pairs, strict=True):
        delta = metrics.difference(*_finite(a, b))
        for ax, image, title in zip(row, (a, b, delta), ("original", "decoded", "decoded - original"), strict=True):
            signed = title.startswith("decoded -")
            limits = {"cmap": "RdBu_r", "vmin": -spread, "vmax": spread} if signed else {"vmin": low, "vmax": high}
            shown = ax.imshow(image, interpolation="nearest", **({"cmap": "gray"} | limits))
            ax.set_title(f"{name}: {title}", fontsize=10)
            ax.set_xticks([])
            ax.set_yticks([])
            figure.colorbar(shown, ax=ax, shrink=0.85)
    figure.suptitle(
        f"{result.shape} {result.dtype}: {result.raw_bytes:,} bytes stored in {result.stored_bytes:,} "
        f"({result.ratio:.1f}x), PSNR {result.psnr:.2f} dB, SSIM {result.ssim:.3f}"
    )
    figure.savefig(path, dpi=110)


def _slices(original: NDArray[Any], decoded: NDArray[Any]) -> list[tuple[str, NDArray[Any], NDArray[Any]]]:
    """Name and pair of images for every way to cut the volume."""
    if original.ndim == 1:
        return [("signal", original[None], decoded[None])]
    if original.ndim == 2:
        return [("image", original, decoded)]
    while original.ndim > 3:
        original, decoded = original[len(original) // 2], decoded[len(decoded) // 2]
    cuts = []
    for axis, name in enumerate(("z", "y", "x")):
        middle = original.shape[axis] // 2
        cuts.append((f"{name} = {middle}", np.take(original, middle, axis), np.take(decoded, middle, axis)))
    return [cut for cut in cuts if min(cut[1].shape) >= CHUNK // 4][:3] or cuts[:1]
