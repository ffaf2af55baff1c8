"""Write `docs/circuit.schema.json` from the models: `python -m vizengine.report.document`."""

from __future__ import annotations

import json
from pathlib import Path

from vizengine.report.model import Report


def schema_text() -> str:
    """The content of `docs/circuit.schema.json`: what a `circuit.json` holds, field by field."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema(mode="serialization")}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def write(root: Path) -> None:
    """Write the schema into a checkout."""
    (root / "docs" / "circuit.schema.json").write_text(schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).parent.parent.parent)
