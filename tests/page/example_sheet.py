"""A contact sheet made up by hand: a sound unit with a page, one without figures or neighbours, one that failed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vizengine.figures.quantities import fixed, percent, whole
from vizengine.layers.figures import Column
from vizengine.layers.views import ContactSheet, SheetEntry


def _columns() -> tuple[Column, ...]:
    words, nan = ("How far.", "max", "8 photos"), math.nan
    strength, hue = np.array([5.25, 4, nan]), np.array([0.25, nan, nan])
    return (
        Column("strength", "Strength", "strength", *words, "A <bell> curve.", lambda value: fixed(value, 1), strength),
        Column("hue", "Hue", "hue", *words, "Chance.", lambda value: fixed(value, 2), hue, 2 * hue, absent="silent"),
        Column(
            "firing",
            "Fires",
            "fires at",
            *words,
            "None.",
            percent,
            np.array([0.3, 0.6, nan]),
            control_at=percent(0),
        ),
    )


def sheet(layer: str = "a/layer") -> ContactSheet:
    """Three units of a layer of that name."""
    sound = SheetEntry(
        0, "../../site/a%20b/index.html", "", "converged", fixed(12, 1), fixed(8, 1), "Places in photos", whole(2)
    )
    lonely = SheetEntry(1, "", "", "not converged", fixed(3, 1), fixed(8, 1), "Places in photos", whole(1))
    failed = SheetEntry(2, failure="its weights aren't <all> numbers")
    return ContactSheet(
        network="Net <1>",
        layer=layer,
        size=32,
        field=whole(15, "px"),
        photos=whole(8),
        positions=whole(1000),
        shown=whole(3),
        columns=_columns(),
        entries=(replace(sound, neighbours=((1, fixed(0.5, 2)),)), lonely, failed),
        config=f"  - name: x-{{unit}}\n    network: {{model: x}}\n    unit: {{layer: {layer}, index: {{unit}}}}",
        settings="one",
    )
