"""Write a whole site at once: staged beside the old one, verified, swapped in by rename.

A run that fails or is killed leaves the old site standing. What may be replaced, `marker.check_target` says, so that
a slip in `--out` can't cost anyone their files.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from vizengine.errors import BuildFailed, VizengineError
from vizengine.render.marker import MARKER, Marker, check_target, listed, maker, name_of
from vizengine.render.verify import Verifier

logger = logging.getLogger(__name__)

# A folder of the site with nothing in place of its content takes back all files that came before with that folder.
Files = Mapping[str, bytes] | Iterable[tuple[str, bytes | None]]


def write(
    target: Path, files: Files, config: Path, replace: bool = False, beside: frozenset[str] = frozenset()
) -> Path:
    """Put a site into a folder, and say in the log what it replaced.

    Args:
        target: the folder; its parents are made where they don't exist.
        files: contents by path relative to the folder, with slashes; one after the other where they are many.
        config: the config whose site it is.
        replace: whether it may replace what another config's build wrote.
        beside: addresses, from the folder, of pages outside of it to which its own may link.

    Returns:
        Path of the site's `index.html`.

    Raises:
        VizengineError: `target` may not be replaced, or a path leads out of it, or the disk refuses.
        BuildFailed: a page doesn't stand up to verification; the old site still stands.
    """
    folder = Path(os.path.abspath(target.expanduser())).resolve()
    try:
        check_target(target, config, replace)
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        check_target(target, config, replace)
        with _staged(folder) as staged:
            names = _fill(staged, files, beside)
            marker = Marker(name_of(config, folder), frozenset(names))
            (staged / MARKER).write_text(marker.text(), encoding="utf-8")
            # Whoever put a file of theirs there meanwhile keeps it.
            check_target(target, config, replace)
            before = Marker.read(folder)
            _swap(staged, folder)
    except OSError as error:
        raise VizengineError(
            f"The site could not be written to {target}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. Expected a folder that can be written, on a disk "
            "with room; free some, or name another with `--out`."
        ) from error
    if before is not None:
        gone = sorted(before.files - names)
        logger.info(
            "replaced in %s: the %d files that %s made before%s",
            target,
            len(before.files),
            config if before.config == marker.config else maker(before, target),
            f"; no longer there: {listed(gone)}" if gone else "",
        )
    return target / "index.html"


def recover(target: Path) -> bool:
    """Put back the old site where a run was killed between the two renames of its swap.

    Returns:
        whether there was anything to put back.
    """
    target = Path(os.path.abspath(target.expanduser())).resolve()
    if not target.name:
        return False
    old = _beside(target, "previous")
    if old.is_symlink() or not old.is_dir():
        if os.path.lexists(old):
            # No run of ours leaves such a thing; it would be in the way of the next swap.
            old.unlink()
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
        if left.is_symlink():
            left.unlink(missing_ok=True)
        elif left == staged or not _is_running(left.name.rpartition("-")[2]):
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
        if content is None:
            shutil.rmtree(staged / name, ignore_errors=True)
            names = {each for each in names if not each.startswith(f"{name}/")}
            verifier.forget(name)
            continue
        names.add(name)
        verifier.see(name, content)
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    problems = verifier.end(lambda name: (staged / name).read_bytes())
    if problems:
        raise BuildFailed("The site was not written, the one before still stands:\n" + "\n".join(problems))
    return names


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
