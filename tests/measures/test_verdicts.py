"""Verdicts of every kind of claim, on figures made up so that the answer is known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from vizengine.config.claims import ClaimSection
from vizengine.measures.by_photo import Correlations, Drive, median
from vizengine.measures.claims import Checked, check, claim_report, claims_tally, verdict
from vizengine.measures.inputs import Circuit, analyse
from vizengine.measures.statistics import SHUFFLES, estimate
from vizengine.measures.stimuli import Stimulus
from vizengine.network.architecture import SourceChannel

# What each of six inputs gives of the drive, and the inputs next in rank by norm to the two strongest.
SHARES, POOL = [0.6, -0.4, 0.02, 0.3, 0.28, 0.2], (2, 3, 4, 5)
PHOTOS = 20
STIMULI = (
    *(Stimulus("disk", radius=float(radius)) for radius in range(1, 11)),
    *(Stimulus("bar", orientation=15.0 * step) for step in range(12)),
    *(Stimulus("ring", radius=float(radius)) for radius in range(1, 8)),
)


def _circuit() -> Circuit:
    kernel = np.ones((3, 3, 6, 1), np.float32) * np.arange(6, 0, -1, dtype=np.float32)[:, None]
    sources = [SourceChannel("below", index, f"below:{index}") for index in range(6)]
    return analyse("layer", 0, kernel, np.zeros(1, np.float32), sources, 2)


def _drive(shares: list[float], spread: float = 0.01, seed: int = 0, held_out: bool = True, size: float = 7.0) -> Drive:
    by_photo = np.random.default_rng(seed).normal(shares, spread, (PHOTOS, len(shares)))
    return Drive(np.ones(PHOTOS), size * by_photo, held_out)


def _disks_first(apart: float, count: int = 1, seed: int = 0) -> np.ndarray:
    """(stimuli, count) responses, those to disks so far above the others."""
    values = np.random.default_rng(seed).normal(0, 1, (len(STIMULI), count))
    return values + apart * np.array([each.family == "disk" for each in STIMULI])[:, None]


def evidence(
    drive: Drive | None = None,
    draws: list[Drive] | None = None,
    correlation: float = 0.8,
    of_draws: list[float] | None = None,
    error: float = 0.05,
    responses: np.ndarray | None = None,
    shuffled: np.ndarray | None = None,
    invariances: np.ndarray | None = None,
) -> Any:
    """What was measured of a unit, as far as claims read it."""
    values = np.tile(np.array(of_draws or [0.3] * SHUFFLES)[:, None], 6)
    found = Correlations(np.full(6, correlation), np.full(6, error), PHOTOS)
    index = SimpleNamespace(name="hue invariance", by_photo=np.array([]) if invariances is None else invariances)
    of_input = SimpleNamespace(name="hue invariance", value=SimpleNamespace(value=0.25))
    return SimpleNamespace(
        contributions=SimpleNamespace(drive=drive or _drive(SHARES)),
        ablations=SimpleNamespace(control_pool=POOL),
        shuffled=SimpleNamespace(
            drives=tuple(draws or [_drive([0.1] * 6, seed=seed) for seed in range(SHUFFLES)]),
            correlations=Correlations(values, np.full(values.shape, error), PHOTOS),
        ),
        faithfulness=SimpleNamespace(
            by_norm=SimpleNamespace(correlations=found),
            random_correlation=np.full(6, 0.2),
            positions=900,
            draws=8,
        ),
        tuning=SimpleNamespace(
            stimuli=STIMULI,
            responses=_disks_first(0.0) if responses is None else responses,
            shuffled=_disks_first(0.0, SHUFFLES, 1) if shuffled is None else shuffled,
            indices=(index, of_input),
        ),
        examples=None,
        polysemanticity=SimpleNamespace(
            silhouette=estimate(np.full(30, 0.9)), threshold=0.3, clusters=(1, 2), null=(0.1, 0.2)
        ),
    )


def _one(claim: dict[str, Any], measured: Any) -> Checked:
    (found,) = check([ClaimSection.model_validate(claim)], _circuit(), measured)
    return found


def _interval(parts: np.ndarray, wholes: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """A ratio of sums with its jackknife's interval, photo by photo."""
    value = parts.sum() / wholes.sum()
    without = [np.delete(parts, place).sum() / np.delete(wholes, place).sum() for place in range(len(parts))]
    apart = np.square(np.array(without) - np.mean(without)).sum()
    reach = t.ppf((1 + level) / 2, len(parts) - 1) * math.sqrt((len(parts) - 1) / len(parts) * apart)
    return value, value - reach, value + reach


def test_the_rule() -> None:
    assert verdict(0.6, 0.9, 0.5, True) == "supported" and verdict(0.1, 0.4, 0.5, True) == "contradicted"
    assert verdict(0.4, 0.6, 0.5, True) == "undecided" and verdict(-np.inf, np.inf, 0.5, True) == "undecided"
    assert verdict(-0.9, -0.6, -0.5, False) == "supported" and verdict(-0.4, 0.4, -0.5, False) == "contradicted"
    assert verdict(np.nan, np.nan, 0.5, True) == verdict(np.nan, np.nan, 0.5, False) == "undecided"


@pytest.mark.parametrize(
    ("claim", "spread", "expected"),
    [
        ({"excites": 0}, 0.01, "supported"),
        ({"excites": "below:0"}, 0.01, "supported"),
        ({"inhibits": 0}, 0.01, "contradicted"),
        ({"inhibits": 1}, 0.01, "supported"),
        ({"excites": 1}, 0.01, "contradicted"),
        # Less than 5 % of the drive is neither.
        ({"excites": 2}, 0.01, "contradicted"),
        ({"inhibits": 2}, 0.01, "contradicted"),
        ({"excites": 2}, 0.5, "undecided"),
    ],
)
def test_an_input_excites_or_inhibits_by_its_share_of_the_drive(
    claim: dict[str, Any], spread: float, expected: str
) -> None:
    drive = _drive(SHARES, spread)
    found = _one(claim, evidence(drive))
    (name,) = claim.values()
    part = drive.contributions[:, int(str(name).removeprefix("below:"))]
    assert found.verdict == expected and found.sample == PHOTOS and found.sample_of == "held-out photos"
    assert (found.value, found.low, found.high) == pytest.approx(_interval(part, drive.contributions.sum(axis=1)))
    controls = drive.contributions[:, POOL].sum() / 4 / drive.contributions.sum()
    assert found.control == pytest.approx(controls)


@pytest.mark.parametrize(("size", "expected"), [(7.0, "supported"), (-7.0, "contradicted")])
def test_an_input_that_holds_the_unit_down_does_not_excite(size: float, expected: str) -> None:
    """Where all inputs together give less than nothing, the share's sign stays that of the contribution."""
    assert _one({"excites": 0}, evidence(_drive(SHARES, size=size))).verdict == expected


@pytest.mark.parametrize(
    ("name", "expected"), [(0, "supported"), (1, "supported"), (2, "contradicted"), (3, "supported")]
)
def test_an_input_stands_out_from_those_of_like_norm(name: int, expected: str) -> None:
    drive = _drive(SHARES)
    found = _one({"stands_out": name}, evidence(drive))
    sizes = drive.contributions * np.sign(drive.contributions.sum(axis=0))
    others = np.mean([sizes[:, other] for other in POOL if other != name], axis=0)
    expected_interval = _interval(sizes[:, name] - others, drive.contributions.sum(axis=1))
    assert found.verdict == expected
    assert (found.value, found.low, found.high) == pytest.approx(expected_interval)


@pytest.mark.parametrize(
    ("name", "of_draws", "expected"),
    [
        (True, [0.1] * 6, "supported"),
        (True, [0.18, 0.2, 0.1, 0.2, 0.2, 0.1], "contradicted"),
        (0, [0.1] * 6, "supported"),
        (4, [0.5, 0.5, 0.5, 0.5, 0.27, 0.5], "contradicted"),
        ("below:1", [0.1] * 6, "contradicted"),
    ],
)
def test_what_shuffling_takes_away_is_owed_to_the_arrangement(
    name: bool | int | str, of_draws: list[float], expected: str
) -> None:
    drive, draws = _drive(SHARES), [_drive(of_draws, seed=10 + seed) for seed in range(SHUFFLES)]
    found = _one({"arranged": name}, evidence(drive, draws))
    channels = slice(None) if name is True else [int(str(name).removeprefix("below:"))]
    left = np.mean([draw.contributions[:, channels].sum(axis=1) for draw in draws], axis=0)
    lost = drive.contributions[:, channels].sum(axis=1) - left
    assert found.verdict == expected
    interval = _interval(lost, drive.contributions.sum(axis=1))
    assert (found.value, found.low, found.high) == pytest.approx(interval)
    # A draw beside the others is arranged no better than they are.
    assert found.shuffled == 0 and found.telling is (True if expected == "supported" else None)


@pytest.mark.parametrize(("apart", "expected"), [(5.0, "supported"), (-2.0, "contradicted"), (1.0, "undecided")])
def test_a_preference_is_judged_by_stimuli_and_not_by_photos(apart: float, expected: str) -> None:
    measured = evidence(_drive(SHARES, held_out=False), responses=_disks_first(apart))
    found = _one({"prefers": {"disk": {}, "over": {"bar": {}}}}, measured)
    disks, bars = (measured.tuning.responses[:, 0][places] for places in (slice(0, 10), slice(10, 22)))
    assert found.verdict == expected and not found.unjudged and found.sample == 22
    assert found.value == pytest.approx(np.mean([disk > bar for disk in disks for bar in bars]))
    assert found.low < found.high


def test_a_preference_takes_8_stimuli_on_each_side() -> None:
    found = _one({"prefers": {"disk": {}, "over": {"ring": {}}}}, evidence(responses=_disks_first(50.0)))
    assert found.value == 1 and found.low < 1
    assert found.verdict == "undecided" and "8 stimuli" in found.unjudged and "10 against 7" in found.sample_of
    nothing = _one({"prefers": {"disk": {"radius": [900, 901]}, "over": {"bar": {}}}}, evidence())
    assert nothing.verdict == "undecided" and math.isnan(nothing.value) and "0 against" in nothing.sample_of


@pytest.mark.parametrize(
    ("middle", "photos", "expected"),
    [(0.8, 20, "supported"), (0.2, 20, "contradicted"), (0.5, 20, "undecided"), (0.8, 15, "undecided")],
)
def test_an_invariance_takes_16_photos(middle: float, photos: int, expected: str) -> None:
    values = np.append(np.random.default_rng(3).uniform(middle - 0.1, middle + 0.1, photos), [np.nan, np.nan])
    found = _one({"invariant_to": "hue"}, evidence(invariances=values))
    interval = median(values)
    assert found.verdict == expected and found.sample == photos
    assert (found.value, found.low, found.high) == (interval.value, interval.low, interval.high)
    assert ("16 held-out photos" in found.unjudged) == (photos < 16)
    # The shuffled units' patches aren't measured.
    assert found.control == 0.25 and found.shuffled is None and found.telling is None


@pytest.mark.parametrize("expected", [True, False])
def test_groups_of_examples_are_shown_and_not_judged(expected: bool) -> None:
    found = _one({"polysemantic": expected}, evidence())
    assert found.verdict == "undecided" and found.unjudged and found.value == pytest.approx(0.9)
    assert found.control == 0.2 and found.telling is None


@pytest.mark.parametrize(
    ("correlation", "error", "expected"),
    [(0.8, 0.05, "supported"), (0.4, 0.05, "contradicted"), (0.6, 0.3, "undecided")],
)
def test_inputs_are_enough_by_their_correlation(correlation: float, error: float, expected: str) -> None:
    claim = {"sufficient": {"inputs": "top2", "correlation": 0.6}}
    found = _one(claim, evidence(correlation=correlation, error=error))
    reach = t.ppf(0.975, PHOTOS - 1) * error
    assert found.verdict == expected and found.value == correlation
    assert found.low == pytest.approx(math.tanh(math.atanh(correlation) - reach))
    assert found.high == pytest.approx(math.tanh(math.atanh(correlation) + reach))
    assert found.control == 0.2 and "900" in claim_report(found, _circuit()).sample.text


@pytest.mark.parametrize("sharing", [0, 1, 2, 19])
def test_a_claim_is_telling_where_at_most_1_of_19_shuffled_units_shares_it(sharing: int) -> None:
    strong, weak = _drive(SHARES), _drive([0.01, 0.5, 0.5, 0.5, 0.5, 0.5])
    draws = [strong] * sharing + [weak] * (SHUFFLES - sharing)
    of_draws = [0.95] * sharing + [0.1] * (SHUFFLES - sharing)
    shuffled = _disks_first(0.0, SHUFFLES)
    shuffled[:, :sharing] = _disks_first(9.0, sharing)
    measured = evidence(strong, draws, 0.95, of_draws, responses=_disks_first(9.0), shuffled=shuffled)
    claims = [
        {"excites": 0},
        {"sufficient": {"inputs": 2, "correlation": 0.7}},
        {"prefers": {"disk": {}, "over": {"bar": {}}}},
    ]
    for found in check([ClaimSection.model_validate(claim) for claim in claims], _circuit(), measured):
        assert found.verdict == "supported"
        assert found.shuffled == sharing and found.telling is (sharing <= 1)


def test_only_what_is_supported_can_be_telling() -> None:
    found = _one({"inhibits": 0}, evidence())
    assert found.verdict == "contradicted" and found.telling is None and found.shuffled is not None


def test_several_claims_are_corrected_for_their_number() -> None:
    """Spread so wide that the share is over 5 % with an interval of 95 %, and not with one of 99 %."""
    drive = next(
        drive
        for spread in np.linspace(0.1, 2, 400)
        if _interval((drive := _drive(SHARES, spread)).contributions[:, 0], drive.contributions.sum(axis=1))[1] > 0.05
        and _interval(drive.contributions[:, 0], drive.contributions.sum(axis=1), 0.99)[1] < 0.05
    )
    first = {"excites": 0}
    alone = _one(first, evidence(drive))
    assert alone.verdict == "supported" and alone.holds_corrected
    five = [ClaimSection.model_validate(claim) for claim in [first, *[{"inhibits": 0}] * 3, {"polysemantic": True}]]
    found = check(five, _circuit(), evidence(drive))
    assert found[0].verdict == "supported" and not found[0].holds_corrected
    assert (found[0].low, found[0].high) == (alone.low, alone.high)
    assert found[-1].holds_corrected
    tally = claims_tally(found)
    assert tally and (tally.claims.value, tally.supported.value, tally.corrected.value) == (5, 1, 0)
    clear = check(five, _circuit(), evidence())
    assert clear[0].holds_corrected and claims_tally(clear).corrected.value == 1


@pytest.mark.parametrize(
    "claim",
    [
        {"excites": 0},
        {"inhibits": 1},
        {"stands_out": 0},
        {"arranged": True},
        {"arranged": 0},
        {"invariant_to": "hue"},
        {"sufficient": {"inputs": 2, "correlation": 0.5}},
    ],
)
def test_with_too_few_photos_nothing_that_photos_say_is_judged(claim: dict[str, Any]) -> None:
    invariances = np.full(20, 0.9)
    assert _one(claim, evidence(invariances=invariances)).verdict == "supported"
    found = _one(claim, evidence(_drive(SHARES, held_out=False), invariances=invariances))
    assert found.verdict == "undecided" and found.low > found.threshold - 1
    assert "8 held-out photos" in found.unjudged and "12 photos" in found.unjudged
    assert found.telling is None and found.holds_corrected


def test_the_tally_counts_each_verdict() -> None:
    claims = [{"excites": 0}, {"excites": 1}, {"stands_out": 0}, {"polysemantic": False}, {"excites": "below:0"}]
    draws = [_drive(SHARES)] * 5 + [_drive([0.01, 0.5, 0.5, 0.5, 0.5, 0.5])] * (SHUFFLES - 5)
    found = check([ClaimSection.model_validate(claim) for claim in claims], _circuit(), evidence(draws=draws))
    tally = claims_tally(found)
    assert tally and [tally.supported.value, tally.contradicted.value, tally.undecided.value] == [3, 1, 1]
    assert tally.telling.value == 0 and tally.corrected.value == 3 and tally.claims.value == 5
    assert claims_tally(()) is None


def test_an_input_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="expected 0 to 5"):
        check([ClaimSection(excites=99)], _circuit(), evidence())
    with pytest.raises(ValueError, match="expected 1 to 6"):
        check([ClaimSection.model_validate({"sufficient": {"inputs": 7, "correlation": 0.5}})], _circuit(), evidence())
