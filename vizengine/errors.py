"""Errors that a user can act on: what came, what was expected, how to mend it, and where."""

from __future__ import annotations

from dataclasses import dataclass


class VizengineError(Exception):
    """Base of every error that the command prints without a traceback."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a config file.

    Attributes:
        file: the config file as the user named it.
        line: line in that file, counted from 1.
        key: dotted path of the setting, for example `circuits.curves.unit.index`.
        message: what came, what was expected, how to mend it.
    """

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.message}"


class ConfigError(VizengineError):
    """Everything that is wrong with a config, collected so that the user sees all of it at once.

    Args:
        problems: at least one `Problem`; they are sorted by file and line.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Unavailable(VizengineError):
    """Files that a config names without bringing them can't be had: an optional circuit is left out then.

    Args:
        reason: where was looked and what was found there.
        mend: what the user can do about it.
    """

    def __init__(self, reason: str, mend: str) -> None:
        self.reason = reason
        self.mend = mend
        super().__init__(f"{reason} {mend}")


class WeightsUnavailable(Unavailable):
    """The weights that a config names are missing, or lack a layer that the circuit needs."""


class PhotosUnavailable(Unavailable):
    """The photos that a config names can't be downloaded or unpacked."""


class BuildFailed(VizengineError):
    """The site could not be built; the site that stood before still stands."""


class UsageError(VizengineError):
    """Valid syntax on the command line, but an invalid combination of arguments."""
