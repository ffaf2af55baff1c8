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
}
TRUST = REPOSITORY / "docs" / "trust.md"


def main() -> int:
    """Run what was asked for; the exit status is 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CAMPAIGNS)}; all without one")
    parser.add_argument("--most", type=int, help="stop each after so many cases, and leave docs/trust.md as it is")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(CAMPAIGNS):
        parser.error(f"there is no campaign {', '.join(sorted(unknown))}; there are {', '.join(CAMPAIGNS)}")
    held = True
    for name in arguments.names or CAMPAIGNS:
        campaign, started = CAMPAIGNS[name], time.monotonic()
        print(f"{name}: {campaign.promise}", flush=True)
        ends, broken = run(campaign, arguments.most)
        held = held and not broken
        happened = ", ".join(f"{count:,} {end}" for end, count in sorted(ends.items()))
        outcome = "; ".join([happened, *(broken[:6] or [campaign.held])])
        print(f"{name}: {ends.total():,} cases in {time.monotonic() - started:.0f} s: {outcome}", flush=True)
        if arguments.most is None:
            TRUST.write_text(with_row(TRUST.read_text("utf-8"), name, ends.total(), outcome), "utf-8")
    return 0 if held else 1


def run(campaign: Campaign, most: int | None) -> tuple[Counter[str], list[str]]:
    """How often a campaign's cases ended in which way, and what broke the promise."""
    ends, broken = Counter[str](), []
    with TemporaryDirectory() as folder, closing(campaign.cases(Path(folder).resolve())) as cases:
        for name, case in islice(cases, most):
            try:
                end = case()
            except AssertionError as error:
                end = "broken"
                broken.append(f"{name}: {str(error)[:400]}")
            ends.update([end] if isinstance(end, str) else end)
    return ends, broken


def beginning(name: str) -> str:
    """The cells of a campaign's row that don't depend on a run."""
    return f"| {CAMPAIGNS[name].promise} | {CAMPAIGNS[name].method} | `python -m tests.campaign {name}` |"


def with_row(text: str, name: str, cases: int, outcome: str) -> str:
    """docs/trust.md with what happened in a campaign in the place of what was there."""
    outcome = " ".join(outcome.split()).replace("|", r"\|")
    row = f"{beginning(name)} {cases:,} | {outcome} | {datetime.datetime.now(datetime.UTC).date()} |"
    lines = [row if f"| `python -m tests.campaign {name}` |" in line else line for line in text.splitlines()]
    assert row in lines, f"docs/trust.md has no row of {name}"
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
