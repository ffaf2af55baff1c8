"""What is measured of a unit: one module a measurement, in the order of the page.

To add one: its module here, with a `Measure`; its panel in `templates/measures/`; its test; its name in this list.
"""

from __future__ import annotations

from importlib import import_module

from vizengine.measures.measure import Measure

NAMES = (
    "examples",
    "terms",
    "expanded",
    "readings",
    "contributions",
    "ablations",
    "ranks",
    "faithfulness",
    "shuffled",
    "tuning",
    "polysemanticity",
    "factors",
    "downstream",
    "classification",
)
MEASURES: tuple[Measure, ...] = tuple(
    value
    for name in NAMES
    for value in vars(import_module(f"{__name__}.{name}")).values()
    if isinstance(value, Measure)
)
