"""Write a whole site at once: staged beside the old one, verified, swapped in by rename.

A run that fails or is killed leaves the old site standing. Only a folder that an earlier run wrote, an empty
folder, or none at all is replaced, so that a slip in `--out` can't cost anyone their files.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from vizengine.errors import BuildFailed, VizengineError
from vizengine.render.verify import Verifier

logger = logging.getLogger(__name__)

MARKER = ".vizengine-site"
_MARKER_HEAD = "This folder was written by vizengine, which replaces it as a whole. Its files:\n"


Files = Mapping[str, bytes] | Iterable[tuple[str, bytes]]


def write(target: Path, files: Files, beside: frozenset[str] = frozenset()) -> Path:
    """Put a site into a folder.

    Files in the folder that no earlier run wrote (a `CNAME`, for example) are carried over.

    Args:
        target: the folder; its parents are made where they don't exist.
        files: contents by path relative to the folder, with slashes; one after the other where they are many.
        beside: addresses, from the folder, of pages outside of it to which its own may link.

    Returns:
        Path of the site's `index.html`.

    Raises:
        VizengineError: `target` is not a site of ours, or a path leads out of it, or the disk refuses.
        BuildFailed: a page doesn't stand up to verification; the old site still stands.
    """
    folder = Path(os.path.abspath(target.expanduser())).resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        check_target(folder)
        with _staged(folder) as staged:
            names = _fill(staged, files, beside)
            _carry_over(staged, folder, names)
            _swap(staged, folder)
    except OSError as error:
        raise VizengineError(
            f"The site could not be written to {target}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. Expected a folder that can be written, on a disk "
            "with room; free some, or name another with `--out`."
        ) from error
    return target / "index.html"


def check_target(target: Path) -> None:
    """Make sure that `target` may be replaced.

    Raises:
        VizengineError: it is a file, or a folder with files that no run of ours wrote.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise VizengineError(f"`out` names {target}, which is a file; expected a folder. Name another with `--out`.")
    if any(target.iterdir()) and not (target / MARKER).is_file():
        raise VizengineError(
            f"{target} holds files and is no site written by vizengine (it has no {MARKER}), so it is left alone. "
            "Expected an empty folder, one that doesn't exist yet, or a site from an earlier run; name such a one with "
            "`--out`."
        )


def recover(target: Path) -> bool:
    """Put back the old site where a run was killed between the two renames of its swap.

    Returns:
        whether there was anything to put back.
    """
    target = Path(os.path.abspath(target.expanduser())).resolve()
    if not target.name or not (old := _beside(target, "previous")).is_dir():
        return False
    if not target.exists():
        old.rename(target)
        logger.warning("the site before was put back: a run was interrupted while it put a new one in its place")
        return True
    shutil.rmtree(old, ignore_errors=True)
    return False


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    parts = path.parts
    unsafe = not parts or path.is_absolute() or str(path) != name or any(part in ("..", ".") for part in parts)
    if unsafe or "\\" in name or ":" in name or "\0" in name or name == MARKER:
        raise VizengineError(f"A file of the site would be named {name!r}; expected a path inside the site's folder.")


def _beside(target: Path, purpose: str) -> Path:
    return target.with_name(f".{target.name}.vizengine-{purpose}")


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """A fresh folder beside `target`, gone afterwards unless it was renamed."""
    staged = _beside(target, f"new-{os.getpid()}")
    for left in target.parent.glob(f".{target.name}.vizengine-new-*"):
        if left == staged or not _is_running(left.name.rpartition("-")[2]):
            shutil.rmtree(left, ignore_errors=True)
    staged.mkdir()
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _is_running(process: str) -> bool:
    """Whether a process still runs; where that can't be told, it is taken to run."""
    if os.name != "posix" or not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _fill(staged: Path, files: Files, beside: frozenset[str]) -> set[str]:
    """Write and verify the files; their names.

    Raises:
        BuildFailed: a name leads out of the folder, or a page doesn't stand up to verification.
    """
    verifier, names = Verifier(beside), set[str]()
    for name, content in files.items() if isinstance(files, Mapping) else files:
        _check_name(name)
        names.add(name)
        verifier.see(name, content)
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    problems = verifier.end(lambda name: (staged / name).read_bytes())
    if problems:
        raise BuildFailed("The site was not written, the one before still stands:\n" + "\n".join(problems))
    return names


def _carry_over(staged: Path, target: Path, names: set[str]) -> None:
    """Take along what no run of ours wrote into the old site, and note what this one wrote."""
    for name in _foreign(target):
        if name in names:
            logger.warning("%s in %s is not from an earlier run and is replaced", name, target.name)
        elif not (staged / name).exists():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target / name, staged / name, follow_symlinks=False)
    (staged / MARKER).write_text(_MARKER_HEAD + "".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


def _foreign(target: Path) -> list[str]:
    """Files in the old site that the run which wrote it didn't write."""
    if not target.is_dir():
        return []
    marker = target / MARKER
    ours = set(marker.read_text(encoding="utf-8").splitlines()) if marker.is_file() else set()
    found = (path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(name for name in found if name not in ours and name != MARKER)


def _swap(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    mode = target.stat().st_mode & 0o777
    old = _beside(target, "previous")
    target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        old.rename(target)
        raise
    target.chmod(mode)
    shutil.rmtree(old, ignore_errors=True)
