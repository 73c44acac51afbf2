"""What is done to each array of a source, and why: the user's word, then metadata, then samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.encoding.prepared import check_dtype
from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.images import Candidate, Folder, names_given, why_exact
from tinc_codec.hosts.patterns import ROOT, Choice
from tinc_codec.hosts.regions import Region, Regions
from tinc_codec.hosts.samples import sampled, why_not_amounts
from tinc_codec.jobs.chunk_keys import chunk_keys
from tinc_codec.jobs.objects import sizes
from tinc_codec.jobs.source_tree import ALREADY, Member, SourceTree
from tinc_codec.jobs.surroundings import folders_above
from tinc_codec.stream.container import supported

_LOOKED_AT, _WEIGHED = 6, 64
"""Chunks of an array that are read, at most, and those of which the largest are taken."""

_EDGE = 128
"""Edge along the last three axes of what is read where there are no chunks."""

_TOGETHER = 8
"""Arrays that are looked at at the same time."""


def judged(source: SourceTree, config: Config | None, choice: Choice) -> SourceTree:
    """The source, each of whose arrays says why it stays exact.

    Parameters
    ----------
    source
        As it was opened.
    config
        What images are compressed with; None: with nothing lossy, so that no samples are looked at.
    choice
        What the user says about single arrays.

    Raises
    ------
    ConfigurationError
        A pattern matches nothing, or asks for what cannot be done.
    UnsupportedDataError
        The only array that was named has a dtype that cannot be stored.
    """
    choice.check([*(member.path for member in source.members), *source.opaque])
    for path in source.opaque:
        if choice.lossy_by(path):
            raise ConfigurationError(f"lossy={choice.lossy_by(path)!r}: array {path!r} {source.opaque[path]}")

    def decided(member: Member, candidate: Candidate) -> Member:
        return _decided(member, candidate, source, config, choice)

    with ThreadPoolExecutor(_TOGETHER) as pool:
        return replace(source, members=tuple(pool.map(decided, source.members, _candidates(source))))


def _decided(member: Member, candidate: Candidate, source: SourceTree, config: Config | None, choice: Choice) -> Member:
    exact = _why(member, candidate, source, config, choice)
    asked = exact not in (None, ALREADY) and config is not None and choice.lossless
    return replace(member, exact=exact, lossless=asked and supported(candidate.dtype) and _shrinks(member, source))


def _shrinks(member: Member, source: SourceTree) -> bool:
    """Whether TINC makes an array smaller that loses nothing, judged by some of its chunks as they are stored."""
    inventory = source.inventory
    if member.array is None or inventory is None or not inventory.listed or 0 in member.reader.shape:
        return member.array is None
    keys = chunk_keys(inventory.nodes[member.path].document)
    assert keys is not None
    weights = _largest(member, inventory.chunks[member.path])
    codec, regions = TINCCodec(max_error=0), Regions(member.reader.shape, _unit(member))
    try:
        coded = sum(len(codec.encode(member.reader.read(regions.at(keys.index(key))))) for key in weights)
    except Exception:  # whatever stores and codecs raise: an object that cannot be read can still be copied
        return False
    return coded < sum(weights.values())


def _why(member: Member, candidate: Candidate, source: SourceTree, config: Config | None, choice: Choice) -> str | None:
    name = member.path or ROOT
    lossy = choice.lossy_by(name)
    if member.exact == ALREADY:
        if lossy:
            raise ConfigurationError(f"lossy={lossy!r}: array {name!r} is {ALREADY}; export it first")
        return ALREADY
    if lossy and not supported(candidate.dtype):
        raise ConfigurationError(f"lossy={lossy!r}: array {name!r} has dtype {candidate.dtype}, which TINC cannot code")
    if lossy:
        return None
    if pattern := choice.exact_by(name):
        return f"asked for by exact={pattern!r}"
    if candidate.asked and config is not None:
        check_dtype(candidate.dtype)
    reason = why_exact(candidate)
    if reason is not None or config is None or config.target.lossless:
        return reason
    bound = config.target.largest_error
    return why_not_amounts(sampled(_chunks(member, source), bound), bound)


def _candidates(source: SourceTree) -> Iterator[Candidate]:
    nodes = {} if source.inventory is None else source.inventory.nodes
    attributes = {path: node.attributes for path, node in nodes.items()}
    named = names_given([*attributes.values(), *(folder.attributes for folder in source.above), *source.beside])
    dimensions = {member.path: _dimensions(member) for member in source.members}
    axes = frozenset(name for names in dimensions.values() for name in names)
    for member in source.members:
        reader, array = member.reader, member.array
        yield Candidate(
            member.path.rpartition("/")[-1] or source.folder,
            tuple(reader.shape),
            reader.dtype,
            member.attributes if array is None else dict(array.attrs),
            dimensions[member.path],
            (*_folders(member.path, source, attributes), *_linked(member, source)),
            named,
            axes,
            not member.path,
        )


def _dimensions(member: Member) -> tuple[str, ...]:
    if member.array is None:
        return member.names
    names: Any = getattr(member.array.metadata, "dimension_names", None) or member.array.attrs.get("_ARRAY_DIMENSIONS")
    return tuple(str(name) for name in names or () if name)


def _folders(path: str, source: SourceTree, attributes: Mapping[str, Mapping[str, Any]]) -> Iterator[Folder]:
    """The groups and folders that an array lies in, the source's own and those above it."""
    for outer in PurePosixPath(path).parents if path else ():
        inner = "" if str(outer) == "." else str(outer)
        yield Folder(outer.name or source.folder, attributes.get(inner, {}))
    yield from source.above


def _linked(member: Member, source: SourceTree) -> tuple[Folder, ...]:
    """Where an array really lies, if it is there by a link: a link to labels is one whatever its name."""
    if source.directory is None:
        return ()
    real, expected = (source.directory / member.path).resolve(), source.directory.resolve() / member.path
    return () if real == expected else folders_above(real)


def _chunks(member: Member, source: SourceTree) -> Iterator[NDArray[Any]]:
    """The chunks that tell most, as far as they can be read.

    Raises
    ------
    JobError
        None of them can be read, so that nothing is known of the array.
    """
    failures, read = [], False
    for region in _telling(member, source):
        try:
            chunk = member.reader.read(region)
        except Exception as error:  # whatever stores and codecs raise; the job comes to this chunk again, and says so
            failures.append(f"{type(error).__name__}: {error}")
        else:
            read = True
            yield chunk
    if failures and not read:
        name = member.path or ROOT
        raise JobError(
            f"array {name!r}: {len(failures)} of its chunks were looked at, and none can be read ({failures[0]}); to "
            f"go on all the same, say exact={name!r} or lossy={name!r}"
        )


def _telling(member: Member, source: SourceTree) -> Iterator[Region]:
    """Where to look: of the chunks that are stored the largest, else some from all over the array."""
    reader, array, inventory = member.reader, member.array, source.inventory
    keys = None if inventory is None else chunk_keys(inventory.nodes[member.path].document)
    if array is None or inventory is None or keys is None or not inventory.listed:
        edges = [_EDGE if axis >= len(reader.shape) - 3 else 1 for axis in range(len(reader.shape))]
        regions = Regions(reader.shape, tuple(array.chunks) if array is not None else tuple(edges))
        yield from (regions.at(index) for index in regions.sample(_LOOKED_AT))
        return
    regions = Regions(reader.shape, _unit(member))
    for key in _largest(member, inventory.chunks[member.path]):
        region = regions.at(keys.index(key))
        inner = Regions(tuple(part.stop - part.start for part in region), tuple(array.chunks))
        yield from (_moved(inner.at(index), region) for index in inner.sample(_LOOKED_AT))


def _largest(member: Member, stored: frozenset[str]) -> dict[str, int]:
    """Keys and sizes of the largest of some chunks from all over an array."""
    assert member.array is not None
    keys, number = sorted(stored), min(len(stored), _WEIGHED)
    weights = sizes(member.array.store_path, [keys[place * len(keys) // number] for place in range(number)])
    return {key: weights[key] for key in sorted(weights, key=lambda key: (-weights[key], key))[:_LOOKED_AT]}


def _unit(member: Member) -> tuple[int, ...]:
    """What is stored as one object."""
    assert member.array is not None
    return tuple(member.array.shards or member.array.chunks)


def _moved(inner: Region, outer: Region) -> Region:
    return tuple(slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, outer, strict=True))
