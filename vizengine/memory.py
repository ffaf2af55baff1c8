"""How much memory this process may still take, and which errors mean that there was too little."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

_CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """The least of what the machine has free, what a container's limit leaves, and what the process' limit leaves."""
    import psutil

    bounds = [int(psutil.virtual_memory().available)]
    try:
        # The second version's files; a container sees its own group here.
        limit = (_CONTROL_GROUP / "memory.max").read_text().strip()
        # Files that the system keeps in memory while there is room count as used, and give way.
        kept = dict(line.split() for line in (_CONTROL_GROUP / "memory.stat").read_text().splitlines())
        used = int((_CONTROL_GROUP / "memory.current").read_text()) - int(kept["inactive_file"])
        if limit != "max":
            bounds.append(max(int(limit) - used, 0))
    except (OSError, ValueError, KeyError):
        pass
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            bounds.append(max(most - int(psutil.Process().memory_info().vms), 0))
    return min(bounds)


def is_shortage(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that memory ran out: Python's, the system's, or TensorFlow's."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # A library that finds no room is an error of the import system, without a number.
    if isinstance(error, ImportError) and "failed to map segment" in str(error):
        return True
    # Asking for TensorFlow's class must not load it.
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError):
        return True
    return error.__cause__ is not None and is_shortage(error.__cause__)


def told_of_shortage() -> str:
    """What to say and advise where a run ended for want of memory."""
    try:
        free = f"; {available_bytes() / 1e9:.1f} GB are free now"
    except MemoryError:
        # There is no room even to look.
        free = ""
    return (
        f"memory ran out{free}. What was finished is kept and the next run goes on from there: close other programs, "
        "or make `visualization.size` or the photos smaller."
    )
