"""All evidence of one circuit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.factors import Factors
from vizengine.evidence.ablation import Ablations
from vizengine.evidence.contributions import Contributions
from vizengine.evidence.downstream_model import Downstream
from vizengine.evidence.examples import Example, Examples
from vizengine.evidence.faithfulness import Faithfulness
from vizengine.evidence.polysemanticity import Polysemanticity
from vizengine.evidence.ranks import Ranks
from vizengine.evidence.sums import Term
from vizengine.evidence.tuning_model import Tuning


@dataclass(frozen=True)
class Evidence:
    """What was measured of one unit.

    Attributes:
        examples: dataset examples and the distribution of pre-activations.
        fields: (top examples, height, width, strongest) float32, what the kernel reads of each strongest input at
            the top examples, in their order.
        contributions: of every input channel, on the top examples and over photos.
        ranks: three ways to rank inputs.
        terms: (strongest,) what each strongest input adds up where it is a residual sum, else nothing.
        ablations: of the strongest inputs.
        faithfulness: of the first k inputs.
        downstream: effect on the classifier; None where it isn't at hand.
        tuning: responses to drawn stimuli and changed patches.
        polysemanticity: clusters of top examples.
        clustered: the examples of each cluster, the most strongly driven few, cluster by cluster.
        factors: of the weights.
        factor_best: highest value of each factor's direction at any position of any photo, and the photo's name.
    """

    examples: Examples
    fields: NDArray[np.float32]
    contributions: Contributions
    ranks: Ranks
    terms: tuple[tuple[Term, ...], ...]
    ablations: Ablations
    faithfulness: Faithfulness
    downstream: Downstream | None
    tuning: Tuning
    polysemanticity: Polysemanticity
    clustered: tuple[tuple[Example, ...], ...]
    factors: Factors
    factor_best: tuple[tuple[float, str], ...]
