"""The stages of one circuit, each taken from the cache where it is there."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from vizengine import __version__
from vizengine.analysis import Analysis, site_of_one
from vizengine.cache import Cache, source_hash
from vizengine.circuit import strength
from vizengine.circuit.branches import Branch, branches
from vizengine.circuit.model import Circuit
from vizengine.circuit.outputs import Readings, readings
from vizengine.config.schema import CircuitSection, Config
from vizengine.evidence_stages import EvidenceStages
from vizengine.featurevis.model import Visualization
from vizengine.networks.describe import describe
from vizengine.networks.model import NetworkDescription
from vizengine.networks.source import open_source
from vizengine.picture_stages import PictureStages
from vizengine.progress import Progress
from vizengine.report.build import Measured, build
from vizengine.report.model import Report
from vizengine.resources import LIBRARIES, Resources

logger = logging.getLogger(__name__)


class CircuitRun:
    """One circuit on its way from config to report.

    Args:
        config: the whole config, for its folder.
        section: the circuit's section.
        cache: where results are kept.
        progress: shown to the user.
        may_compute: whether a result that isn't cached may be computed.
    """

    def __init__(
        self, config: Config, section: CircuitSection, cache: Cache, progress: Progress, may_compute: bool = True
    ) -> None:
        self._site = config.site
        self.section = section
        self.is_only_circuit = len(config.circuits) == 1
        source = open_source(section.network, (section.unit.layer,), config.folder, cache)
        self._have = Resources(section, source, config.folder, cache, may_compute)
        self._evidence = EvidenceStages(section, self._have, progress)
        self._pictures = PictureStages(section, self._have, self._evidence, progress)

    @property
    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds by stage that was computed in this run."""
        return self._have.seconds

    @property
    def title(self) -> str:
        """The circuit's title, or one made from network and unit."""
        unit = self.section.unit
        return self.section.title or f"{self._have.source.structure.title} {unit.layer} unit {unit.index}"

    def report(self) -> Report:
        """The circuit's report; what `analysis` raises, this raises too."""
        return self.analysis().report

    def analysis(self) -> Analysis:
        """All that was computed of the circuit, and its report.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't cached and may not be computed.
        """
        circuit = self._circuit(self.section.unit.layer, self.section.unit.index, self.section.inputs)
        inner = self._inner(circuit)
        pictures: dict[tuple[str, int], Visualization] = {}
        for layer, channels in self._wanted(circuit, inner).items():
            for channel, visualization in self._pictures.of(layer, channels).items():
                pictures[layer, channel] = visualization
        shown = pictures[circuit.layer, circuit.unit]
        study = self._pictures.study(shown, [pictures[circuit.layer, sibling] for sibling in self.section.siblings])
        description = self._description()
        classification = self._evidence.classification(description.has_classifier)
        evidence = self._evidence.measure(circuit, shown)
        factors = [self._over_the_layer(circuit, each.channels) for each in evidence.factors.factors]
        groups = self._pictures.of_groups(circuit.layer, factors, evidence.factor_best)
        claims = self._evidence.claims(circuit, evidence)
        expanded = self._evidence.expanded(circuit, evidence)
        outputs = self._readings()
        measured = Measured(evidence, claims, groups, expanded, outputs, inner)
        code = source_hash("networks", "circuit", "featurevis", "evidence")
        report = build(
            self.section, description, classification, circuit, pictures, study, measured, self._versions(), code
        )
        return Analysis(
            circuit=circuit,
            pictures=pictures,
            study=study,
            evidence=evidence,
            groups=groups,
            expanded=expanded,
            readings=outputs,
            inner=inner,
            claims=claims,
            classification=classification,
            network=description,
            report=report,
            site=site_of_one(self._site, report, self.is_only_circuit),
        )

    def _inner(self, circuit: Circuit) -> tuple[Branch, ...]:
        """The strongest inputs as units, where the section asks for them."""
        if self.section.depth == 1:
            return ()
        return branches(self._have.source.architecture, circuit, self._circuit)

    def _wanted(self, circuit: Circuit, inner: Sequence[Branch]) -> Mapping[str, tuple[int, ...]]:
        """The channels that need a picture, by layer: the inputs first, then the unit and its siblings."""
        wanted: dict[str, list[int]] = {}
        further = [branch.circuit for branch in inner if branch.circuit is not None]
        for each in (*further, circuit):
            for channel in each.strongest:
                wanted.setdefault(channel.source_layer, []).append(channel.source_channel)
        wanted.setdefault(circuit.layer, []).extend([circuit.unit, *self.section.siblings])
        return {layer: tuple(sorted(set(channels))) for layer, channels in wanted.items()}

    def _over_the_layer(self, circuit: Circuit, group: NDArray[np.floating]) -> NDArray[np.floating]:
        """Weights of the unit's inputs as weights of all channels that its layer reads; 0 for other groups."""
        architecture = self._have.source.architecture
        whole = np.zeros(architecture.channels(architecture.layer(circuit.layer).inputs[0]), group.dtype)
        whole[architecture.reads(circuit.layer, circuit.unit)] = group
        return whole

    def _description(self) -> NetworkDescription:
        unit = self.section.unit
        key = {
            "layer": unit.layer,
            "unit": unit.index,
            "origin": self._have.source.identity.origin,
            "file": self._have.source.identity.name,
        }
        return self._have.stage(
            "network",
            ("networks",),
            key,
            NetworkDescription,
            lambda: describe(self._have.source, unit.layer, unit.index),
        )

    def _circuit(self, layer: str, unit: int, inputs: int) -> Circuit:
        sources = self._have.source.architecture.source_channels(layer, unit)

        def compute() -> Circuit:
            kernel, bias = self._have.source.kernel_and_bias(layer)
            return strength.analyse(layer, unit, kernel, bias, sources, inputs)

        key = {"layer": layer, "unit": unit, "inputs": inputs}
        return self._have.stage("circuit", ("circuit", "networks"), key, Circuit, compute)

    def _readings(self) -> Readings:
        """The later units that read the unit."""
        unit, source = self.section.unit, self._have.source

        def kernel_of(layer: str) -> NDArray[np.float32] | None:
            return source.kernel_and_bias(layer)[0] if source.has(layer) else None

        key = {"layer": unit.layer, "unit": unit.index}
        return self._have.stage(
            "readings",
            ("circuit", "networks"),
            key,
            Readings,
            lambda: readings(source.architecture, unit.layer, unit.index, kernel_of),
        )

    def _versions(self) -> dict[str, str]:
        return {
            "vizengine": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        }
