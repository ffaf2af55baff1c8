"""The way in for Python and notebooks: a config in, typed results out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.check import check
from vizengine.circuit import Analysis, CircuitRun
from vizengine.config.explain import nearest
from vizengine.config.schema import CircuitSection, Config
from vizengine.errors import Unavailable, VizengineError
from vizengine.output import logged
from vizengine.runtime import quiet_tensorflow


def analyze(
    path: str | os.PathLike[str],
    only: str | Iterable[str] | None = None,
    fresh: bool = False,
    progress: bool = True,
) -> tuple[Analysis, ...]:
    """Compute the circuits of a config, or take them from the cache that the command line fills as well.

    No site is written, and sweeps over many units are passed over: they are for the command line. A circuit that is
    `optional` isn't left out where its weights can't be had, since all that come after it would move up a place;
    leave it out with `only`.

    Args:
        path: the config, for example `config.yaml`; from which folder makes no difference to what it says.
        only: names of the circuits that are wanted; all where left out.
        fresh: whether to compute everything again.
        progress: whether to say on stderr what is being done; warnings are said in any case.

    Returns:
        The circuits in the config's order.

    Raises:
        ConfigError: the config is wrong; `str` of it has every problem with its line.
        ValueError: `only` names no circuit, or one that isn't there, or the config has sweeps only.
        WeightsUnavailable: the weights of a circuit can't be had, whether it is optional or not.
        vizengine.errors.PhotosUnavailable: the same of photos that are downloaded or unpacked.
        BuildFailed: none of the photos can be read.
        VizengineError: Keras was loaded in this process with another backend than TensorFlow.

    Example:
        ```python
        import vizengine

        circuit = vizengine.analyze("config.yaml")[0]
        circuit.unit_picture.shape
        circuit  # shows the page
        ```
    """
    config = check(Path(path).expanduser())
    sections = _wanted(config, only)
    keras = sys.modules.get("keras")
    if keras is None:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    elif (backend := keras.config.backend()) != "tensorflow":
        raise VizengineError(
            f"Keras was loaded in this process with the backend {backend}; expected tensorflow. Start Python (in a "
            "notebook: the kernel) again, and call vizengine.analyze before Keras is imported."
        )
    quiet_tensorflow()
    cache = Cache(config.folder / CACHE_FOLDER, fresh=fresh)
    analyses: list[Analysis] = []
    with logged(0 if progress else -1) as progress_shown:
        for section in sections:
            try:
                analyses.append(CircuitRun(config, section, cache, progress_shown).analysis())
            except Unavailable as error:
                mend = f"{error.mend} To go on without it, name the others in `only`."
                raise type(error)(f"{section.name}: {error.reason}", mend) from error
    return tuple(analyses)


def _wanted(config: Config, only: str | Iterable[str] | None) -> list[CircuitSection]:
    """The circuits to compute.

    Raises:
        ValueError: there are none, or one isn't in the config.
    """
    # Sweeps are for the command line.
    circuits = {section.name: section for section in config.circuits if isinstance(section, CircuitSection)}
    expected = ", ".join(circuits)
    if not circuits:
        raise ValueError(f"{config.source} has sweeps only; expected a circuit of one unit, as `index: 23`")
    if only is None:
        return list(circuits.values())
    wanted = {only} if isinstance(only, str) else set(only)
    if not wanted:
        raise ValueError(f"`only` names no circuit; expected some of {expected}, or None for all")
    for name in sorted(wanted - circuits.keys()):
        hint = nearest(name, tuple(circuits))
        raise ValueError(f"`only`: the config has no circuit {name!r}; expected one of {expected}{hint}")
    return [section for name, section in circuits.items() if name in wanted]
