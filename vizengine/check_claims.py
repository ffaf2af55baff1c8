"""What can be wrong with a claim beyond its form: an input or a stimulus that isn't there."""

from __future__ import annotations

from collections.abc import Iterator

from vizengine.config.schema import CircuitSection
from vizengine.evidence.claim_model import Claim, Drives, Prefers, StimulusSet, Sufficient, read_claim
from vizengine.evidence.stimuli import battery
from vizengine.networks.architecture import Architecture

Finding = tuple[tuple[str | int, ...], str]


def check_claims(section: CircuitSection, architecture: Architecture) -> Iterator[Finding]:
    """Problems of a circuit's claims, each with its path inside the section.

    Args:
        section: one whose layer exists.
        architecture: the network.
    """
    for place, each in enumerate(section.hypothesis.claims):
        for message in _problems(read_claim(each.model_dump()), section, architecture):
            yield ("hypothesis", "claims", place), message


def _problems(claim: Claim, section: CircuitSection, architecture: Architecture) -> Iterator[str]:
    layer = section.unit.layer
    labels = [source.label for source in architecture.source_channels(layer)]
    if isinstance(claim, Drives) and claim.input not in labels and claim.input not in range(len(labels)):
        yield (
            f"unit {layer}:{section.unit.index} has no input {claim.input}; expected 0 to {len(labels) - 1} "
            f"or a label as `{labels[0]}`"
        )
    if isinstance(claim, Sufficient) and claim.inputs > len(labels):
        yield f"the unit has no {claim.inputs} inputs; expected at most {len(labels)}"
    if isinstance(claim, Prefers):
        for stimuli in (claim.preferred, claim.over):
            yield from _undrawn(stimuli, architecture.receptive_field(layer).size)


def _undrawn(stimuli: StimulusSet, size: int) -> Iterator[str]:
    """A message where no drawn stimulus is in the set."""
    drawn = battery(size)
    if any(stimuli.holds(each) for each in drawn):
        return
    family = [each for each in drawn if each.family == stimuli.family]
    known = []
    for bound in stimuli.ranges:
        values = sorted({getattr(each, bound.name) for each in family} - {None})
        shown = ", ".join(f"{value:.3g}" for value in values) or "none"
        known.append(f"{bound.name} of {shown}")
    chosen = "; ".join(known) or "another polarity"
    yield f"no drawn {stimuli.family} is chosen by these bounds; for this unit's field of {size} px there are {chosen}"
