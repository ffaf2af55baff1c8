"""A contact sheet made up by hand: a sound unit with a page, one without figures or neighbours, one that failed."""

from __future__ import annotations

from vizengine.figures.quantities import fixed, percent, whole
from vizengine.layers.views import Column, ContactSheet, Figure, Neighbour, SheetEntry

COLUMNS = (
    Column(
        "strength", "Strength", "strength", "How far.", "max", "8 photos", "A <bell> curve.", control_at=fixed(3, 1)
    ),
    Column("hue", "Hue", "hue", "Which hue.", "|Σ|", "72 stimuli", "Chance.", "silent", median=fixed(0.25, 2)),
    Column("firing", "Fires", "fires at", "How often.", "share", "8 photos", "Half.", high=60.0),
)


def sheet(layer: str = "a/layer") -> ContactSheet:
    """Three units of a layer of that name."""
    figures = (Figure(fixed(5.25, 1)), Figure(fixed(0.25, 2), fixed(0.5, 2)), Figure(percent(0.3)))
    silent = (Figure(fixed(4, 1)), Figure(None), Figure(percent(0.6)))
    sound = SheetEntry(
        0,
        "pictures/0.jpg",
        "converged",
        fixed(12, 1),
        fixed(8, 1),
        "examples/0.webp",
        "Places in photos",
        "../../site/a%20b/index.html",
        figures,
        whole(2),
        (Neighbour(1, fixed(0.5, 2)),),
    )
    lonely = SheetEntry(
        1,
        "pictures/1.jpg",
        "not converged",
        fixed(3, 1),
        fixed(8, 1),
        "examples/1.webp",
        "Places in photos",
        "",
        silent,
        whole(1),
        (),
    )
    failed = SheetEntry(2, "", "", None, None, "", "", "", (), None, (), "its weights aren't <all> numbers")
    config = f"  - name: x-{{unit}}\n    network: {{model: x}}\n    unit: {{layer: {layer}, index: {{unit}}}}"
    return ContactSheet(
        "Net <1>", layer, 32, whole(15, "px"), whole(8), whole(1000), COLUMNS, (sound, lonely, failed), config, "one"
    )
