"""How much memory this process may still take."""

from __future__ import annotations

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
        used = int((_CONTROL_GROUP / "memory.current").read_text())
        if limit != "max":
            bounds.append(max(int(limit) - used, 0))
    except (OSError, ValueError):
        pass
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            bounds.append(max(most - int(psutil.Process().memory_info().vms), 0))
    return min(bounds)
