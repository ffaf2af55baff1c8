"""The process: signals as exceptions, memory and its end, and TensorFlow imported when it is first used."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any


class Terminated(BaseException):
    """SIGTERM came."""


@contextmanager
def signals_raised() -> Iterator[None]:
    """Have SIGTERM raise `Terminated`, as Ctrl-C raises KeyboardInterrupt, so that everything is tidied up.

    Only the first Ctrl-C is an exception: a second one, raised while Python or TensorFlow shut down, would make the
    process abort, so from then on the system ends the process.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        # Only the main thread may handle signals.
        yield
        return
    # A process in a shell's background has SIGINT ignored, and keeps it so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)


_CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Memory that this process can still take: the least that the machine, its container and its own limit leave."""
    import psutil

    bounds = [int(psutil.virtual_memory().available)]
    try:
        # A container sees its own control group (version 2) here; psutil sees the whole machine.
        limit = int((_CONTROL_GROUP / "memory.max").read_text())
        statistics = dict(line.split() for line in (_CONTROL_GROUP / "memory.stat").read_text().splitlines())
        # The cache of files counts as used, and is given up when memory is needed.
        used = int((_CONTROL_GROUP / "memory.current").read_text()) - int(statistics["inactive_file"])
        bounds.append(max(limit - used, 0))
    except (OSError, ValueError, KeyError):
        # There is no such group, or its limit is "max".
        pass
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            bounds.append(max(most - int(psutil.Process().memory_info().vms), 0))
    return min(bounds)


def is_shortage(error: BaseException) -> bool:
    """Whether an error, or one that caused it, says that memory ran out: Python's, the system's, or TensorFlow's."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # A library that can't be mapped into memory raises an ImportError without a number.
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return True
    # Asking for TensorFlow's class must not load it.
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError):
        return True
    return error.__cause__ is not None and is_shortage(error.__cause__)


def shortage_message() -> str:
    """The message for a run that memory ended."""
    try:
        free = f"; {available_bytes() / 1e9:.1f} GB are free now"
    except MemoryError:
        # There is no room even to look.
        free = ""
    return (
        f"memory ran out{free}. What was finished is kept and the next run goes on from there: close other programs, "
        "or make `visualization.size` or the photos smaller."
    )


class _LazyModule:
    """A module that is imported when it is first used, without its import-time logging."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if self._name not in sys.modules:
            quiet_tensorflow()
            with _native_errors_held():
                importlib.import_module(self._name)
        return getattr(sys.modules[self._name], attribute)


if TYPE_CHECKING:
    import keras as keras
    import tensorflow as tensorflow
else:
    # Both take seconds to import, and most commands don't need them.
    keras = _LazyModule("keras")
    tensorflow = _LazyModule("tensorflow")


def quiet_tensorflow() -> None:
    """Silence TensorFlow's import-time logging; to be called before it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


@contextmanager
def _native_errors_held() -> Iterator[None]:
    """Hold what is written to file descriptor 2, and show it only when the work fails."""
    sys.stderr.flush()
    try:
        original = os.dup(2)
    except OSError:
        # The process was started without an error stream.
        yield
        return
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(original, 2)
            os.close(original)
            if failed:
                output.seek(0)
                os.write(2, output.read())
