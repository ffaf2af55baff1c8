"""`python -m vizengine`: the same as `generate.py`."""

from __future__ import annotations

from vizengine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
