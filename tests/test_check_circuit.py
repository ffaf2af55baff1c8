"""What a circuit's section says of layers before its unit is checked, and each flaw is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vizengine.config.schema import CircuitSection
from vizengine.errors import ConfigError
from vizengine.pipeline import check

CONFIG = """\
site: {title: Circuit}
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: %s, index: 3}
    %s
"""


def _checked(folder: Path, layer: str, setting: str) -> CircuitSection:
    path = folder / "config.yaml"
    path.write_text(CONFIG % (layer, setting), encoding="utf-8")
    (section,) = check(path).circuits
    assert isinstance(section, CircuitSection)
    return section


def test_earlier_layers_and_depth_are_taken_as_written(tmp_path: Path) -> None:
    section = _checked(tmp_path, "fire3/squeeze1x1", "earlier: [fire2/squeeze1x1, input]\n    depth: 2")
    assert section.earlier == ("fire2/squeeze1x1", "input") and section.depth == 2
    assert _checked(tmp_path, "fire3/squeeze1x1", "earlier: []").earlier == ()


@pytest.mark.parametrize(
    ("layer", "setting", "words"),
    [
        ("fire3/squeeze1x1", "earlier: [fire2/squeze1x1]", "did you mean fire2/squeeze1x1?"),
        ("fire3/squeeze1x1", "earlier: [fire2/expand1x1]", "reads fire2/expand1x1 itself"),
        ("fire3/squeeze1x1", "earlier: [fire9/squeeze1x1]", "isn't an earlier layer"),
        ("conv1", "earlier: [fire2/squeeze1x1]", "there is none; leave `earlier` out"),
        ("conv1", "depth: 2", "whose colours have no inputs; leave it out"),
        ("fire3/squeeze1x1", "depth: 3", "expected at most 2"),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_line(tmp_path: Path, layer: str, setting: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _checked(tmp_path, layer, setting)
    assert words in str(caught.value) and "config.yaml:6" in str(caught.value)
