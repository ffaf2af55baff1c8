"""The smallest config that makes a page like one that is being read."""

from __future__ import annotations

from typing import Any

from vizengine.report.model import Report

# What the network's section says to a reader, and not to the machine.
_WORDS = {"why"}


def starting_config(report: Report) -> dict[str, Any]:
    """Canonical data of a config for the same unit of the same network, all else left to the defaults."""
    network = {key: value for key, value in report.config["network"].items() if value and key not in _WORDS}
    unit = {"layer": report.layer, "index": report.unit}
    return {"site": {"title": "My circuits"}, "circuits": [{"name": "my-unit", "network": network, "unit": unit}]}
