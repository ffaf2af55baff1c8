"""Run the campaigns, all or by name, and put what happened into docs/trust.md."""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaign import Campaign
from tests.campaign.configs import CONFIGS
from tests.campaign.documentation import DOCUMENTATION
from tests.campaign.evidence import EVIDENCE
from tests.campaign.installations import LOCKS, WHEEL
from tests.campaign.kept import CACHES, FORGERY
from tests.campaign.kills import KILLS, PAIRS
from tests.campaign.memory import MEMORY
from tests.campaign.photos import PHOTOS
from tests.places import REPOSITORY

CAMPAIGNS = {
    "kills": KILLS,
    "pairs": PAIRS,
    "caches": CACHES,
    "forgery": FORGERY,
    "memory": MEMORY,
    "configs": CONFIGS,
    "photos": PHOTOS,
    "documentation": DOCUMENTATION,
    "locks": LOCKS,
    "wheel": WHEEL,
    "evidence": EVIDENCE,
}
TRUST = REPOSITORY / "docs" / "trust.md"


def main() -> int:
    """Run what was asked for; the exit status is 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CAMPAIGNS)}; all without one")
    parser.add_argument("--most", type=int, help="stop each after so many cases, and leave docs/trust.md as it is")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="photos for `evidence`, which is left out else")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(CAMPAIGNS):
        parser.error(f"there is no campaign {', '.join(sorted(unknown))}; there are {', '.join(CAMPAIGNS)}")
    without = [name for name, campaign in CAMPAIGNS.items() if campaign.needs_photos and not arguments.photos]
    if asked := set(arguments.names) & set(without):
        parser.error(f"{', '.join(asked)} needs `--photos FOLDER`")
    held = True
    for name in arguments.names or [name for name in CAMPAIGNS if name not in without]:
        campaign, started = CAMPAIGNS[name], time.monotonic()
        print(f"{name}: {campaign.promise}", flush=True)
        ends, broken, tables = run(campaign, arguments.most, arguments.photos)
        held = held and not broken
        happened = ", ".join(f"{count:,} {end}" for end, count in sorted(ends.items()))
        outcome = "; ".join([happened, *(broken[:6] or [campaign.held])])
        print(f"{name}: {ends.total():,} cases in {time.monotonic() - started:.0f} s: {outcome}", flush=True)
        if arguments.most is None:
            text = with_row(TRUST.read_text("utf-8"), name, ends.total(), outcome)
            TRUST.write_text(with_tables(text, name, tables) if tables else text, "utf-8")
    return 0 if held else 1


def run(campaign: Campaign, most: int | None, photos: Path | None) -> tuple[Counter[str], list[str], str]:
    """How often a campaign's cases ended in which way, what broke the promise, and tables, if it makes any."""
    ends, broken = Counter[str](), []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        if campaign.needs_photos and photos:
            (folder / "photos").symlink_to(photos.resolve())
        with closing(campaign.cases(folder)) as cases:
            for name, case in islice(cases, most):
                try:
                    end = case()
                except AssertionError as error:
                    end = "broken"
                    broken.append(f"{name}: {str(error)[:400]}")
                ends.update([end] if isinstance(end, str) else end)
        tables = folder / "tables.md"
        text = tables.read_text("utf-8") if tables.is_file() else ""
    return ends, broken, text


def beginning(name: str) -> str:
    """The cells of a campaign's row that don't depend on a run."""
    return f"| {CAMPAIGNS[name].promise} | {CAMPAIGNS[name].method} | {command(name)} |"


def command(name: str) -> str:
    """What runs a campaign again."""
    return f"`python -m tests.campaign {name}{' --photos FOLDER' if CAMPAIGNS[name].needs_photos else ''}`"


def with_row(text: str, name: str, cases: int, outcome: str) -> str:
    """docs/trust.md with what happened in a campaign in the place of what was there."""
    outcome = " ".join(outcome.split()).replace("|", r"\|")
    row = f"{beginning(name)} {cases:,} | {outcome} | {datetime.datetime.now(datetime.UTC).date()} |"
    lines = [row if f"| {command(name)} |" in line else line for line in text.splitlines()]
    assert row in lines, f"docs/trust.md has no row of {name}"
    return "\n".join(lines) + "\n"


def with_tables(text: str, name: str, tables: str) -> str:
    """docs/trust.md with a campaign's tables in the place of what stood under its heading."""
    head = f"\n## Figures of `{name}`\n\n"
    before, head, after = text.partition(head)
    assert head, f"docs/trust.md has no heading of {name}"
    _, mark, rest = after.partition("\n## ")
    return before + head + tables.strip() + "\n" + mark + rest


if __name__ == "__main__":
    sys.exit(main())
