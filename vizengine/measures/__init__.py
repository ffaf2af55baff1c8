"""What is measured of a unit: one module a measurement, in the order of the page.

To add one: its module here, with a `Measure`; its panel in `templates/measures/`; its test; its line in `MEASURES`.
"""

from __future__ import annotations

from vizengine.measures.ablations import ABLATIONS
from vizengine.measures.classification import CLASSIFICATION
from vizengine.measures.contributions import CONTRIBUTIONS, FIELDS
from vizengine.measures.downstream import DOWNSTREAM
from vizengine.measures.examples import EXAMPLES
from vizengine.measures.expanded import EXPANDED
from vizengine.measures.factors import FACTOR_BEST, FACTORS
from vizengine.measures.faithfulness import FAITHFULNESS
from vizengine.measures.measure import Measure
from vizengine.measures.polysemanticity import CLUSTERED, POLYSEMANTICITY
from vizengine.measures.ranks import RANKS
from vizengine.measures.readings import READINGS
from vizengine.measures.terms import TERMS
from vizengine.measures.tuning import TUNING

MEASURES: tuple[Measure, ...] = (
    EXAMPLES,
    TERMS,
    EXPANDED,
    READINGS,
    FIELDS,
    CONTRIBUTIONS,
    ABLATIONS,
    RANKS,
    FAITHFULNESS,
    TUNING,
    POLYSEMANTICITY,
    CLUSTERED,
    FACTORS,
    FACTOR_BEST,
    DOWNSTREAM,
    CLASSIFICATION,
)
