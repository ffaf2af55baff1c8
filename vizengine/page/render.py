"""Pages as HTML: the templates and what they may use, the files beside a circuit's page, how to cite it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from vizengine.figures import drawing
from vizengine.figures.quantities import Quantity
from vizengine.measures import MEASURES
from vizengine.page import preview
from vizengine.page.report import Missing, Report, SiteReport, SweepReport


def templates_folder() -> Path:
    """The folder of the page's templates and assets.

    In an installed package they lie inside it, as `vizengine/templates`; in a checkout beside it, at the top level.

    Raises:
        FileNotFoundError: they are in neither place.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"no templates in {package} nor beside it; install vizengine again, or use a whole checkout"
    )


# Bidirectional embeddings, overrides and isolates, and their ends, written out as the console prints them.
# Right-to-left letters need none of them.
_BIDI_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
# Languages that are written from right to left unless a script is named with them, and such scripts.
_RIGHT_TO_LEFT = frozenset(
    "ar arc arz azb ckb dv fa glk he iw ji ks lrc mzn nqo pes pnb prs ps sd syr ug ur yi".split()
)
_RIGHT_TO_LEFT_SCRIPTS = frozenset("adlm arab aran hebr mand nkoo rohg samr syrc thaa yezi".split())


def is_right_to_left(language: str) -> bool:
    """Whether texts of a language, a tag as in HTML's `lang` (`ar`, `fa-IR`, `az-Arab`), run from right to left."""
    first, *others = language.lower().split("-")
    script = next((other for other in others if len(other) == 4 and other.isalpha()), None)
    return script in _RIGHT_TO_LEFT_SCRIPTS if script else first in _RIGHT_TO_LEFT


class Assets(NamedTuple):
    """What a page has in its head: CSS, JavaScript, the `data:` address of the SVG favicon, and the policy of both."""

    style: str
    script: str
    icon: str
    policy: str


@cache
def load() -> Assets:
    """Read the assets from the templates' folder.

    Raises:
        ValueError: an asset holds a closing tag that would end its element early.
    """
    folder = templates_folder() / "assets"
    style, script = _read(folder / "page.css", "</style"), _read(folder / "page.js", "</script")
    icon = base64.b64encode((folder / "favicon.svg").read_bytes()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Assets(style, script, f"data:image/svg+xml;base64,{icon}", policy)


def _read(path: Path, closing: str) -> str:
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    if closing in text.lower():
        raise ValueError(f"{path.name} holds `{closing}`, which would end its element early; write it in two parts")
    return text


def _hash(text: str) -> str:
    """The hash of an inline element's text, as CSP writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


class SharedPicture(NamedTuple):
    """The id of the element that holds a picture, and whether that element is to be written at this place."""

    name: str
    is_first: bool


def shared_pictures() -> Callable[[str], SharedPicture]:
    """Of one page, by their `data:` addresses: where one stands at several places, the first holds its file for all."""
    names: dict[str, str] = {}

    def shared(source: str) -> SharedPicture:
        is_first = source not in names
        return SharedPicture(names.setdefault(source, f"picture-{len(names) + 1}"), is_first)

    return shared


def address(report: Report | Missing, site: SiteReport) -> str:
    """The page's address on the web; empty where the config names none for the site."""
    if not site.url:
        return ""
    root = site.url.rstrip("/") + "/"
    return root if len(site.circuits) == 1 else f"{root}{report.name}/"


def bibtex(report: Report, site: SiteReport) -> str:
    """An entry for a bibliography. It has no year, since nothing on a page depends on the day that it was made."""
    versions = {library.name: library.version for library in report.provenance.versions}
    note = f"{report.network.title}, {report.layer}, unit {report.unit}. Made with vizengine"
    note += f" {versions['vizengine']}" if "vizengine" in versions else ""
    fields = {
        "title": f"{{{report.title}}}",
        "author": site.author,
        "howpublished": address(report, site) and f"\\url{{{address(report, site)}}}",
        "note": note,
    }
    lines = [f"  {name} = {{{_escaped(name, value)}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{report.name},", *lines, "}"])


def _escaped(name: str, value: str) -> str:
    """Text as BibTeX takes it."""
    return value if name == "howpublished" else re.sub(r"([&%$#_])", r"\\\1", value)


def starting_config(report: Report) -> dict[str, Any]:
    """Canonical data of a config for the same unit of the same network, all else left to the defaults."""
    network = {key: value for key, value in report.config["network"].items() if value and key != "why"}
    unit = {"layer": report.layer, "index": report.unit}
    return {"site": {"title": "My circuits"}, "circuits": [{"name": "my-unit", "network": network, "unit": unit}]}


ABSENT = "–"


def compared(reports: Sequence[Report]) -> list[tuple[str, list[str]]]:
    """What each row is called, and its cell for each circuit."""
    rows: dict[str, Callable[[Report], Quantity | str | None]] = {
        "receptive field": lambda report: report.network.receptive_field,
        "its picture, over the best photo": lambda report: report.feature.ratio,
    }
    for measure in MEASURES:
        rows.update(measure.rows)
    rows["claims"] = _claims
    return [(name, [_text(cell(report)) for report in reports]) for name, cell in rows.items()]


def _text(value: Quantity | str | None) -> str:
    return value.shown if isinstance(value, Quantity) else value or ABSENT


def _claims(report: Report) -> str:
    counts = Counter(claim.finding for claim in report.evidence.claims)
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("supported", "contradicted", "undecided") if counts[kind])


PREVIEW = "preview.jpg"


def render_circuit(
    report: Report,
    site: SiteReport,
    previous: Report | Missing | None = None,
    next: Report | Missing | None = None,
) -> str:
    """A circuit's page, as HTML; where the circuit is the only one, it is the site's index.

    Args:
        previous, next: its neighbours on the site. One that has no page of its own is passed over.
    """
    return render_template(
        "circuit.html",
        report=report,
        site=site,
        alone=len(site.circuits) == 1,
        previous=previous if isinstance(previous, Report) else None,
        next=next if isinstance(next, Report) else None,
        address=address(report, site),
        citation=bibtex(report, site),
        picture=_preview_address(report, site),
    )


def companions(report: Report, site: SiteReport) -> dict[str, bytes]:
    """The files that lie beside a circuit page and to which it links, by name.

    The picture for link previews is among them where the site's address is known, since only an absolute address
    serves there.
    """
    files = {"circuit.json": report.model_dump_json().encode()}
    if site.url:
        files[PREVIEW] = preview.preview(report)
    return files


def render_index(site: SiteReport) -> str:
    """The page that leads to all circuits; for a site of one computed circuit, that circuit's page."""
    if len(site.circuits) == 1 and isinstance(site.circuits[0], Report):
        return render_circuit(site.circuits[0], site)
    first = next((circuit for circuit in site.circuits if isinstance(circuit, Report)), None)
    return render_template("index.html", site=site, picture=_preview_address(first, site) if first else "")


def render_missing(missing: Missing, site: SiteReport) -> str:
    """The page in the place of a circuit's that isn't there, which says why."""
    return render_template("missing.html", each=missing, site=site, address=address(missing, site))


def _preview_address(report: Report, site: SiteReport) -> str:
    """Absolute address of the picture for link previews; empty where the site's own isn't known."""
    return address(report, site) and address(report, site) + PREVIEW


def render_frame(title: str, page: str) -> str:
    """A frame that holds a whole page, for a notebook: an `iframe` with the page in its `srcdoc`.

    The page's own script may run in it and links open beside it; it can't reach the notebook.
    """
    return environment().get_template("frame.html").render(title=title, page=page)


def render_template(name: str, **context: Any) -> str:
    """A whole page, as HTML."""
    template = environment().get_template(name)
    return template.render(assets=load(), shared_pictures=shared_pictures(), **context).translate(_BIDI_CONTROLS)


@cache
def environment() -> Environment:
    """Where templates are found, and what they may use."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        drawing=drawing,
        compared=compared,
        preview=preview,
        is_right_to_left=is_right_to_left,
        measures=MEASURES,
        starting_config=starting_config,
    )
    environment.filters.update(yaml=_yaml, embed=Markup, breakable=_breakable)
    environment.tests.update(
        circuit=lambda value: isinstance(value, Report), sweep=lambda value: isinstance(value, SweepReport)
    )
    return environment


def _breakable(name: str) -> Markup:
    """A name that may be broken after a slash, a colon or a low line where its line is too short."""
    # As plain text: below Python 3.12, `re.sub` on a `Markup` joins its pieces by escaping them once more.
    return Markup(re.sub(r"([/:_])", r"\1<wbr>", str(escape(name))))


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, as an author would."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _yaml(data: Any) -> str:
    """Canonical data as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
