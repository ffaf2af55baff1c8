"""Claims in a config: each is read, and each that can't be checked is said with its line."""

from __future__ import annotations

import typing
from collections import Counter
from pathlib import Path

import pytest

from vizengine.check import check
from vizengine.config.claims import BoundsSection, ClaimSection, StimuliSection
from vizengine.errors import ConfigError
from vizengine.measures.claims import (
    FEWEST_STIMULI,
    Arranged,
    Drives,
    Prefers,
    StandsOut,
    Sufficient,
    claim_of,
)
from vizengine.measures.claims import KINDS as CLAIMS
from vizengine.measures.patches import KINDS
from vizengine.measures.stimuli import Family, Stimulus, battery

CONFIG = """\
site: {title: Claims}
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: fire4/expand3x3, index: 23}
    hypothesis:
      claims:
        - %s
"""


def load(tmp_path: Path, claim: str) -> object:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG % claim, encoding="utf-8")
    (claim_section,) = check(path).circuits[0].hypothesis.claims
    return claim_of(claim_section)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("excites: 12", Drives),
        ("inhibits: 'fire4/squeeze1x1:9'", Drives),
        ("stands_out: 12", StandsOut),
        ("arranged: true", Arranged),
        ("arranged: 0", Arranged),
        ("arranged: 'fire4/squeeze1x1:9'", Arranged),
        ("prefers: {disk: {radius: [3, 8], polarity: light}, over: {bar: {}}}", Prefers),
        ("prefers: {uniform: {hue: [60, 120]}, over: {grating: {frequency: [1, 2]}}}", Prefers),
        ("prefers: {cross: {polarity: dark}, over: {lined_corner: {polarity: light}}}", Prefers),
        ("prefers: {lattice: {orientation: 45}, over: {blur: {}}}", Prefers),
        ("sufficient: {inputs: top6, correlation: 0.8}", Sufficient),
        ("sufficient: {inputs: 32, correlation: 1}", Sufficient),
    ],
)
def test_a_claim_is_read_as_it_is_written(tmp_path: Path, claim: str, kind: type) -> None:
    assert isinstance(load(tmp_path, claim), kind)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("excites: 32", "no input 32; expected 0 to 31 or a label as `fire4/squeeze1x1:0`"),
        ("inhibits: 'fire4/squeeze1x1:99'", "no input fire4/squeeze1x1:99"),
        ("stands_out: 32", "no input 32; expected 0 to 31"),
        ("arranged: 32", "no input 32; expected 0 to 31"),
        ("arranged: false", "the index of an input channel"),
        ("excites: -1", "at least 0"),
        ("excites: true", "the index of an input channel"),
        ("excites: 1.5", "the index of an input channel"),
        ("exites: 12", "did you mean `excites`?"),
        ("{excites: 1, inhibits: 2}", "one claim of"),
        ("{}", "one claim of"),
        ("prefers: {disk: {}}", "over"),
        ("prefers: {disk: {}, bar: {}, over: {bar: {}}}", "one family of stimuli"),
        ("prefers: {disk: {}, over: {}}", "one family of stimuli"),
        ("prefers: {dot: {}, over: {bar: {}}}", "unknown setting"),
        ("prefers: {disk: {radius: big}, over: {bar: {}}}", "as [3, 8]"),
        ("prefers: {disk: {radius: [8, 3]}, over: {bar: {}}}", "as [3, 8]"),
        ("prefers: {disk: {radius: [900, 901]}, over: {bar: {}}}", "no drawn disk is chosen by these bounds"),
        ("prefers: {disk: {}, over: {bar: {hue: 60}}}", "hue of none"),
        ("prefers: {disk: {}, over: {edge: {polarity: dark}}}", "another polarity"),
        (
            "prefers: {uniform: {hue: 60}, over: {bar: {}}}",
            "3 drawn plain colours are chosen by these bounds; expected 8",
        ),
        ("prefers: {bar: {}, over: {cross: {orientation: [40, 50]}}}", "2 drawn crossing lines are chosen"),
        ("invariant_to: colour", "Expected one of `rotation`"),
        ("polysemantic: 1", "true or false"),
        ("sufficient: {inputs: top33, correlation: 0.8}", "no 33 inputs; expected at most 32"),
        ("sufficient: {inputs: all, correlation: 0.8}", "as `top6`"),
        ("sufficient: {inputs: top0, correlation: 0.8}", "as `top6`"),
        ("sufficient: {inputs: top6, correlation: 8}", "at most 1"),
    ],
)
def test_a_claim_that_cannot_be_checked_is_said_with_its_line(tmp_path: Path, claim: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, claim)
    assert words in str(caught.value)
    assert all(problem.line == 8 for problem in caught.value.problems)


@pytest.mark.parametrize("size", [3, 40, 131])
def test_every_family_is_drawn_often_enough_to_be_preferred(size: int) -> None:
    drawn = Counter((stimulus.family, stimulus.polarity) for stimulus in battery(size))
    assert {family for family, _ in drawn} == set(typing.get_args(Family))
    assert min(drawn.values()) >= FEWEST_STIMULI


def test_the_config_knows_all_that_the_evidence_knows() -> None:
    assert CLAIMS.keys() == ClaimSection.model_fields.keys()
    assert tuple(StimuliSection.model_fields) == typing.get_args(Family)
    kinds = typing.get_args(ClaimSection.model_fields["invariant_to"].annotation)[0]
    assert typing.get_args(kinds) == KINDS
    parameters = set(Stimulus.__dataclass_fields__) - {"family"}
    assert set(BoundsSection.model_fields) == parameters
