"""How much of everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvidenceSettings:
    """Bounds of the measurements; the defaults take seconds on two cores.

    Attributes:
        seed: from which all draws derive, at least 0.
        examples: top (and bottom) positions to show and to ablate on.
        per_photo: most of them from one photo.
        quantiles: of the pre-activation, for which examples are shown, each between 0 and 1.
        quantile_examples: examples for each quantile.
        sample: positions drawn from all, for quantiles and faithfulness.
        cluster_examples: top positions that are clustered.
        cluster_per_photo: most of them from one photo.
        patches: top patches that are turned, scaled, tinted, inverted, blurred and shifted.
        downstream_photos: photos, those that drive the unit most, on which it's zeroed for the classifier.
        control_draws: random draws of the ablation's control.
        random_orders: random orders of inputs, the control of faithfulness.
        factors: most factors of the weights.
    """

    seed: int = 0
    examples: int = 24
    per_photo: int = 3
    quantiles: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    quantile_examples: int = 6
    sample: int = 8192
    cluster_examples: int = 96
    cluster_per_photo: int = 12
    patches: int = 8
    downstream_photos: int = 32
    control_draws: int = 32
    random_orders: int = 8
    factors: int = 3
