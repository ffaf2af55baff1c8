"""Write the bill of materials of a release: `python -m tools.release.sbom PYTHON FILE`, which `make sbom` does.

PYTHON is that of an environment with the wheel and the packages of the lock. cyclonedx-py lists what is installed there
and validates the list; here vizengine itself is put at its head, and what isn't ours or the lock's is refused.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.release.lock import locked
from vizengine import __version__

# An environment's own installer.
_INSTALLER = {"pip"}


def bill_of(listed: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The bill of materials: what was listed, with vizengine as what the bill is of.

    Args:
        listed: CycloneDX data of the whole environment.
        names: of the packages in the lock.

    Raises:
        ValueError: the environment holds other packages than vizengine in its present version and those of the lock.
    """
    components = {_normal(component["name"]): component for component in listed["components"]}
    vizengine = components.pop("vizengine", {})
    if vizengine.get("version") != __version__:
        raise ValueError(f"vizengine {vizengine.get('version')} is installed; expected {__version__}")
    others = {name: component for name, component in components.items() if name not in _INSTALLER}
    if others.keys() != names:
        raise ValueError(
            f"installed and locked differ by {', '.join(sorted(others.keys() ^ names))}; expected the lock alone"
        )
    left_out = {component["bom-ref"] for name, component in components.items() if name in _INSTALLER}
    return {
        **listed,
        "metadata": {**listed["metadata"], "component": vizengine | {"type": "application"}},
        "components": list(others.values()),
        "dependencies": [entry for entry in listed["dependencies"] if entry["ref"] not in left_out],
    }


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def main(python: str, path: Path) -> None:
    """List what is installed for an interpreter, and write the bill of materials."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", python]
    listed = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill_of(listed, set(locked())), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
