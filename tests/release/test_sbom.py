"""The bill of materials is of vizengine and the lock, and refuses what is neither."""

from __future__ import annotations

from typing import Any

import pytest

from tools.release.sbom import bill_of
from vizengine import __version__


def _listed(**versions: str) -> dict[str, Any]:
    references = {name: f"{name}=={version}" for name, version in versions.items()}
    return {
        "metadata": {"tools": {}},
        "components": [
            {"bom-ref": references[name], "name": name, "version": version, "type": "library"}
            for name, version in versions.items()
        ],
        "dependencies": [{"ref": reference} for reference in references.values()],
    }


def test_vizengine_is_at_the_head_and_pip_is_not_of_it() -> None:
    bill = bill_of(_listed(vizengine=__version__, PyYAML="6.0.3", pip="26"), {"pyyaml"})
    head = bill["metadata"]["component"]
    assert (head["name"], head["type"]) == ("vizengine", "application")
    assert [component["name"] for component in bill["components"]] == ["PyYAML"]
    assert [entry["ref"] for entry in bill["dependencies"]] == [f"vizengine=={__version__}", "PyYAML==6.0.3"]


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({"vizengine": "0.0.1", "rich": "15"}, f"vizengine 0.0.1 is installed; expected {__version__}"),
        ({"rich": "15"}, "vizengine None is installed"),
        ({"vizengine": __version__}, "differ by rich"),
        ({"vizengine": __version__, "rich": "15", "left-pad": "1"}, "differ by left-pad"),
    ],
)
def test_what_is_neither_ours_nor_the_lock_s_is_refused(versions: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bill_of(_listed(**versions), {"rich"})
