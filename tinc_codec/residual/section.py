"""The residual's section: its parameters, then the code of every tile (FORMAT.md, "Residual")."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual import tokens
from tinc_codec.residual.integer_domain import LARGEST_TOP, IntegerDomain, Kind
from tinc_codec.residual.interlace import MOST_PAIRS, passes, tile_bounds
from tinc_codec.residual.prediction import LARGEST_WEIGHT, PLAIN, SPREADS, PassModel
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream import lossless
from tinc_codec.stream.entropy import Decoder, Encoder, Table, best_table
from tinc_codec.stream.fields import FieldReader, FieldWriter
from tinc_codec.stream.limits import tiles_fit

LARGEST_LEVELS = 16
LARGEST_OFFSET = 2**44
"""Biases and floors are smaller, so that sums stay exact."""

MOST_CONTEXTS = 64


@dataclass(frozen=True, eq=False)
class ResidualParameters:
    """All that is common to the tiles of a chunk.

    Parameters
    ----------
    domain
        Samples as integers.
    start
        The prediction of every voxel where there is no model: an integer of the domain.
    tiles
        Number of tiles along each axis of the folded shape.
    widths
        Quantisation step of each level, finest first; the last is the coarsest lattice's.
    models
        One for each pass.
    thresholds
        Ascending; a voxel's context is the number of thresholds that its expected error reaches.
    tables
        Frequencies of the tokens of each context, see `tokens.frequencies`.
    """

    domain: IntegerDomain
    start: int
    tiles: tuple[int, ...]
    widths: tuple[int, ...]
    models: tuple[PassModel, ...]
    thresholds: NDArray[np.int64]
    tables: tuple[bytes, ...]

    @property
    def levels(self) -> int:
        """Number of times that the coarsest lattice's stride is halved."""
        return len(self.widths) - 1

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with what is made at the first use: each token's frequency twice, and where to look for it.

        A table takes some thousands of bytes beside its tokens, a pass as much, a pair some numbers.
        """
        tables = sum(8192 + 64 * len(table) for table in self.tables)
        return tables + sum(2048 + 256 * model.pairs for model in self.models) + self.thresholds.nbytes

    @lazy
    def frequencies(self) -> tuple[Table, ...]:
        """The coder's tables of the contexts."""
        return tuple(Table.of([tokens.from_byte(byte) for byte in table]) for table in self.tables)


def pack(parameters: ResidualParameters, codes: list[bytes]) -> bytes:
    """Write the section."""
    out, domain = FieldWriter(), parameters.domain
    out.number("B", domain.kind)
    little = domain.dtype.newbyteorder("<")
    if domain.kind is Kind.FLOAT:
        out.number("d", domain.origin)
        out.number("d", domain.quantum)
    else:
        out.raw(np.array(domain.origin, domain.dtype).astype(little).tobytes())
        out.count(int(domain.quantum))
    out.count(domain.top)
    out.count(parameters.start)
    for count in parameters.tiles:
        out.count(count)
    out.number("B", parameters.levels)
    for width in parameters.widths:
        out.count(width)
    _pack_models(parameters.models, out)
    out.number("B", len(parameters.thresholds))
    for threshold in parameters.thresholds.tolist():
        out.count(threshold)
    for table in parameters.tables:
        out.count(len(table))
    tables = lossless.pack(np.frombuffer(b"".join(parameters.tables), np.uint8))
    out.count(len(tables))
    out.raw(tables)
    for code in codes:
        out.count(len(code) // 4)
    for code in codes:
        out.raw(code)
    return out.bytes()


def unpack(
    section: FieldReader, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[ResidualParameters, list[bytes]]:
    """Read the section of a chunk of folded `shape` and native `dtype`."""
    domain = _unpack_grid(section, dtype)
    start = section.count(domain.top)
    tiles = tuple(section.count(n) for n in shape)
    if not 0 < math.prod(tiles) <= section.remaining or not tiles_fit(shape, tiles):  # each has a length, at least
        section.fail(f"{tiles} tiles over a chunk of shape {shape}")
    levels = section.byte()
    if levels > LARGEST_LEVELS:
        section.fail(f"{levels} levels")
    widths = tuple(section.count(2 * LARGEST_TOP + 1) for _ in range(levels + 1))
    if 0 in widths:
        section.fail("a quantisation step of 0")
    models = _unpack_models(section, len(shape), levels)
    contexts = section.byte() + 1
    if contexts > MOST_CONTEXTS:
        section.fail(f"{contexts} contexts")
    thresholds = np.array([section.count(2**53) for _ in range(contexts - 1)], np.int64)
    if (np.diff(thresholds) <= 0).any():
        section.fail("thresholds do not ascend")
    sizes = [section.count(tokens.MOST_TOKENS) for _ in range(contexts)]
    stored = section.raw(section.count(section.remaining))
    joined = lossless.unpack(stored, sum(sizes), np.dtype(np.uint8)).tobytes()
    tables = tuple(joined[a:b] for a, b in itertools.pairwise(itertools.accumulate(sizes, initial=0)))
    lengths = [4 * section.count(section.remaining // 4) for _ in tile_bounds(shape, tiles)]
    codes = [section.raw(length) for length in lengths]
    section.end()
    return ResidualParameters(domain, start, tiles, widths, models, thresholds, tables), codes


def _unpack_grid(section: FieldReader, dtype: np.dtype[Any]) -> IntegerDomain:
    number = section.byte()
    if number not in list(Kind):
        section.fail(f"domain of kind {number}")
    kind = Kind(number)
    if (dtype.kind == "f") != (kind is not Kind.INTEGER):
        section.fail(f"a domain of kind {number} for samples of {dtype}")
    origin: float | int
    quantum: float | int
    if kind is Kind.FLOAT:
        origin, quantum = section.real("d"), section.real("d")
        if not (math.isfinite(origin) and math.isfinite(quantum) and quantum > 0):
            section.fail(f"a domain from {origin} in steps of {quantum}")
        return IntegerDomain(kind, dtype, origin, quantum, section.count(LARGEST_TOP))
    origin = np.frombuffer(section.raw(dtype.itemsize), dtype.newbyteorder("<"))[0].item()
    quantum = section.count(2**63)
    top = section.count(LARGEST_TOP)
    limit = int(np.iinfo(dtype).max) if kind is Kind.INTEGER else math.inf
    if quantum < 1 or (kind is Kind.BITS and (quantum != 1 or not math.isfinite(origin))):
        section.fail(f"a domain in steps of {quantum}")
    if origin + quantum * top > limit:
        section.fail(f"a domain that goes beyond {dtype}")
    domain = IntegerDomain(kind, dtype, origin, quantum, top)
    if kind is Kind.BITS and not np.isfinite(domain.to_samples(np.array([float(top)]))[0]):
        section.fail(f"a domain that goes beyond {dtype}")
    return domain


def _pack_models(models: tuple[PassModel, ...], out: FieldWriter) -> None:
    for model in models:
        out.number("B", model.pairs)
    models = tuple(model for model in models if model.pairs > 1)
    offsets = np.array([value for model in models for value in (model.bias, model.floor)], np.int64)
    for number in tokens.zigzag(offsets).tolist():
        out.count(number)
    values = np.array([value for model in models for value in (*model.weights, *model.spread)], np.int32)
    largest = int(np.abs(values).max(initial=0))
    table = best_table(values, largest) if largest else 0
    encoder = Encoder()
    encoder.laplace(values, table, largest)
    code = encoder.bytes()
    out.count(largest)
    out.number("B", table)
    out.count(len(code) // 4)
    out.raw(code)


def _unpack_models(section: FieldReader, axes: int, levels: int) -> tuple[PassModel, ...]:
    plan = passes(axes, levels)
    pairs = [section.byte() for _ in plan]
    for step, count in zip(plan, pairs, strict=True):
        if count > min(MOST_PAIRS, len(step.pairs)):
            section.fail(f"{count} pairs where {len(step.pairs)} are known")
    fitted = [count for count in pairs if count > 1]
    numbers = [section.count(2 * LARGEST_OFFSET) for _ in range(2 * len(fitted))]
    offsets = tokens.unzigzag(np.array(numbers, np.int64)).reshape(-1, 2).tolist()
    largest, table = section.count(LARGEST_WEIGHT), section.byte()
    decoder = Decoder(section.raw(4 * section.count(section.remaining // 4)))
    values = iter(decoder.laplace(sum(fitted) + SPREADS * len(fitted), table, largest).tolist())
    decoder.end()
    rest = iter(offsets)
    models = []
    for count in pairs:
        if count <= 1:
            models.append(PLAIN[count])
            continue
        weights, spread = (tuple(next(values) for _ in range(n)) for n in (count, SPREADS))
        bias, floor = next(rest)
        models.append(PassModel(weights, bias, spread, floor))
    return tuple(models)
