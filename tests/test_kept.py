"""A page of an earlier build stays where its weights can't be had, if its section is the same."""

from __future__ import annotations

import json
from pathlib import Path

from tests.places import REPOSITORY
from vizengine.build import keep
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection
from vizengine.errors import WeightsUnavailable


def test_a_page_made_before_a_setting_was_there_is_kept(tmp_path: Path) -> None:
    section = load(REPOSITORY / "config.yaml").circuits[1]
    assert isinstance(section, CircuitSection)
    made = REPOSITORY / "site" / section.name
    report = json.loads((made / "circuit.json").read_text())
    report["config"]["network"].pop("classifier", None)
    (tmp_path / "circuit.json").write_text(json.dumps(report))
    (tmp_path / "build.json").write_bytes((made / "build.json").read_bytes())
    error = WeightsUnavailable("No weights.", "Get some.")
    assert keep(tmp_path, section, error) is not None
    other = section.network.model_copy(update={"classifier": True})
    assert keep(tmp_path, section.model_copy(update={"network": other}), error) is None
