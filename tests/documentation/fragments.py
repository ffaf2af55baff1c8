"""Pieces of a config, as the documentation shows them, put where they belong in a whole one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vizengine.config.load import load
from vizengine.config.schema import CircuitSection, Config, SweepSection


def load_block(text: str, folder: Path) -> Config:
    """Load a whole config, or a piece of one, by the real loader.

    Args:
        text: YAML.
        folder: empty; gets the config, and the files of words that it names.

    Raises:
        ConfigError: the config is wrong.
        ValueError: the piece belongs nowhere.
    """
    path = folder / "config.yaml"
    value = yaml.safe_load(text)
    whole = text if isinstance(value, dict) and {"site", "circuits"} <= set(value) else yaml.safe_dump(_whole(value))
    path.write_text(whole, "utf-8")
    for name in _files(yaml.safe_load(whole)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Words.\n", "utf-8")
    return load(path)


def _whole(piece: Any) -> dict[str, Any]:
    circuit: dict[str, Any] = {
        "name": "a",
        "network": {"model": "squeezenet1.1"},
        "unit": {"layer": "fire4/expand3x3", "index": 27},
    }
    config: dict[str, Any] = {"site": {"title": "T"}, "circuits": [circuit]}
    if not isinstance(piece, dict):
        raise ValueError(f"expected a mapping of settings, received {type(piece).__name__}")
    in_a_circuit = set(CircuitSection.model_fields) | set(SweepSection.model_fields)
    for key, value in piece.items():
        if key in Config.model_fields:
            config[key] = value
        elif key in in_a_circuit:
            circuit[key] = value
        else:
            raise ValueError(f"`{key}` is no setting of a config or of a circuit")
    return config


def _files(value: Any) -> list[str]:
    """The files that `{file: path}` names, anywhere."""
    if isinstance(value, list):
        return [name for each in value for name in _files(each)]
    if not isinstance(value, dict):
        return []
    if set(value) == {"file"}:
        return [value["file"]]
    return [name for each in value.values() for name in _files(each)]
