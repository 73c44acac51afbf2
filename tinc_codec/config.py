"""Settings of a codec, which are stored with the array."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from tinc_codec.errors import ConfigurationError
from tinc_codec.parsing import (
    EFFORTS,
    integer,
    parse_data_range,
    parse_exact_values,
    parse_inter_level,
    parse_intra_level,
    parse_levels,
    parse_share,
    parse_threshold,
    parse_tolerance,
    shown,
)
from tinc_codec.targets import TARGETS, MaxError, Target

log = logging.getLogger("tinc_codec")
DEFAULT_RATIO = 64.0

JSON = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """How chunks are compressed. Reading does not depend on any of it.

    Parameters
    ----------
    ratio
        Raw bytes over stored bytes, at least, for every chunk. At most one of `ratio`, `psnr` and `max_error` is
        given; where none is, `ratio` is 64.
    psnr
        dB, at least, of every chunk.
    max_error
        Largest absolute error of any voxel, in the data's units; 0 is lossless, for floats bit for bit.
    data_range
        The peak that `psnr` refers to, in the data's units. None: each chunk's own range.
    exact_values
        Values that come back exactly, such as a background or a ``_FillValue``; NaN and infinities always do.
    levels
        Number of levels of the tree (cross-level allocation), ``"auto"`` from shape and budget.
    inter_level
        Division of the budget between levels: ``"shallow"``, ``"even"``, ``"deep"``, a share for each level (root
        first), or ``"auto"`` by how similar distant blocks are.
    intra_level
        Division of a level's budget between its nodes: ``"equal"``, ``"variance"`` of their blocks, ``"importance"``
        (share of voxels above `threshold`), or ``"auto"``.
    threshold
        Intensity, in the data's units, above which a voxel is important. None: Otsu's threshold of each chunk.
    constant_tolerance
        Blocks that vary by at most this fraction of the chunk's range are stored as a constant.
    network_share
        Part of the bytes for the sine layers of the tree's shallow levels, the rest being for the coefficients of its
        deepest one (inter-level allocation between the two): from 0, coefficients alone, to 1, sine layers alone.
        ``"auto"``: 0 up to effort 3 and without torch; above, what a probe of the chunk says is best.
    effort
        1 to 9; up to 3 more work is done for the coefficients. From 4 on networks under them are trained where a probe
        of a second promises something, with ever more steps; from 7 on wide ones for every chunk.
    seed
        Seed of the weights and of the sampling.
    """

    ratio: float | None = None
    psnr: float | None = None
    max_error: float | None = None
    data_range: float | None = None
    exact_values: tuple[float, ...] = ()
    levels: int | Literal["auto"] = "auto"
    inter_level: str | tuple[float, ...] = "auto"
    intra_level: str = "auto"
    threshold: float | None = None
    constant_tolerance: float = 1 / 512
    network_share: float | Literal["auto"] = "auto"
    effort: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        parsed = {
            "data_range": parse_data_range(self.data_range),
            "exact_values": parse_exact_values(self.exact_values),
            "levels": parse_levels(self.levels),
            "inter_level": parse_inter_level(self.inter_level),
            "intra_level": parse_intra_level(self.intra_level),
            "threshold": parse_threshold(self.threshold),
            "network_share": parse_share(self.network_share),
            "constant_tolerance": parse_tolerance(self.constant_tolerance),
            "effort": integer("effort", self.effort, EFFORTS.start, EFFORTS.stop - 1),
            "seed": integer("seed", self.seed, 0, 2**63 - 1),
        }
        for name, value in parsed.items():
            object.__setattr__(self, name, value)
        self._check_targets()
        explicit = isinstance(self.inter_level, tuple)
        if explicit and self.levels != len(self.inter_level):
            raise ConfigurationError(
                f"inter_level gives {len(self.inter_level)} shares but levels={self.levels!r}: set levels to as many"
            )

    def _check_targets(self) -> None:
        targets = [kind.parse(getattr(self, kind.option), self.data_range) for kind in TARGETS]
        given = [target for target in targets if target is not None]
        if len(given) > 1:
            named = " and ".join(f"{target.option}={target.value!r}" for target in given)
            raise ConfigurationError(f"{named} are given: give one of {', '.join(kind.option for kind in TARGETS)}")
        if not given:
            object.__setattr__(self, "ratio", DEFAULT_RATIO)
        for target in given:
            object.__setattr__(self, target.option, target.value)
        if self.data_range is not None and self.psnr is None:
            raise ConfigurationError(f"data_range={self.data_range!r} has a meaning only beside psnr")

    def losslessly(self) -> Config:
        """The same settings, but that nothing may be lost."""
        asked: dict[str, Any] = dict.fromkeys((kind.option for kind in TARGETS), None)
        return replace(self, **{**asked, "data_range": None, MaxError.option: 0.0})

    @property
    def target(self) -> Target:
        """What is asked of every chunk."""
        targets = (kind.parse(getattr(self, kind.option), self.data_range) for kind in TARGETS)
        return next(target for target in targets if target is not None)

    def to_json(self) -> JSON:
        """As a JSON object; `from_json` gives it back."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Config:
        """Read stored settings: reading does not depend on them, so that none makes an array unreadable.

        Returns
        -------
        Config
            A `LaterConfig`, with a warning, where they are not settings of this version.

        Raises
        ------
        ConfigurationError
            `data` is not a JSON object.
        """
        if not isinstance(data, Mapping):
            raise ConfigurationError(f"the stored configuration is {shown(data)}, where a JSON object should be")
        known = {field.name for field in fields(Config)}
        later = {key: value for key, value in data.items() if key not in known and key != "id" and value is not None}
        try:
            config = Config(**{key: value for key, value in data.items() if key in known})
            if not later:
                return config
            reason = f"its settings {', '.join(map(shown, later))} are not known"
        except ConfigurationError as error:
            reason = str(error)
        config = LaterConfig.of({key: value for key, value in data.items() if key != "id"}, reason)
        log.warning("settings of a later tinc-codec: the array is read, but not written, since %s", reason)
        return config

    def check_writable(self) -> None:
        """Raise `ConfigurationError` where chunks cannot be written with these settings."""


@dataclass(frozen=True)
class LaterConfig(Config):
    """Stored settings that this version does not know: chunks are read without regard to them, and not written.

    Parameters
    ----------
    stored
        As JSON, in one spelling.
    reason
        Why they are not those of this version.
    """

    stored: str = "{}"
    reason: str = ""

    @classmethod
    def of(cls, data: JSON, reason: str) -> LaterConfig:
        """Settings as they were stored."""
        try:
            return cls(stored=json.dumps(data, sort_keys=True), reason=reason)
        except (TypeError, ValueError, RecursionError) as error:  # not from JSON
            raise ConfigurationError(reason) from error

    def to_json(self) -> JSON:
        """As they were stored."""
        data: JSON = json.loads(self.stored)
        return data

    def check_writable(self) -> None:
        """Raise `ConfigurationError`, with the reason."""
        raise ConfigurationError(
            f"chunks cannot be written with the array's settings, which a later tinc-codec may have stored: "
            f"{self.reason}; install a newer tinc-codec, or write into a new array"
        )
