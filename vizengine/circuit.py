"""All evidence of one circuit."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vizengine import __version__
from vizengine.cache import Cache, Stage, source_hash
from vizengine.config.schema import CircuitSection, Config, SiteSection, SweepSection
from vizengine.errors import BuildFailed
from vizengine.measures import MEASURES
from vizengine.measures.branches import Branch, branches
from vizengine.measures.claims import Checked, check, find_input
from vizengine.measures.classification import Classification
from vizengine.measures.engine import Engine, Evidence, Sources, stage_of
from vizengine.measures.expanded import Expanded, layers_to_expand
from vizengine.measures.extremes import BOUNDS, EXTREMES, Bounds, PhotoExtremes, photo_extremes
from vizengine.measures.inputs import CIRCUIT, Circuit, InputChannel, analyse
from vizengine.measures.photos import Photo
from vizengine.measures.readings import Readings, Slices
from vizengine.measures.stream import PHOTO, EvidenceSettings, PhotoPart
from vizengine.network.model import Network
from vizengine.network.source import DESCRIPTION, NetworkDescription, describe, open_source
from vizengine.output import Progress, Task
from vizengine.page.render import render_circuit, render_frame
from vizengine.page.report import Missing, Report, SiteReport, SweepReport, build
from vizengine.pictures.result import Direction, PhotoBest, Settings, UnitStudy, Visualization
from vizengine.pictures.search import GROUP_PICTURES, PICTURES, Job, visualize
from vizengine.pictures.study import FILM, STABILITY, VARIANTS, Subject, film, stability, variants
from vizengine.stages import LIBRARIES, Resources

Result = TypeVar("Result")


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

        `channel` is as for `input`, and so is what is raised.
        """
        return self.input(channel).kernel

    def picture(self, channel: int | str) -> NDArray[np.uint8]:
        """The picture of one of the strongest inputs, (height, width, 3), RGB; `channel` is as for `input`.

        Raises:
            ValueError: the unit has no such input, or it isn't among the strongest, which alone have pictures.
        """
        wanted = self.input(channel)
        picture = self.pictures.get((wanted.source_layer, wanted.source_channel))
        if picture is None:
            raise ValueError(
                f"input {wanted.label} is number {wanted.rank} by norm, and the first {len(self.circuit.strongest)} "
                f"have pictures; expected one of {', '.join(channel.label for channel in self.circuit.strongest)}, or "
                f"`inputs: {wanted.rank}` in the circuit's section of the config"
            )
        return picture.image

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


def site_report(section: SiteSection, pages: Sequence[Report | Missing | SweepReport], url: str = "") -> SiteReport:
    """What the config says of the site, with some of its pages and their address, where it is known."""
    return SiteReport(
        title=section.title,
        description=section.description,
        author=section.author,
        url=url,
        language=section.language,
        circuits=tuple(pages),
    )


class CircuitPictures:
    """The pictures of one circuit.

    Args:
        section: the circuit's section, or the sweep's.
        resources: its network, photos and cache.
        extremes: how far photos drive each channel of a layer, up and down.
        progress: shown to the user.
    """

    def __init__(
        self,
        section: CircuitSection | SweepSection,
        resources: Resources,
        extremes: Callable[[str], PhotoExtremes],
        progress: Progress,
    ) -> None:
        self._section = section
        self._resources = resources
        self._extremes = extremes
        self._progress = progress
        self._settings = Settings(**section.visualization.model_dump(exclude={"film"}))
        self._settings_key = section.visualization.model_dump(mode="json", exclude={"film"})

    def of(self, layer: str, channels: Iterable[int], direction: Direction = "positive") -> dict[int, Visualization]:
        """The pictures of some channels of a layer.

        Nothing in a picture's key says which others are asked for or for which page: each is found wherever the
        same network, photos and settings want it.
        """
        best = self._best(layer, channels, direction)
        title = f"pictures of {layer}" if direction == "positive" else f"what a unit of {layer} is against"
        job = Job(layer, best, self._settings, direction)
        return self._search(PICTURES, title, job, self._keys(layer, best, direction))

    def of_groups(
        self, layer: str, groups: Sequence[NDArray[np.floating]], best: Sequence[tuple[float, str]]
    ) -> tuple[Visualization, ...]:
        """The pictures of groups of the channels that a layer reads.

        Args:
            layer: the layer.
            groups: each group's weight of every channel.
            best: each group's highest value at any position of any photo, and that photo's name.
        """
        if not groups:
            return ()
        keys = {
            number: {
                "layer": layer,
                "group": number,
                "weights": group.tolist(),
                "best": list(best[number]),
                "settings": self._settings_key,
            }
            for number, group in enumerate(groups)
        }
        wanted = {number: PhotoBest(*group_best) for number, group_best in enumerate(best)}
        job = Job(layer, wanted, self._settings, groups=np.stack(groups, axis=1))
        return tuple(self._search(GROUP_PICTURES, "pictures of groups of inputs", job, keys).values())

    def _search(
        self, stage: Stage[Visualization], title: str, job: Job, keys: Mapping[int, Mapping[str, object]]
    ) -> dict[int, Visualization]:
        """Those pictures of a job that aren't cached are searched for."""

        def compute(missing: list[int], keep: Callable[[int, Visualization], None]) -> None:
            best = {channel: job.best[channel] for channel in missing}
            here = replace(job, best=best, squares=self._squares())
            with self._progress.stage(f"{self._section.name}: {title}", None) as task:
                visualize(self._resources.network, here, lambda picture: keep(picture.channel, picture), task)

        return self._resources.get_or_compute_each(stage, keys, compute)

    def are_kept(self, layer: str, channels: Iterable[int]) -> bool:
        """Whether `of` would find the pictures of all these channels."""
        keys = self._keys(layer, self._best(layer, channels, "positive"), "positive")
        return all(self._resources.contains(PICTURES, key) for key in keys.values())

    def _best(self, layer: str, channels: Iterable[int], direction: Direction) -> dict[int, PhotoBest]:
        extremes = self._extremes(layer)
        find = extremes.best if direction == "positive" else extremes.worst
        best = {channel: PhotoBest(*find(channel)) for channel in channels}
        for channel, photo_best in best.items():
            if not math.isfinite(photo_best.value):
                raise BuildFailed(
                    f"Photos drive {layer}:{channel} to {photo_best.value}; expected a number. The weights of its "
                    "layer, or of one before it, aren't all numbers: name another weights file."
                )
        return best

    def _keys(self, layer: str, best: Mapping[int, PhotoBest], direction: Direction) -> dict[int, dict[str, object]]:
        """What each picture depends on."""
        return {
            channel: {
                "layer": layer,
                "channel": channel,
                "direction": direction,
                "best": [photo_best.value, photo_best.photo],
                "settings": self._settings_key,
            }
            for channel, photo_best in best.items()
        }

    def study(self, picture: Visualization, others: Sequence[Visualization]) -> UnitStudy:
        """More pictures of the unit that `picture` is of; `others` are pictures of other units of its layer."""
        key = {
            "layer": picture.layer,
            "unit": picture.channel,
            "photo": picture.photo_best_name if self._settings.start == "photo" else None,
            "settings": self._settings_key,
        }
        # A picture is known by what it reached, since all else that it depends on is in this key.
        known = {"shown": picture.reached, "others": [[other.channel, other.reached] for other in others]}

        def result(
            stage: Stage[Result], compute: Callable[[Network, Subject, Task], Result], title: str, **more: object
        ) -> Result:
            def computed() -> Result:
                with self._progress.stage(f"{self._section.name}: {title}", None) as task:
                    subject = Subject(picture, self._settings, self._squares(), others)
                    return compute(self._resources.network, subject, task)

            return self._resources.get_or_compute(stage, {**key, **more}, computed)

        return UnitStudy(
            negative=self.of(picture.layer, [picture.channel], "negative")[picture.channel],
            stability=result(STABILITY, stability, "the unit's picture from other seeds", **known),
            variants=result(VARIANTS, variants, "other pictures that excite the unit"),
            film=result(FILM, film, "the unit's picture forming") if self._section.visualization.film else None,
        )

    def _squares(self) -> Mapping[str, NDArray[np.float32]] | None:
        """Each photo's centred square, where pictures begin as photos."""
        return None if self._settings.start == "noise" else _Squares(self._resources.photos, self._settings.size)


class _Squares(Mapping[str, NDArray[np.float32]]):
    """The centred square of each photo by its name, read when it is asked for."""

    def __init__(self, photos: Sequence[Photo], size: int) -> None:
        self._photos = {photo.name: photo for photo in photos}
        self._size = size

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._photos[name].square(self._size)

    def __iter__(self) -> Iterator[str]:
        return iter(self._photos)

    def __len__(self) -> int:
        return len(self._photos)


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
        self._is_only_circuit = len(config.circuits) == 1
        self._source = open_source(section.network, (section.unit.layer,), config.folder, cache)
        self._resources = Resources(section, self._source, config.folder, cache, may_compute)
        # From `analysis` on, by layer.
        self._extremes: dict[str, PhotoExtremes] = {}
        self._pictures = CircuitPictures(section, self._resources, self._extremes.__getitem__, progress)
        self._progress = progress

    @property
    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds by stage that was computed in this run."""
        return self._resources.seconds

    @property
    def title(self) -> str:
        """The circuit's title, or one made from network and unit."""
        unit = self.section.unit
        return self.section.title or f"{self._source.structure.title} {unit.layer} unit {unit.index}"

    def report(self) -> Report:
        """The circuit's report; what `analysis` raises, this raises too."""
        return self.analysis().report

    def analysis(self) -> Analysis:
        """All that was computed of the circuit, and its report.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't cached and may not be computed.
        """
        section, source = self.section, self._source
        layer = section.unit.layer
        circuit = self._circuit(layer, section.unit.index, section.inputs)
        inner: tuple[Branch, ...] = ()
        if section.depth > 1:
            inner = branches(source.architecture, circuit, self._circuit)
        pictured = self._pictured(circuit, inner)
        self._extremes.update(self._photo_extremes(tuple(pictured)))
        pictures = {
            (layer, channel): picture
            for layer, channels in pictured.items()
            for channel, picture in self._pictures.of(layer, channels).items()
        }
        picture = pictures[layer, circuit.unit]
        study = self._pictures.study(picture, [pictures[layer, sibling] for sibling in section.siblings])
        key = {
            "layer": layer,
            "unit": circuit.unit,
            "origin": source.identity.origin,
            "file": source.identity.name,
        }
        description = self._resources.get_or_compute(DESCRIPTION, key, lambda: describe(source, layer, circuit.unit))
        evidence = self._measure(circuit, picture, "" if description.has_classifier else source.missing_classifier)
        factors = [self._over_the_layer(circuit, factor.channels) for factor in evidence.factors.factors]
        groups = self._pictures.of_groups(layer, factors, evidence.factor_best)
        # Not cached, so that a claim can change at no cost.
        claims = check(section.hypothesis.claims, circuit, evidence)
        versions = {
            "vizengine": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        }
        code = source_hash("network", "pictures", "measures")
        report = build(section, description, circuit, pictures, study, evidence, claims, groups, inner, versions, code)
        # Of the page on the whole site, by which it is cited; empty where the config names none.
        url = (self._site.url or "").rstrip("/")
        address = f"{url}/{report.name}/" if url and not self._is_only_circuit else url
        return Analysis(
            circuit=circuit,
            pictures=pictures,
            study=study,
            evidence=evidence,
            groups=groups,
            expanded=evidence.expanded,
            readings=evidence.readings,
            inner=inner,
            claims=claims,
            classification=evidence.classification,
            network=description,
            report=report,
            site=site_report(self._site, (report,), address),
        )

    def _photo_extremes(self, layers: Sequence[str]) -> dict[str, PhotoExtremes]:
        """The photos that drive each channel of some layers furthest, up and down, by layer."""
        resources, photos = self._resources, self._resources.photos

        def compute(missing: list[str], keep: Callable[[str, PhotoExtremes], None]) -> None:
            title = f"{self.section.name}: photos through {', '.join(missing)}"
            with self._progress.stage(title, len(photos)) as task:

                def counted() -> Iterator[Photo]:
                    for photo in photos:
                        task.advance(1)
                        yield photo

                for layer, extremes in photo_extremes(resources.network, missing, counted(), remember).items():
                    keep(layer, extremes)

        def remember(
            photo: Photo, layers: Sequence[str], bounds: Callable[[Sequence[str]], Mapping[str, Bounds]]
        ) -> Mapping[str, Bounds]:
            def computed(missing: list[str], keep: Callable[[str, Bounds], None]) -> None:
                for layer, of_layer in bounds(missing).items():
                    keep(layer, of_layer)

            digest = resources.photo_hash(photo)
            keys = {layer: {"layer": layer, "photo": digest} for layer in layers}
            return resources.get_or_compute_each(BOUNDS, keys, computed)

        hashes = resources.hashes(photos)
        keys = {layer: {"layer": layer, "photos": hashes} for layer in layers}
        return resources.get_or_compute_each(EXTREMES, keys, compute)

    def _measure(self, circuit: Circuit, picture: Visualization, missing_classifier: str) -> Evidence:
        """All measurements of the unit.

        Args:
            circuit: the unit.
            picture: its feature visualization.
            missing_classifier: why the network can't classify photos; empty where it can.
        """
        resources, source, photos = self._resources, self._source, self._resources.photos
        settings = EvidenceSettings(seed=self.section.visualization.seed)
        earlier = layers_to_expand(source.architecture, circuit.layer, circuit.unit, self.section.earlier)
        facts: dict[str, object] = {
            "photos": resources.hashes(photos),
            "settings": asdict(settings),
            "picture": [picture.reached, picture.mean, self.section.visualization.model_dump(mode="json")],
            "labels": list(resources.labels),
            "earlier": earlier,
            "missing_classifier": missing_classifier,
        }

        def remember(photo: Photo, rate: float, compute: Callable[[], PhotoPart]) -> PhotoPart:
            key = {
                "layer": circuit.layer,
                "unit": circuit.unit,
                "inputs": self.section.inputs,
                "photo": resources.photo_hash(photo),
                "settings": facts["settings"],
                "rate": rate,
            }
            return resources.get_or_compute(PHOTO, key, compute)

        def slices_of(layer: str) -> Slices | None:
            return Slices(source.kernel_and_bias(layer)[0]) if source.has(layer) else None

        sources = Sources(
            open_network=lambda: resources.network,
            architecture=source.architecture,
            circuit=circuit,
            photos=photos,
            image=picture.image,
            settings=settings,
            labels=resources.labels,
            earlier=earlier,
            missing_classifier=missing_classifier,
            slices_of=slices_of,
            remember=remember,
        )
        engine = Engine(sources, facts, resources.get_or_compute)
        if not all(resources.contains(stage_of(measure), engine.key(measure)) for measure in MEASURES):
            title = f"{self.section.name}: what the unit does on photos"
            with self._progress.stage(title, len(photos) + len(MEASURES)) as task:
                sources.advance = task.advance
                for measure in MEASURES:
                    engine.result(measure.name)
                    task.advance(1)
        return engine.evidence()

    def _pictured(self, circuit: Circuit, inner: Sequence[Branch]) -> Mapping[str, tuple[int, ...]]:
        """The channels that need a picture, by layer: the inputs first, then the unit and its siblings."""
        pictured: dict[str, list[int]] = {}
        for reader in (*(branch.circuit for branch in inner if branch.circuit is not None), circuit):
            for channel in reader.strongest:
                pictured.setdefault(channel.source_layer, []).append(channel.source_channel)
        pictured.setdefault(circuit.layer, []).extend([circuit.unit, *self.section.siblings])
        return {layer: tuple(sorted(set(channels))) for layer, channels in pictured.items()}

    def _over_the_layer(self, circuit: Circuit, group: NDArray[np.floating]) -> NDArray[np.floating]:
        """Weights of the unit's inputs as weights of all channels that its layer reads; 0 for other groups."""
        architecture = self._source.architecture
        whole = np.zeros(architecture.channels(architecture.layer(circuit.layer).inputs[0]), group.dtype)
        whole[architecture.reads(circuit.layer, circuit.unit)] = group
        return whole

    def _circuit(self, layer: str, unit: int, inputs: int) -> Circuit:
        sources = self._source.architecture.source_channels(layer, unit)

        def compute() -> Circuit:
            kernel, bias = self._source.kernel_and_bias(layer)
            return analyse(layer, unit, kernel, bias, sources, inputs)

        key = {"layer": layer, "unit": unit, "inputs": inputs}
        return self._resources.get_or_compute(CIRCUIT, key, compute)
