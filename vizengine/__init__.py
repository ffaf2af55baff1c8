"""See, prove and publish what a unit inside a convolutional network does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Analysis", "BuildFailed", "ConfigError", "VizengineError", "WeightsUnavailable", "__version__", "analyze"]
__version__ = "0.1.0"
_PLACES = {
    "Analysis": "circuit",
    "analyze": "api",
    **dict.fromkeys(("BuildFailed", "ConfigError", "VizengineError", "WeightsUnavailable"), "errors"),
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for, so that `--help` and `import vizengine` take no time."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
