"""One circuit as Python sees it: what every stage gave, as arrays, with the page made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.branches import Branch
from vizengine.circuit.model import Circuit, InputChannel
from vizengine.circuit.outputs import Readings
from vizengine.config.schema import SiteSection
from vizengine.evidence.claims import Checked, find_input
from vizengine.evidence.expanded_model import Expanded
from vizengine.evidence.model import Classification
from vizengine.evidence.results import Evidence
from vizengine.featurevis.model import UnitStudy, Visualization
from vizengine.networks.model import NetworkDescription
from vizengine.render.page import render_circuit, render_frame
from vizengine.report.model import Report, SiteReport


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """All that was computed of one circuit, each part as its stage gave it.

    In a notebook an analysis at the end of a cell shows its page. An analysis is equal to itself only.

    Attributes:
        circuit: the unit with its kernel, slice by slice: norms, signs, ranks.
        pictures: by (layer, channel) of the unit, its siblings and its strongest inputs; `image` of each is
            (height, width, 3) uint8, RGB.
        study: further pictures of the unit: what it is most against, other seeds, variants, the film.
        evidence: what the unit does on photos: examples, contributions, ranks, ablations, faithfulness, effect on the
            classifier, tuning, clusters, groups of inputs.
        groups: a picture of each group of inputs in `evidence.factors`, in that order.
        expanded: the unit's weights to earlier layers, through the network made linear and on its top examples.
        readings: the later units that read the unit.
        inner: the strongest inputs as units, where the config says `depth: 2`.
        claims: what the evidence says of the author's claims, in the config's order.
        classification: what the network calls the photos, or why that isn't known.
        network: the network, its weights and the layers from the image to the unit.
        report: every number and picture of the page as it is printed; `circuit.json` is this.
        site: the site's texts, for the page.
    """

    circuit: Circuit
    pictures: Mapping[tuple[str, int], Visualization]
    study: UnitStudy
    evidence: Evidence
    groups: tuple[Visualization, ...]
    expanded: Expanded
    readings: Readings
    inner: tuple[Branch, ...]
    claims: tuple[Checked, ...]
    classification: Classification
    network: NetworkDescription
    report: Report
    site: SiteReport

    @property
    def name(self) -> str:
        """The circuit's name in the config."""
        return self.report.name

    @property
    def title(self) -> str:
        """The page's heading."""
        return self.report.title

    @property
    def unit(self) -> Visualization:
        """The unit's feature visualization with its verdict."""
        return self.pictures[self.circuit.layer, self.circuit.unit]

    @property
    def unit_picture(self) -> NDArray[np.uint8]:
        """The unit's picture, (height, width, 3), RGB."""
        return self.unit.image

    @property
    def inputs(self) -> tuple[InputChannel, ...]:
        """Every input channel, largest L2 norm first."""
        return self.circuit.ranked

    def input(self, channel: int | str) -> InputChannel:
        """One input channel.

        Args:
            channel: its index on the kernel's input axis, or its label, for example `fire2/squeeze1x1:3`.

        Raises:
            ValueError: the unit has no such input.
        """
        return self.circuit.inputs[find_input(self.circuit, channel)]

    def kernel(self, channel: int | str) -> NDArray[np.float32]:
        """The slice through which the unit reads an input, (height, width), pre-activation per unit of input.

        Args:
            channel: as for `input`.

        Raises:
            ValueError: the unit has no such input.
        """
        return self.input(channel).kernel

    def picture(self, channel: int | str) -> NDArray[np.uint8]:
        """The picture of one of the strongest inputs, (height, width, 3), RGB.

        Args:
            channel: as for `input`.

        Raises:
            ValueError: the unit has no such input, or it isn't among the strongest, which alone have pictures.
        """
        wanted = self.input(channel)
        found = self.pictures.get((wanted.source_layer, wanted.source_channel))
        if found is None:
            raise ValueError(
                f"input {wanted.label} is number {wanted.rank} by norm, and the first {len(self.circuit.strongest)} "
                f"have pictures; expected one of {', '.join(each.label for each in self.circuit.strongest)}, or "
                f"`inputs: {wanted.rank}` in the circuit's section of the config"
            )
        return found.image

    def page(self) -> str:
        """The circuit's page, HTML in one piece that loads nothing from elsewhere."""
        return render_circuit(self.report, self.site)

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks."""
        return render_frame(self.title, self.page())

    def __repr__(self) -> str:
        unit, strongest = self.unit, self.circuit.strongest[0]
        verdict = "converged" if unit.converged else "not converged"
        height, width, _ = unit.image.shape
        return (
            f"<Analysis {self.name}: {self.network.title}, {self.circuit.layer}, unit {self.circuit.unit}; "
            f"picture {width} × {height} px, {verdict}; "
            f"{len(self.inputs)} inputs, first {strongest.label} ({strongest.sign}); "
            f"{len(self.claims)} {'claim' if len(self.claims) == 1 else 'claims'}>"
        )


def site_of_one(section: SiteSection, report: Report, alone: bool) -> SiteReport:
    """A site with one page, which is cited by the address that it has on the whole site.

    Args:
        section: the site's section of the config.
        report: the page.
        alone: whether the config has this circuit only.
    """
    url = (section.url or "").rstrip("/")
    return SiteReport(
        title=section.title,
        description=section.description,
        author=section.author,
        url=f"{url}/{report.name}/" if url and not alone else url,
        language=section.language,
        circuits=(report,),
    )
