"""How far intervals and claims hold: random sets of photos against all photos, and units that learned nothing.

- *Coverage*: how often the interval from a few photos holds the figure of all photos. A set is drawn from all photos
  without replacement, or with, as photos from everywhere would be: the first is narrower than it looks, since a set is
  a good part of all.
- *Author looks first*: claims that the shown third of 30 photos supports are written and judged on the other two.
- *Nulls*: claims that a unit's weights suggest, of trained units, of the same with shuffled kernels, each in turn
  taken for the unit, and of units with random weights.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from tests.campaign import Campaign, Case
from tests.campaign.parts import DRAWS, TOP, Subject, Units, evidence_of, subjects
from vizengine.config.claims import ClaimSection
from vizengine.config.network import NetworkSection
from vizengine.measures.by_photo import LEVEL, Interval, median
from vizengine.measures.claims import Checked, Claim, check, claim_of, verdict
from vizengine.measures.inputs import Circuit
from vizengine.measures.patches import KINDS
from vizengine.measures.photos import Photo, Photos, find_unreadable
from vizengine.measures.stream import FEWEST_HELD_OUT

TRAINED = (
    Units(
        NetworkSection(model="squeezenet1.1"),
        tuple(
            (f"fire{fire}/expand3x3", unit)
            for fire, units in ((3, (40, 59)), (4, (23, 114)), (5, (73, 99)), (6, (10, 43)))
            for unit in units
        ),
    ),
    Units(NetworkSection(model="vgg19"), (("block3_conv3", 195), ("block3_conv3", 241))),
)
UNTRAINED = Units(
    NetworkSection(model="resnet50", weights="random"),
    tuple((f"conv2_block{block}_2_conv", unit) for block in (1, 2, 3) for unit in (0, 1)),
)
FEWEST_PHOTOS = 60
SIZES = (8, 20)
"""Photos in a set."""
SETS = 100
"""Sets of each size and unit."""
LOOKED_AT = 30
CORRELATIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
LEAST_COVERAGE = 0.92
"""Of intervals of 95 %."""
MOST_WRONG = 0.02
"""Of verdicts that aren't undecided: an interval of 95 % is on the wrong side of a threshold so often at most."""
MOST_FALSE_PAGES = 0.05
MOST_TELLING = 2 / 20
"""Of claims about units that learned nothing: so often at most a unit is one of the two first of 20 alike."""
WAYS = {"without": False, "with": True}
"""Ways of drawing a set, and whether a photo may come twice."""

LOOKED, JUDGED, CORRECTED = (
    "the photos that the author looked at",
    "the held-out photos",
    "the held-out photos, corrected for the number of claims",
)
"""What may support a claim."""


def claim_about(kind: str, value: object) -> Claim:
    """A claim as a config makes it."""
    return claim_of(ClaimSection.model_validate({kind: value}))


def sufficient(correlation: float) -> dict[str, object]:
    """The setting of a claim that the strongest inputs are enough."""
    return {"inputs": TOP, "correlation": correlation}


def intervals(subject: Subject, evidence: SimpleNamespace) -> dict[str, list[Interval]]:
    """Every interval of a page, by kind."""
    drive, six = evidence.contributions.drive, [channel.index for channel in subject.circuit.strongest]
    return {
        "an input’s contribution": [drive.contribution(channel) for channel in subject.channels],
        "its share of the drive": [drive.share(channel) for channel in subject.channels],
        "six inputs’ share of the drive": [drive.share(*six)],
        "faithfulness at six": [evidence.faithfulness.by_norm.correlations.interval(TOP - 1)],
        **{index.name: [median(index.by_photo)] for index in evidence.tuning.indices},
    }


def draws(photos: int, size: int, again: bool, seed: int) -> Iterator[NDArray[np.int64]]:
    """Random sets of photos."""
    generator = np.random.default_rng([seed, size, again])
    for _ in range(SETS):
        yield generator.choice(photos, size, replace=again)


def coverage(subject: Subject, size: int, again: bool) -> dict[str, float]:
    """How often intervals of one unit hold the figure of all photos, by kind, as far as there is such a figure."""
    photos = len(subject.parts.contributions)
    whole = intervals(subject, evidence_of(subject, np.arange(photos)))
    held = defaultdict[str, list[bool]](list)
    for chosen in draws(photos, size, again, subject.circuit.unit):
        for kind, of_set in intervals(subject, evidence_of(subject, chosen)).items():
            for interval, of_all in zip(of_set, whole[kind], strict=True):
                if not math.isnan(of_all.value):
                    held[kind].append(interval.low <= of_all.value <= interval.high)
    return {kind: float(np.mean(values)) for kind, values in held.items()}


def is_true(checked: Checked) -> bool:
    """Whether a claim holds by the figure alone."""
    return verdict(checked.value, checked.value, checked.threshold, checked.above) == "supported"


def is_supported(checked: Checked) -> bool:
    """Whether the interval says so, however few the photos."""
    return verdict(checked.low, checked.high, checked.threshold, checked.above) == "supported"


def claims_of(subject: Subject) -> list[tuple[str, Claim]]:
    """Claims of every kind that rests on photos and has a verdict, with the name of the kind."""
    settings: dict[str, Sequence[object]] = {
        "excites": subject.channels,
        "inhibits": subject.channels,
        "stands_out": subject.channels,
        "arranged": [True, *subject.channels],
        "invariant_to": KINDS,
        "sufficient": [sufficient(correlation) for correlation in CORRELATIONS],
    }
    return [(kind, claim_about(kind, value)) for kind, values in settings.items() for value in values]


def verdicts(subject: Subject, size: int) -> Counter[tuple[str, str]]:
    """How often claims of each kind were undecided, decided, and decided against the figure of all photos."""
    photos, claims, ends = len(subject.parts.contributions), claims_of(subject), Counter[tuple[str, str]]()
    whole = evidence_of(subject, np.arange(photos))
    truths = [is_true(claim.check(subject.circuit, whole)) for _, claim in claims]
    for chosen in draws(photos, size, False, subject.circuit.unit):
        evidence = evidence_of(subject, chosen)
        for (kind, claim), truth in zip(claims, truths, strict=True):
            end = claim.check(subject.circuit, evidence).verdict
            ends[kind, "undecided" if end == "undecided" else "decided"] += 1
            ends[kind, "wrong"] += end != "undecided" and (end == "supported") != truth
    return ends


def written(subject: Subject, evidence: SimpleNamespace, careful: bool) -> list[Claim]:
    """What an author would claim who has seen these photos, up to ten claims.

    Four inputs that excite or inhibit, and two that stand out, largest first; the arrangement; two invariances; the
    highest correlation, in steps of 0.05, for which six inputs are enough.

    Args:
        subject: the unit.
        evidence: from the photos that the author looks at.
        careful: whether the author claims what these photos support, or else whatever their figures say.
    """

    def holds(claim: Claim) -> bool:
        checked = claim.check(subject.circuit, evidence)
        # Whatever their number: the author looks at photos that are too few for a verdict too.
        return is_supported(checked) if careful else is_true(checked)

    mean = evidence.contributions.drive.mean
    largest = np.argsort(-np.abs(mean), kind="stable")[: 2 * TOP].tolist()
    candidates = (
        (4, [claim_about("excites" if mean[channel] > 0 else "inhibits", channel) for channel in largest]),
        (2, [claim_about("stands_out", channel) for channel in largest]),
        (1, [claim_about("arranged", True)]),
        (2, [claim_about("invariant_to", kind) for kind in KINDS]),
        (1, [claim_about("sufficient", sufficient(twentieths / 20)) for twentieths in range(19, 9, -1)]),
    )
    return [claim for most, of_kind in candidates for claim in islice(filter(holds, of_kind), most)]


def looks(subject: Subject, held_out: NDArray[np.bool_], careful: bool) -> Counter[str]:
    """Pages whose author looked first: what the held-out photos say of their claims, and how many are false.

    Returns:
        Numbers of pages, of claims, of each verdict, and by the name of what supports it, of pages with a false claim.
    """
    circuit, whole = subject.circuit, evidence_of(subject, np.arange(len(held_out)))
    ends = Counter[str]()
    for chosen in draws(len(held_out), LOOKED_AT, False, circuit.unit):
        judging, looked_at = chosen[held_out[chosen]], chosen[~held_out[chosen]]
        if len(judging) < FEWEST_HELD_OUT or len(looked_at) < 2:
            continue
        seen, evidence = evidence_of(subject, looked_at), evidence_of(subject, judging)
        claims = written(subject, seen, careful)
        truths = [is_true(claim.check(circuit, whole)) for claim in claims]
        corrected = 1 - (1 - LEVEL) / max(len(claims), 1)
        supported = {
            LOOKED: [is_supported(claim.check(circuit, seen)) for claim in claims],
            JUDGED: [claim.check(circuit, evidence).verdict == "supported" for claim in claims],
            CORRECTED: [claim.check(circuit, evidence, corrected).verdict == "supported" for claim in claims],
        }
        ends["pages"] += 1
        ends["claims"] += len(claims)
        ends["supported"] += sum(supported[JUDGED])
        for name, of_claims in supported.items():
            ends[name] += any(held and not truth for held, truth in zip(of_claims, truths, strict=True))
    return ends


def natural(circuit: Circuit) -> list[ClaimSection]:
    """What one would claim of a unit from its weights alone."""
    settings: list[dict[str, object]] = []
    for channel in circuit.strongest:
        if channel.sign != "mixed":
            settings.append({"excites" if channel.sign == "excitatory" else "inhibits": channel.index})
    settings += [{"stands_out": channel.index} for channel in circuit.strongest]
    settings += [{"arranged": True}, {"sufficient": sufficient(0.8)}]
    return [ClaimSection.model_validate(section) for section in settings]


def nulls(subject: Subject, shuffled: bool) -> Counter[tuple[str, str]]:
    """How many natural claims are made, supported, and supported and telling, by kind.

    Args:
        subject: the unit.
        shuffled: whether the units with its kernel shuffled take its place, one after the other.
    """
    sections, ends = natural(subject.circuit), Counter[tuple[str, str]]()
    generator = np.random.default_rng([subject.circuit.unit, 4])
    for draw in range(1, DRAWS + 1):
        chosen = generator.choice(len(subject.parts.contributions), SIZES[-1], replace=False)
        evidence = evidence_of(subject, chosen, draw if shuffled else 0)
        for section, checked in zip(sections, check(sections, subject.circuit, evidence), strict=True):
            kind = "drives" if section.kind in ("excites", "inhibits") else section.kind
            ends[kind, "claims"] += 1
            ends[kind, "supported"] += checked.verdict == "supported"
            ends[kind, "telling"] += checked.telling is True
    return ends


def share(ends: Counter[tuple[str, str]], kind: str, part: str, whole: str) -> float:
    """Of the cases of a kind; not a number where there are none."""
    return ends[kind, part] / ends[kind, whole] if ends[kind, whole] else math.nan


def _cell(value: float, least: float = -math.inf, most: float = math.inf) -> str:
    """A share with two places, in bold type where it misses what is promised."""
    if math.isnan(value):
        return "none"
    return f"{value:.3f}" if least <= value <= most else f"**{value:.3f}**"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _within(value: float, least: float = -math.inf, most: float = math.inf) -> str:
    assert least <= value, f"{value:.3f}, expected at least {least:.3f}"
    assert value <= most, f"{value:.3f}, expected at most {most:.3f}"
    return "figures as expected"


def coverage_cases(trained: Sequence[Subject]) -> tuple[str, list[Case]]:
    """The table of coverage, and a case for each figure in it."""
    means: dict[tuple[int, str], dict[str, float]] = {}
    for size in SIZES:
        for way, again in WAYS.items():
            of_units = [coverage(subject, size, again) for subject in trained]
            kinds = dict.fromkeys(kind for of_unit in of_units for kind in of_unit)
            means[size, way] = {
                kind: float(np.mean([of_unit[kind] for of_unit in of_units if kind in of_unit])) for kind in kinds
            }
    kinds = list(next(iter(means.values())))
    rows = [[kind, *(_cell(of_kinds[kind], LEAST_COVERAGE) for of_kinds in means.values())] for kind in kinds]
    head = ["interval", *(f"{size} photos, {way}" for size, way in means)]
    cases: list[Case] = [
        (f"coverage of {kind}, {size} photos {way} replacement", partial(_within, of_kinds[kind], LEAST_COVERAGE))
        for (size, way), of_kinds in means.items()
        for kind in kinds
    ]
    text = (
        f"Share of intervals of 95 % that hold the figure of all photos, mean over the units, {SETS} random sets of "
        f"photos each, drawn without and with replacement; expected at least {LEAST_COVERAGE:g}, in bold type what "
        "misses it:"
    )
    return f"{text}\n\n{_table(head, rows)}", cases


def verdict_cases(trained: Sequence[Subject]) -> tuple[str, list[Case]]:
    """The table of verdicts, and a case for each share of wrong ones."""
    ends = {size: sum((verdicts(subject, size) for subject in trained), Counter()) for size in SIZES}
    kinds = list(dict.fromkeys(kind for kind, _ in claims_of(trained[0])))
    rows, cases = [], list[Case]()
    for kind in kinds:
        row = [f"`{kind}`"]
        for size, of_size in ends.items():
            decided = of_size[kind, "decided"] / max(of_size[kind, "decided"] + of_size[kind, "undecided"], 1)
            wrong = share(of_size, kind, "wrong", "decided")
            row += [_cell(decided), _cell(wrong, most=MOST_WRONG)]
            if not math.isnan(wrong):
                name = f"wrong verdicts of `{kind}`, {size} photos"
                cases.append((name, partial(_within, wrong, most=MOST_WRONG)))
        rows.append(row)
    head = ["claim", *(f"{size} photos: {part}" for size in SIZES for part in ("decided", "of these wrong"))]
    text = (
        "Claims of every unit's inputs, right or wrong ones, on the same sets, without replacement: share that is "
        "supported or contradicted, and share of these on the wrong side by the figure of all photos, "
        f"of which the sets are a part; expected at most {MOST_WRONG:g}:"
    )
    return f"{text}\n\n{_table(head, rows)}", cases


def look_cases(trained: Sequence[Subject], held_out: NDArray[np.bool_]) -> tuple[str, list[Case]]:
    """What becomes of claims whose author looked first."""
    rows, cases = [], list[Case]()
    for careful, author in ((True, "what the photos looked at support"), (False, "whatever their figures say")):
        ends = sum((looks(subject, held_out, careful) for subject in trained), Counter[str]())
        pages, claims = ends["pages"], ends["claims"]
        row = [author, f"{pages:,}", f"{claims / pages:.1f}", f"{ends['supported'] / claims:.3f}"]
        for name in (LOOKED, JUDGED, CORRECTED):
            most = 1.0 if name == LOOKED else MOST_FALSE_PAGES
            row.append(_cell(ends[name] / pages, most=most))
            cases.append(
                (f"pages with a false claim, {author}, {name}", partial(_within, ends[name] / pages, most=most))
            )
        rows.append(row)
    head = ["the author claims", "pages", "claims a page", f"of these supported by {JUDGED}"]
    head += [f"pages with a false claim supported by {name}" for name in (LOOKED, JUDGED, CORRECTED)]
    text = (
        f"Random sets of {LOOKED_AT} photos, split by content: the author looks at the shown third, and the held-out "
        "photos judge. A claim is false where the figure of all photos, these among them, is on the wrong side; "
        f"expected of pages with a false claim that held-out photos support: at most {MOST_FALSE_PAGES:g}:"
    )
    return f"{text}\n\n{_table(head, rows)}", cases


def null_cases(trained: Sequence[Subject], untrained: Sequence[Subject]) -> tuple[str, list[Case]]:
    """The table of units that learned something and of those that didn't."""
    groups = {
        "trained": sum((nulls(subject, False) for subject in trained), Counter()),
        "shuffled": sum((nulls(subject, True) for subject in trained), Counter()),
    }
    if untrained:
        groups["untrained"] = sum((nulls(subject, False) for subject in untrained), Counter())
    for ends in groups.values():
        for kind, part in list(ends):
            ends["all", part] += ends[kind, part]
    rows, cases = [], list[Case]()
    for kind in ("drives", "stands_out", "arranged", "sufficient", "all"):
        row = [kind]
        for name, ends in groups.items():
            telling, most = share(ends, kind, "telling", "claims"), 1.0 if name == "trained" else MOST_TELLING
            row += [_cell(share(ends, kind, "supported", "claims")), _cell(telling, most=most)]
            if name != "trained":
                cases.append((f"telling claims of {name} units: {kind}", partial(_within, telling, most=most)))
        rows.append(row)
    head = ["claims", *(f"{name}: {part}" for name in groups for part in ("supported", "and telling"))]
    others = f", and of {len(untrained)} units of ResNet50 with random weights" if untrained else ""
    text = (
        "Natural claims, from the weights alone, each on 20 random sets of 20 photos: the strongest six inputs "
        "drive the unit by their sign, and stand out; its weights are arranged; six inputs are enough for a "
        "correlation of 0.8. Of "
        f"{len(trained)} trained units, of the same with shuffled kernels{others}; of those that learned nothing, "
        "expected to be supported and telling: at most "
        f"{MOST_TELLING:g}:"
    )
    return f"{text}\n\n{_table(head, rows)}", cases


def readable(folder: Path) -> list[Photo]:
    """The photos of a folder.

    Raises:
        SystemExit: there are too few.
    """
    photos = Photos(str(folder.resolve()), folder).found
    skipped = {bad.name for bad in find_unreadable(photos)}
    photos = [photo for photo in photos if photo.path.name not in skipped]
    if len(photos) < FEWEST_PHOTOS:
        raise SystemExit(f"evidence: there are {len(photos)} readable photos; expected at least {FEWEST_PHOTOS}")
    return photos


def cases(folder: Path) -> Iterator[Case]:
    """Measure what isn't kept, then hold each figure of the tables against what is expected of it."""
    photos = readable(folder / "photos")
    trained = [subject for units in TRAINED for subject in subjects(units, photos, patches=True)]
    untrained = list(subjects(UNTRAINED, photos, patches=False))
    held_out = np.array([photo.held_out for photo in photos])
    parts: list[Callable[[], tuple[str, list[Case]]]] = [
        partial(coverage_cases, trained),
        partial(verdict_cases, trained),
        partial(look_cases, trained, held_out),
        partial(null_cases, trained, untrained),
    ]
    labels = ", ".join(f"{subject.circuit.layer}:{subject.circuit.unit}" for subject in trained)
    texts = [f"{len(photos)} photos, {int(held_out.sum())} of them held out; {len(trained)} trained units: {labels}."]
    for part in parts:
        text, of_part = part()
        texts.append(text)
        yield from of_part
    (folder / "tables.md").write_text("\n\n".join(texts) + "\n", "utf-8")


EVIDENCE = Campaign(
    "An interval on a page holds what more photos would show about as often as it says; a verdict from it is rarely "
    "wrong, though the author looked at photos first; and units that learned nothing have few claims that are telling.",
    "Each photo of a folder goes through the network once, by the tool's own functions; then random sets of the photos "
    "are held against all of them, and units with shuffled or random weights against trained ones, by the functions "
    "that make the intervals and verdicts of a page",
    "all figures are in the tables below",
    cases,
    needs_photos=True,
)
