"""Write the table of `docs/networks.md`: `python -m vizengine.evidence.audit_table [NETWORK ...]`.

Without names every network of keras.applications is checked anew, which takes about an hour on two cores; with names
only those rows are made again.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from vizengine.evidence.audit import TOLERANCE, Audit, audit
from vizengine.networks.applications import APPLICATIONS
from vizengine.networks.architecture import Architecture
from vizengine.networks.live import LiveNetwork
from vizengine.networks.open_application import RANDOM, application_architecture, open_application
from vizengine.networks.sources import Untraceable

UNIT = 3
_BEGIN, _END = "<!-- table -->", "<!-- end of table -->"
_HEAD = (
    "| network | layer | kind | inputs of a unit | sum | ablation | expanded, from | receptive field | result |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def opened(name: str) -> LiveNetwork:
    """A network of keras.applications with seeded random weights."""
    graph = open_application(name, RANDOM)
    return LiveNetwork(application_architecture(name, graph, ""), graph)


def rows(name: str) -> Iterator[str]:
    """The rows of one network: its second conv layer, the middle one and the last."""
    network = opened(name)
    for layer in three_layers(network.architecture):
        try:
            yield row(name, audit(network, layer, UNIT))
        except Untraceable as error:
            yield f"| {name} | `{layer}` | | | | | | | not supported: {error} |"


def three_layers(architecture: Architecture) -> tuple[str, str, str]:
    """A shallow conv layer, a middle one and a deep one."""
    names = [spec.name for spec in architecture.conv_layers]
    return names[1], names[len(names) // 2], names[-1]


def row(name: str, found: Audit) -> str:
    """What the checks of one layer of a network gave."""
    rows_by_columns = f"{found.field[0]} × {found.field[1]} px"
    field = rows_by_columns if found.field_as_measured else f"{rows_by_columns}, not as measured"
    result = "holds" if found.passed else "**fails**"
    return (
        f"| {name} | `{found.layer}` | {found.kind} | {found.inputs} | {found.contributions:.0e} | "
        f"{found.ablation:.0e} | {found.expanded:.0e}, `{found.earlier}` | {field} | {result} |"
    )


def by_network(text: str) -> dict[str, list[str]]:
    """The rows of a table by the network that they are of."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name = re.match(r"\| (\w+) \|", line)
        if name and name[1] in APPLICATIONS:
            found.setdefault(name[1], []).append(line)
    return found


def merged(text: str, fresh: dict[str, list[str]]) -> str:
    """The page with the rows of some networks made anew, in the order of `APPLICATIONS`.

    Raises:
        ValueError: the page has no place for the table.
    """
    place = re.search(f"{_BEGIN}(.*?){_END}", text, re.DOTALL)
    if place is None:
        raise ValueError(f"the page has no table between {_BEGIN} and {_END}")
    kept = {**by_network(place[1]), **fresh}
    table = "\n".join([_HEAD, *(line for name in APPLICATIONS for line in kept.get(name, ()))])
    return text[: place.start()] + f"{_BEGIN}\n\n{table}\n\n{_END}" + text[place.end() :]


def main(names: Sequence[str]) -> int:
    """Check the networks named, all by default, and write their rows as they come.

    Returns:
        1 where a check fails, else 0.
    """
    page = Path(__file__).resolve().parent.parent.parent / "docs" / "networks.md"
    failed = False
    for name in names or tuple(APPLICATIONS):
        made = list(rows(name))
        failed |= any("**fails**" in row for row in made)
        page.write_text(merged(page.read_text(encoding="utf-8"), {name: made}), encoding="utf-8", newline="\n")
        sys.stderr.write("\n".join(made) + "\n")
        gc.collect()
    sys.stderr.write(f"tolerance {TOLERANCE}; {'some checks fail' if failed else 'all checks hold'}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
