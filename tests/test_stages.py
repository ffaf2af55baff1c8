"""A stage's version is raised when what it computes changes, and not when its code is only written otherwise."""

from __future__ import annotations

import json
import sys
import types

import pytest

from tools import stages


def test_no_stage_changed_without_a_new_version() -> None:
    recorded = json.loads(stages.FILE.read_text(encoding="utf-8"))
    now = stages.code_hashes()
    silent = [name for name in now if name in recorded and now[name]["version"] == recorded[name]["version"]]
    changed = [name for name in silent if now[name] != recorded[name]]
    assert not changed, (
        f"the code of {', '.join(changed)} changed: raise `version` where the stage is defined if its results differ, "
        "then run `python -m tools.stages`"
    )
    assert now == recorded, "run `python -m tools.stages`"


PLAIN = """
class Total:
    def of(self, values):
        return sum(values)

def helper(values):
    return [value * 2 for value in values]

def stage(values, total: Total):
    doubled = helper(values)
    return total.of(doubled)
"""
SAME = {
    "a docstring": PLAIN.replace("def stage(values, total: Total):", 'def stage(values, total: Total):\n    "What."'),
    "a comment": PLAIN.replace("    doubled", "    # Twice.\n    doubled"),
    "names of variables": PLAIN.replace("doubled", "twice").replace("value ", "number "),
    "names of functions": PLAIN.replace("helper", "double"),
    "the order of functions": PLAIN.replace(PLAIN[PLAIN.index("def helper") :], "")
    + PLAIN[PLAIN.index("def stage") :]
    + "\n"
    + PLAIN[PLAIN.index("def helper") : PLAIN.index("def stage")],
}
OTHER = {
    "a number in a helper": PLAIN.replace("* 2", "* 3"),
    "a method of an argument's class": PLAIN.replace("sum(values)", "max(values)"),
    "the order of what is used": PLAIN.replace("total.of(doubled)", "helper(total.of(values))"),
    "a keyword": PLAIN.replace("total.of(doubled)", "total.of(values=doubled)"),
}


def _hash(source: str, monkeypatch: pytest.MonkeyPatch) -> str:
    module = types.ModuleType("vizengine.for_a_test")
    exec(source, module.__dict__)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        patch.setattr(stages.inspect, "getsource", lambda found: source)
        stages._module.cache_clear()
        stages._tokens.cache_clear()
        result = stages._closure_hash([(module.__name__, "stage")])
    stages._module.cache_clear()
    stages._tokens.cache_clear()
    return result


@pytest.mark.parametrize("source", SAME.values(), ids=SAME)
def test_what_changes_no_result_keeps_the_hash(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _hash(source, monkeypatch) == _hash(PLAIN, monkeypatch)


@pytest.mark.parametrize("source", OTHER.values(), ids=OTHER)
def test_what_changes_a_result_changes_the_hash(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _hash(source, monkeypatch) != _hash(PLAIN, monkeypatch)
