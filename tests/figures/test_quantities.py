from __future__ import annotations

import pytest

from vizengine.figures.quantities import decimals, fixed, percent, significant, whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (556.4, "556"),
        (1578.4, "1,578"),
        (0.2673, "0.267"),
        (-0.00123, "−0.00123"),
        (12.345, "12.3"),
        (1.7, "1.70"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert significant(value).text == text
    assert significant(value).value == value


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0"),
        (1.0, "100.0"),
        (0.336734, "33.7"),
        (0.0004, "0.04"),
        (0.00001, "0.001"),
        (1e-9, "< 0.001"),
        (0.9999999, "> 99.999"),
    ],
)
def test_percent_is_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert (percent(share).text, percent(share).unit) == (text, "%")
    assert percent(share).value == pytest.approx(100 * share)


def test_zero_has_no_sign() -> None:
    assert fixed(-0.0001, 2).text == "0.00"


def test_a_column_shares_its_decimals() -> None:
    assert decimals([0.01, -0.5, 0.2]) == 4
    assert decimals([1234.0]) == 0
    assert decimals([]) == decimals([0.0]) == 0


def test_whole_numbers_and_units() -> None:
    assert whole(143667240).text == "143,667,240"
    assert whole(40, "px").shown == "40\N{NO-BREAK SPACE}px"
    assert percent(0.5).shown == "50.0%"
