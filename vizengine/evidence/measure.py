"""All evidence of one circuit, with each photo through the network once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.factors import factorise
from vizengine.circuit.model import Circuit
from vizengine.evidence.ablation import ablate, mean_contributions
from vizengine.evidence.contributions import largest_first, summarise
from vizengine.evidence.downstream import downstream
from vizengine.evidence.downstream_model import Downstream
from vizengine.evidence.examples import Examples, cut_examples, describe_examples, near_quantile
from vizengine.evidence.faithfulness import faithfulness
from vizengine.evidence.forward import Forward
from vizengine.evidence.photos import Photo
from vizengine.evidence.polysemanticity import cluster
from vizengine.evidence.positions import Positions
from vizengine.evidence.ranks import rank
from vizengine.evidence.results import Evidence
from vizengine.evidence.settings import EvidenceSettings
from vizengine.evidence.stream import Remember, Streamed, stream
from vizengine.evidence.sums import Term
from vizengine.evidence.tuning import tune
from vizengine.networks.network import Network

# Calls of `advance` besides one for each photo: the arithmetic, the tuning, the classifier.
OTHER_STEPS = 3
_SHOWN_OF_CLUSTER = 6


def measure(
    network: Network,
    circuit: Circuit,
    photos: Sequence[Photo],
    visualization_image: NDArray[np.uint8],
    settings: EvidenceSettings,
    advance: Callable[[int], None] = lambda count: None,
    remember: Remember = lambda photo, rate, compute: compute(),
) -> Evidence:
    """Measure a unit.

    Args:
        network: one with all weights up to the unit; with all others too, the effect on the classifier is measured.
        circuit: the unit; its strongest inputs are measured with it.
        photos: readable ones, at least one.
        visualization_image: (height, width, 3) uint8, the unit's feature visualization.
        settings: how much.
        advance: called with 1 after each photo and after each of `OTHER_STEPS` steps.
        remember: as for `stream`.

    Raises:
        ValueError: there are no photos.
    """
    forward = Forward(network, circuit)
    factors = factorise(circuit, settings.factors, settings.seed)
    directions = np.array([each.channels for each in factors.factors]).reshape(-1, len(circuit.inputs)).T
    streamed = stream(forward, photos, settings, directions, advance, remember)
    architecture, layer = network.architecture, circuit.layer
    strongest = np.array([channel.index for channel in circuit.strongest], np.int64)
    norms = np.array([channel.norm for channel in circuit.inputs])
    top, sample = streamed.top, streamed.sample
    contributions = summarise(
        forward.bias,
        top.pre,
        top.contributions,
        strongest,
        streamed.contribution_mean,
        streamed.contribution_size,
        sample,
    )
    picture = forward.one(visualization_image.astype(np.float32) / 255.0).unit_map
    every = picture.at(np.arange(picture.pre.size))
    draws = settings.control_draws
    ablations = ablate(circuit, forward.kernel, streamed.activation_mean, top, sample, every, settings.seed, draws)
    curves = faithfulness(
        sample.contributions,
        mean_contributions(forward.kernel, streamed.activation_mean, sample.inside),
        sample.photo,
        np.array([channel.index for channel in circuit.ranked], np.int64),
        largest_first(streamed.contribution_size),
        circuit.top,
        settings.seed,
        settings.random_orders,
    )
    groups = cluster(streamed.many.contributions, settings.seed)
    clustered = tuple(
        cut_examples(architecture, layer, photos, streamed.many.take(np.array(each.members[:_SHOWN_OF_CLUSTER])))
        for each in groups.clusters
    )
    examples = _examples(network, circuit, photos, streamed, settings)
    advance(1)
    mean = np.array([streamed.distribution.mean, *streamed.maker_mean])
    deviation = np.array([streamed.distribution.deviation, *streamed.maker_deviation])
    tuning = tune(forward, mean, deviation, photos, examples.top[: settings.patches])
    advance(1)
    effect = _downstream(network, circuit, photos, streamed.peaks)
    advance(1)
    return Evidence(
        examples=examples,
        fields=top.fields,
        contributions=contributions,
        ranks=rank(norms, streamed.contribution_size, contributions.mean, circuit.top),
        terms=_terms(forward, streamed),
        ablations=ablations,
        faithfulness=curves,
        downstream=effect,
        tuning=tuning,
        polysemanticity=groups,
        clustered=clustered,
        factors=factors,
        factor_best=tuple((value, photos[index].name) for value, index in streamed.group_best),
    )


def _terms(forward: Forward, streamed: Streamed) -> tuple[tuple[Term, ...], ...]:
    found: list[tuple[Term, ...]] = [()] * len(forward.channels)
    for addition, terms in zip(forward.additions, streamed.terms, strict=True):
        found[addition.place] = terms.terms(addition.labels)
    return tuple(found)


def _examples(
    network: Network, circuit: Circuit, photos: Sequence[Photo], streamed: Streamed, settings: EvidenceSettings
) -> Examples:
    rows: list[tuple[float, float, Positions]] = []
    for quantile in settings.quantiles:
        value, chosen = near_quantile(streamed.sample, quantile, settings.quantile_examples)
        rows.append((quantile, value, streamed.sample.take(chosen)))
    return describe_examples(
        network.architecture,
        circuit.layer,
        photos,
        streamed.top,
        streamed.bottom,
        rows,
        streamed.distribution,
        streamed.maps,
    )


def _downstream(network: Network, circuit: Circuit, photos: Sequence[Photo], peaks: Positions) -> Downstream | None:
    chosen = [photos[index] for index in peaks.photo.tolist()]
    return downstream(network, circuit.layer, circuit.unit, chosen, network.labels)
