"""Build the site that a config describes: `python generate.py config.yaml`."""

from vizengine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
