"""Studies, run by hand: our codec and its classical peers on real volumes; every one yields rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from tinc_codec.bench.crops import BENCHMARK, crop
from tinc_codec.bench.peers import VOLUMETRIC, at_error, at_psnr, at_ratio, lossless
from tinc_codec.bench.rows import Result, Row, row
from tinc_codec.bench.video import VIDEOS
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.warm_up import warm_up
from tinc_codec.noise_level import noise

FIGURES = (("brain64", 64.0), ("wholebrain64a", 32.0), ("cells", 128.0), ("fibsem64", 64.0))
"""Crops and ratios of the published figures."""

ALLOCATIONS = (
    ("auto", "auto"),
    *((name, "auto") for name in ("shallow", "even", "deep")),
    *(("auto", name) for name in ("equal", "variance", "importance")),
)
"""Choices of inter- and intra-level allocation to compare."""

NOISES = (1, 2, 4, 8, 16)
"""Largest errors of the study of bounds, in multiples of the noise."""

RATIOS = (32.0, 64.0, 128.0, 256.0)
DECIBELS = (40.0, 50.0)


def measure(name: str, codec: TINCCodec, setting: str = "") -> Row:
    """Measure our codec on a crop in one chunk."""
    volume = crop(name)
    warm_up([codec], [volume])

    def run() -> tuple[int, Any, float]:
        start = time.perf_counter()
        data = codec.encode(volume)
        middle = time.perf_counter()
        return len(data), codec.decode(data), middle - start

    return row(name, "tinc", setting or repr(codec), volume, run)


def ratios(effort: int) -> Iterator[Row]:
    """Every crop at each ratio, with the classical peers at equal bytes."""
    for name in BENCHMARK:
        for ratio in RATIOS:
            yield measure(name, TINCCodec(ratio=ratio, effort=effort), f"ratio {ratio:g}")
            yield from at_ratio(name, crop(name), ratio, (*VOLUMETRIC, *VIDEOS))


def figures(effort: int) -> Iterator[Row]:
    """The published figures, with those peers that reach the same ratio."""
    for name, ratio in FIGURES:
        yield measure(name, TINCCodec(ratio=ratio, effort=effort))
        yield from at_ratio(name, crop(name), ratio, VOLUMETRIC)


def allocations(effort: int) -> Iterator[Row]:
    """Every choice of inter- and intra-level allocation at equal bytes."""
    for name in ("brain64", "cells", "embryo"):
        for inter, intra in ALLOCATIONS:
            codec = TINCCodec(ratio=64, effort=effort, inter_level=inter, intra_level=intra, network_share=1)
            yield measure(name, codec)


def bounds(effort: int) -> Iterator[Row]:
    """Bytes at a largest error of 1 to 16 times the noise, and lossless."""
    for name in BENCHMARK:
        volume = crop(name)
        for times in NOISES:
            error = times * noise(volume)
            codec = TINCCodec(max_error=error, effort=effort)
            yield measure(name, codec, f"max_error {error:.4g}, {times} x noise")
            yield from at_error(name, volume, error)
        yield measure(name, TINCCodec(max_error=0, effort=effort), "lossless")
        yield from lossless(name, volume)


def decibels(effort: int) -> Iterator[Row]:
    """Bytes at a PSNR of 40 and 50 dB."""
    for name in BENCHMARK:
        for psnr in DECIBELS:
            yield measure(name, TINCCodec(psnr=psnr, effort=effort), f"psnr {psnr:g}")
            yield from at_psnr(name, crop(name), psnr)


def reading(effort: int) -> Iterator[Result]:
    """Whole chunks, parts and levels; see `tinc_codec.bench.reads`."""
    from tinc_codec.bench.reads import reads

    return reads(effort)


def networks(effort: int) -> Iterator[Result]:
    """Networks and coefficients against coefficients alone; see `tinc_codec.bench.networks`."""
    from tinc_codec.bench.networks import gains

    return gains(effort)


def effort_curve(effort: int) -> Iterator[Result]:
    """Decibels and seconds of the efforts from 1 on; see `tinc_codec.bench.efforts`."""
    from tinc_codec.bench.efforts import curves

    return curves(effort)


def scheduling(_: int) -> Iterator[Result]:
    """A job whose tasks do nothing; see `tinc_codec.bench.overhead`."""
    from tinc_codec.bench.overhead import overhead

    return overhead()


STUDIES: dict[str, Callable[[int], Iterator[Result]]] = {
    "figures": figures,
    "ratios": ratios,
    "allocations": allocations,
    "bounds": bounds,
    "decibels": decibels,
    "efforts": effort_curve,
    "networks": networks,
    "reads": reading,
    "overhead": scheduling,
}
"""By name, each from the effort; the last two need dask."""
