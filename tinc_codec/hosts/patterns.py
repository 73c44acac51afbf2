"""What the user says about single arrays: which are exact and which are lossy, whatever the rules say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tinc_codec.errors import ConfigurationError

ROOT = "/"
"""How the array is called that is a source by itself."""


@dataclass(frozen=True)
class Choice:
    """Patterns for paths of arrays, as a shell has them; ``*`` stands for any number of folders too.

    Parameters
    ----------
    exact
        Arrays that stay exact.
    lossy
        Arrays that the codec is for, although they look like labels, tables or coordinates.
    lossless
        Whether exact arrays are compressed losslessly by TINC where that is smaller.
    """

    exact: tuple[str, ...] = ()
    lossy: tuple[str, ...] = ()
    lossless: bool = False

    @classmethod
    def parse(cls, exact: str | Iterable[str], lossy: str | Iterable[str], lossless: bool = False) -> Choice:
        """From what a user gives: a pattern, or several."""
        return cls(_patterns("exact", exact), _patterns("lossy", lossy), lossless)

    def check(self, paths: Iterable[str]) -> None:
        """Raise `ConfigurationError` unless each pattern matches one of the arrays, and no array matches both kinds."""
        names = [path or ROOT for path in paths]
        for kind, patterns in (("exact", self.exact), ("lossy", self.lossy)):
            for pattern in patterns:
                if not any(_matches(name, pattern) for name in names):
                    known = ", ".join(names[:20]) or "none"
                    raise ConfigurationError(f"{kind}={pattern!r} matches no array; the arrays are {known}")
        for name in names:
            exact, lossy = self.exact_by(name), self.lossy_by(name)
            if exact and lossy:
                raise ConfigurationError(f"array {name!r} is asked for both exact={exact!r} and lossy={lossy!r}")

    def exact_by(self, path: str) -> str | None:
        """The pattern that keeps an array exact."""
        return next((pattern for pattern in self.exact if _matches(path, pattern)), None)

    def lossy_by(self, path: str) -> str | None:
        """The pattern that makes an array lossy."""
        return next((pattern for pattern in self.lossy if _matches(path, pattern)), None)


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path.strip("/"), pattern.strip("/")) or fnmatchcase(path or ROOT, pattern)


def _patterns(name: str, given: str | Iterable[str]) -> tuple[str, ...]:
    patterns = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise ConfigurationError(f"{name}={given!r} must be a pattern for paths, as in 'labels/*', or several")
    return patterns
