"""The code behind each stage of the cache, as a hash: `python -m tools.stages` writes `tests/stages.json`.

The hash doesn't depend on docstrings, comments, annotations, names of variables, functions and classes, nor on where
in the package a function stands. Where it changes, either the stage's version is raised, or what is computed is still
the same; either way the file is written again, and the commit shows which.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import vizengine
from vizengine.cache import Stage
from vizengine.measures import MEASURES
from vizengine.measures.engine import stage_of

FILE = Path(__file__).resolve().parent.parent / "tests" / "stages.json"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def stages() -> dict[str, Stage[Any]]:
    """All stages of the package by name."""
    names = [module.name for module in pkgutil.walk_packages(vizengine.__path__, "vizengine.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    stages = [value for module in modules for value in vars(module).values() if isinstance(value, Stage)]
    stages += [stage_of(measure) for measure in MEASURES]
    return {stage.name: stage for stage in sorted(stages, key=lambda stage: stage.name)}


def code_hashes() -> dict[str, dict[str, object]]:
    """Version and hash of the code of each stage."""
    return {
        name: {
            "version": stage.version,
            "code": _closure_hash((code.__module__, code.__name__) for code in stage.code),
        }
        for name, stage in stages().items()
    }


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class _Module:
    """Definitions and imports of one module, by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.definitions: dict[str, ast.stmt] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.parse(inspect.getsource(importlib.import_module(name))).body:
            match node:
                case ast.FunctionDef() | ast.ClassDef():
                    self.definitions[node.name] = node
                case ast.Assign() | ast.AnnAssign():
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        for part in ast.walk(target):
                            if isinstance(part, ast.Name):
                                self.definitions[part.id] = node
                case ast.ImportFrom():
                    for alias in node.names:
                        self.imports[alias.asname or alias.name] = (node.module or "", alias.name)

    def target(self, name: str) -> tuple[str, str] | None:
        """Module and name of a definition of this package, or None for anything else."""
        if name in self.definitions:
            return self.name, name
        module, original = self.imports.get(name, ("", ""))
        if module.startswith("vizengine."):
            imported = getattr(importlib.import_module(module), original, None)
            if not isinstance(imported, ModuleType):
                return _module(module).target(original)
        return None


@cache
def _module(name: str) -> _Module:
    return _Module(name)


Definition = tuple[str, str]  # its module and its name
# Rounds in which each definition's hash takes in those of the definitions that it uses.
_ROUNDS = 3


def _closure_hash(roots: Iterable[Definition]) -> str:
    """Hash of some definitions and of all definitions of this package that they use.

    Names mustn't count, and definitions may use each other in circles: so each is hashed without its references first,
    then again with the hashes of what it refers to in their place (Weisfeiler and Lehman's refinement).
    """
    roots = list(roots)
    waiting, closure = list(roots), dict.fromkeys(roots)
    while waiting:
        for token in _tokens(*waiting.pop()):
            if isinstance(token, tuple) and token not in closure:
                closure[token] = None
                waiting.append(token)
    hashes = dict.fromkeys(closure, "")
    for _ in range(_ROUNDS):
        hashes = {
            definition: _hash(*(hashes[token] if isinstance(token, tuple) else token for token in _tokens(*definition)))
            for definition in closure
        }
    return _hash(*(hashes[root] for root in roots), *sorted(hashes.values()))


@cache
def _tokens(module_name: str, name: str) -> tuple[str | Definition, ...]:
    """A definition without what doesn't change its result; definitions that it uses stand for themselves."""
    module = _module(module_name)
    definition = module.definitions[name]
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, f"local {len(numbers)}")

    def walk(node: ast.AST, bound: frozenset[str]) -> Iterator[str | Definition]:
        if isinstance(node, _SCOPES):
            bound = bound | frozenset(_bound(node))
        match node:
            case ast.Name():
                target = None if node.id in bound else module.target(node.id)
                yield number(node.id) if node.id in bound else target or node.id
                return
            case ast.arg():
                yield number(node.arg)
                # A class that is only named here has methods that the body calls.
                yield from _classes(module, node.annotation)
                return
            case ast.AnnAssign():
                yield from _classes(module, node.annotation)
        yield type(node).__name__
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "type_comment", "ctx", "type_params"):
                continue
            if field == "name" and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                # Methods are called by their names; other functions may be renamed.
                yield number(node.name) if node.name in bound else "" if node is definition else node.name
                continue
            if field == "body" and isinstance(value, list):
                value = [child for child in value if not _is_text(child)] or [ast.Pass()]
            yield field
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child, bound)
                else:
                    yield repr(child)

    return tuple(walk(definition, frozenset()))


def _classes(module: _Module, annotation: ast.expr | None) -> Iterator[Definition]:
    for part in ast.walk(annotation) if annotation else ():
        target = module.target(part.id) if isinstance(part, ast.Name) else None
        if target and isinstance(_module(target[0]).definitions[target[1]], ast.ClassDef):
            yield target


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _bound(scope: ast.AST) -> Iterator[str]:
    """Names that a function or a comprehension binds."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node is not scope:
            yield node.name


if __name__ == "__main__":
    FILE.write_text(json.dumps(code_hashes(), indent=1) + "\n", encoding="utf-8")
