"""Intervals by photo against loops that leave out one photo after the other, tables, and simulated photos."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vizengine.measures.by_photo import Drive, Interval, correlations, jackknife_error, median, share

# Student's t for 11 degrees of freedom at 97.5 % and at 99.5 %, from a table.
T_11, T_11_STRICT = 2.20099, 3.10581


def _error(without: list[float]) -> float:
    """The jackknife's standard error by its definition."""
    middle = sum(without) / len(without)
    return math.sqrt((len(without) - 1) / len(without) * sum((value - middle) ** 2 for value in without))


def _sums(photos: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.array([[len(x), x.sum(), (x**2).sum(), y.sum(), (y**2).sum(), (x * y).sum()] for x, y in photos])


def _photos(count: int, seed: int, positions: int = 40) -> list[tuple[np.ndarray, np.ndarray]]:
    """Photos whose positions are alike, of different sizes."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        x = generator.normal(generator.normal(), 1, int(generator.integers(positions // 2, positions)))
        made.append((x, x * generator.normal(1, 0.3) + generator.normal(0, 0.8, len(x))))
    return made


def test_a_share_leaves_out_one_photo_after_the_other() -> None:
    generator = np.random.default_rng(0)
    wholes = generator.gamma(4, 2, 12)
    parts = wholes * generator.normal(0.4, 0.1, 12)
    without = [np.delete(parts, place).sum() / np.delete(wholes, place).sum() for place in range(12)]
    found = share(parts, wholes)
    assert found.value == pytest.approx(parts.sum() / wholes.sum()) and found.photos == 12
    assert found.value - found.low == pytest.approx(T_11 * _error(without), rel=1e-4)
    assert found.high - found.value == pytest.approx(T_11 * _error(without), rel=1e-4)
    strict = share(parts, wholes, 0.99)
    assert strict.value - strict.low == pytest.approx(T_11_STRICT * _error(without), rel=1e-4)
    np.testing.assert_allclose(jackknife_error(np.stack([without, without], axis=1)), [_error(without)] * 2)


def test_the_share_of_a_mean_has_students_interval() -> None:
    """Over photos that all count 1, the jackknife of a mean is its standard error."""
    values = np.random.default_rng(1).normal(3, 2, 12)
    found = share(values, np.ones(12))
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.value == pytest.approx(T_11 * values.std(ddof=1) / math.sqrt(12), rel=1e-4)


def test_95_percent_of_the_intervals_of_a_share_hold_the_truth() -> None:
    generator = np.random.default_rng(2)
    hits = 0
    for _ in range(2000):
        wholes = generator.gamma(3, 2, 20)
        found = share(wholes * 0.3 + generator.normal(0, 0.5, 20), wholes)
        hits += found.low <= 0.3 <= found.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)


def test_a_drive_adds_up_over_photos_alike() -> None:
    """Groups of several photos count as many times; the sign of a share is that of the contribution."""
    generator = np.random.default_rng(3)
    by_photo = generator.normal([2.0, -1.0, 0.5], 0.3, (24, 3))
    grouped = Drive(np.full(12, 2.0), by_photo.reshape(12, 2, 3).sum(axis=1), True)
    np.testing.assert_allclose(grouped.mean, by_photo.mean(axis=0))
    drive = by_photo.sum(axis=1)
    for channels in ((0,), (1,), (0, 2), (0, 1, 2)):
        part = by_photo[:, channels].sum(axis=1)
        assert grouped.contribution(*channels).value == pytest.approx(part.mean())
        assert grouped.share(*channels).value == pytest.approx(part.sum() / drive.sum())
    pairs = by_photo.reshape(12, 2, 3).sum(axis=1)
    without = [np.delete(pairs[:, 1], place).sum() / np.delete(pairs.sum(1), place).sum() for place in range(12)]
    found = grouped.share(1)
    assert found.high - found.value == pytest.approx(T_11 * _error(without), rel=1e-4)
    # Where the inputs hold the unit down even where it is strongest, an input that does so doesn't excite.
    down = Drive(np.ones(24), -by_photo, True)
    assert down.share(0).value == pytest.approx(-by_photo[:, 0].sum() / drive.sum())
    assert down.share(0).high < 0 < down.share(1).low


def test_a_correlation_leaves_out_one_photo_after_the_other() -> None:
    photos = _photos(12, 4)
    x, y = (np.concatenate(values) for values in zip(*photos, strict=True))
    without = []
    for place in range(12):
        rest = [photo for number, photo in enumerate(photos) if number != place]
        pooled = [np.concatenate(values) for values in zip(*rest, strict=True)]
        without.append(math.atanh(np.corrcoef(*pooled)[0, 1]))
    found = correlations(_sums(photos)).interval()
    value = np.corrcoef(x, y)[0, 1]
    assert found.value == pytest.approx(value) and found.photos == 12
    assert found.low == pytest.approx(math.tanh(math.atanh(value) - T_11 * _error(without)), rel=1e-4)
    assert found.high == pytest.approx(math.tanh(math.atanh(value) + T_11 * _error(without)), rel=1e-4)
    strict = correlations(_sums(photos)).interval(level=0.99)
    assert strict.high == pytest.approx(math.tanh(math.atanh(value) + T_11_STRICT * _error(without)), rel=1e-4)


def test_many_correlations_at_once_are_those_of_each() -> None:
    photos = [_photos(9, seed) for seed in (5, 6, 7, 8)]
    together = np.stack([_sums(of_one) for of_one in photos], axis=-1).reshape(9, 6, 2, 2)
    found = correlations(together)
    for number, of_one in enumerate(photos):
        alone, place = correlations(_sums(of_one)).interval(), divmod(number, 2)
        beside = found.interval(*place)
        assert (beside.value, beside.low, beside.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_95_percent_of_the_intervals_of_a_correlation_hold_the_truth() -> None:
    everything = correlations(_sums(_photos(20_000, 9))).interval().value
    hits = 0
    for seed in range(600):
        found = correlations(_sums(_photos(24, 1000 + seed))).interval()
        hits += found.low <= everything <= found.high
    assert hits / 600 == pytest.approx(0.95, abs=0.03)


def test_what_follows_exactly_has_a_correlation_of_1_without_doubt() -> None:
    photos = [(x, 2 * x + 1) for x, _ in _photos(8, 10)]
    found = correlations(_sums(photos)).interval()
    assert found.value == pytest.approx(1) and found.low > 0.999 and found.high <= 1
    opposite = correlations(_sums([(x, -y) for x, y in photos])).interval()
    assert opposite.value == pytest.approx(-1) and opposite.high < -0.999 and opposite.low >= -1


def test_what_cannot_be_told_has_the_widest_interval() -> None:
    parts, wholes = np.array([1.0, 2.0]), np.array([4.0, 5.0])
    nothing = share(np.zeros(0), np.zeros(0))
    assert math.isnan(nothing.value) and (nothing.low, nothing.high, nothing.photos) == (-math.inf, math.inf, 0)
    assert share(parts[:1], wholes[:1]) == Interval(0.25, -math.inf, math.inf, 1)
    no_drive = share(parts, np.zeros(2))
    assert math.isnan(no_drive.value) and (no_drive.low, no_drive.high) == (-math.inf, math.inf)
    # Without one photo there is no drive.
    assert share(parts, np.array([4.0, 0.0])).high == math.inf
    alike = share(np.full(8, 3.0), np.full(8, 6.0))
    assert (alike.value, alike.low, alike.high) == (0.5, 0.5, 0.5)
    one = correlations(_sums(_photos(1, 11))).interval()
    assert (one.low, one.high, one.photos) == (-1, 1, 1) and 0 < one.value < 1
    flat = correlations(_sums([(np.full(5, 0.1), np.arange(5.0)) for _ in range(8)])).interval()
    assert math.isnan(flat.value) and (flat.low, flat.high) == (-1, 1)
    # All photos but one are the same everywhere.
    varying = [(np.full(5, 0.1), np.full(5, 0.7))] * 7 + [(np.arange(5.0), np.arange(5.0) ** 2)]
    single = correlations(_sums(varying)).interval()
    assert single.value > 0.5 and (single.low, single.high) == (-1, 1)
    empty = Drive(np.zeros(0), np.zeros((0, 3)), False)
    assert empty.mean.tolist() == [0, 0, 0] and math.isnan(empty.share(1).value)


def test_the_medians_interval_lies_between_order_statistics() -> None:
    # Of six values the ends hold the median with 1 - 2/64, the next ones with 1 - 14/64; 95 % lies a tenth between.
    weight = 5 * 0.1 / (1 + 4 * 0.1)
    found = median(np.array([6.0, 3.0, 1.0, np.nan, 2.0, 5.0, 4.0]))
    assert (found.value, found.photos) == (3.5, 6)
    assert found.low == pytest.approx(1 + weight) and found.high == pytest.approx(6 - weight)
    # Five values hold it with 1 - 2/32 at most, which is under 95 %.
    few = median(np.arange(5.0))
    assert (few.value, few.low, few.high) == (2, -math.inf, math.inf)
    assert median(np.arange(5.0), 0.9).low >= 0
    same = median(np.full(9, 0.4))
    assert (same.value, same.low, same.high) == pytest.approx((0.4, 0.4, 0.4))
    nothing = median(np.full(3, np.nan))
    assert math.isnan(nothing.value) and (nothing.low, nothing.high, nothing.photos) == (-math.inf, math.inf, 0)


@pytest.mark.parametrize("photos", [8, 16, 23])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [("normal", 0.0), ("exponential", math.log(2)), ("uniform", 0.5), ("standard_cauchy", 0.0)],
)
def test_95_percent_of_the_medians_intervals_hold_the_truth(photos: int, draw: str, truth: float) -> None:
    generator = np.random.default_rng(photos)
    draws = [median(getattr(generator, draw)(size=photos)) for _ in range(2500)]
    hits = [found.low <= truth <= found.high for found in draws]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.02)
