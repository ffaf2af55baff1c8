"""Run the campaigns, all or by name, and put what they found into docs/trust.md.

python -m tests.campaign [NAME ...]
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time

from tests.campaign.catalogue import CAMPAIGNS
from tests.campaign.table import Finding, record


def main() -> int:
    """Run what was asked for; the exit status is 1 where a promise did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="Put the promises to the test.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CAMPAIGNS)}; all without one")
    names = parser.parse_args().names or list(CAMPAIGNS)
    if unknown := [name for name in names if name not in CAMPAIGNS]:
        parser.error(f"there is no campaign {', '.join(unknown)}; there are {', '.join(CAMPAIGNS)}")
    held = True
    for name in names:
        campaign = CAMPAIGNS[name]
        started = time.monotonic()
        print(f"{name}: {campaign.promise}", flush=True)
        result = campaign.run()
        print(f"{name}: {result.cases:,} cases in {time.monotonic() - started:.0f} s: {result.outcome}", flush=True)
        held = held and result.held
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        command = f"python -m tests.campaign {name}"
        record({name: Finding(campaign.promise, campaign.method, result.cases, result.outcome, command, date)})
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
