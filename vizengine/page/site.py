"""A site's folder: locked while it is written, replaced as a whole, and only where a build wrote all of it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from vizengine.errors import BuildFailed, VizengineError
from vizengine.page.verify import Verifier

logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


@contextmanager
def lock(target: Path) -> Iterator[None]:
    """Lock a folder for this process until the block ends; the system unlocks it when the process dies.

    Another run waits, and finds in the cache what this one computed. The lock lies in the system's folder for
    temporary files, so that nothing is left beside the site. The folder needn't exist.

    Raises:
        VizengineError: there is no place for the lock.
    """
    folder = _absolute(target).resolve()
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    path = Path(tempfile.gettempdir()) / f"vizengine-{os.getuid() if hasattr(os, 'getuid') else 'user'}-{name}.lock"
    file = FileLock(path)
    try:
        try:
            file.acquire(timeout=0)
        except Timeout:
            logger.info("another run is at work on %s; waiting until it ends", target)
            file.acquire(poll_interval=_POLL_SECONDS)
    except OSError as error:
        raise VizengineError(
            f"{path} can't be opened ({error.strerror or error}), and without it two runs could write {target} at "
            "once. Expected a folder for temporary files with room in it; name one with TMPDIR."
        ) from error
    try:
        yield
    finally:
        file.release()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))


MARKER = ".vizengine-site"
"""Name of the file, in each folder that a build wrote, that says so."""
_ABOUT = "This folder was written by vizengine, which replaces it as a whole."
# What operating systems put into folders by themselves; nobody misses it.
_DROPPED = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_FILES_NAMED = 5


@dataclass(frozen=True)
class Marker:
    """What the marker of a folder says: whose build wrote it, as `name_of` gives it, and which files, with slashes."""

    config: str
    files: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> Marker | None:
        """The marker of a folder, or None where it has none that can be read."""
        path = folder / MARKER
        try:
            match json.loads(path.read_text(encoding="utf-8")) if not path.is_symlink() else None:
                case {"config": str(config), "files": [*files]} if all(isinstance(file, str) for file in files):
                    return cls(config, frozenset(files))
        except (OSError, ValueError, RecursionError):
            pass
        return None

    def text(self) -> str:
        """The content of the marker's file."""
        return json.dumps({"about": _ABOUT, "config": self.config, "files": sorted(self.files)}, indent=1) + "\n"


def name_of(config: Path, folder: Path) -> str:
    """The name of a config in the marker of a folder: its path from the folder, which stays the same in a clone.

    Where the folder isn't inside that of the config, the hash of that path: it would publish names of other folders.
    """
    place, folder = config.parent.resolve(), folder.resolve()
    try:
        path = Path(os.path.relpath(place / config.name, folder)).as_posix()
    except ValueError:  # On Windows there is no way from one drive to another.
        path = (place / config.name).as_posix()
    if place in folder.parents:
        return path
    return f"sha256:{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()}"


def check_target(target: Path, config: Path, replace: bool = False) -> None:
    """Make sure that a config's build may write a folder, and that nobody loses anything by it.

    Args:
        replace: whether it may replace what another config's build wrote.

    Raises:
        VizengineError: the folder is a file, lies behind a link, or holds files that no build or another config's
            wrote.
    """
    folder = _absolute(target)
    if link := _link_to(folder, config.parent):
        raise VizengineError(
            f"{link} is a link, and nothing is written through links. Expected a folder; name the one that the link "
            "leads to with `--out`, or remove the link."
        )
    if not folder.exists():
        return
    if not folder.is_dir():
        raise VizengineError(f"`out` names {target}, which is a file; expected a folder. Name another with `--out`.")
    marker = Marker.read(folder)
    if marker is None:
        if all(path.name.lower() in _DROPPED for path in folder.iterdir()):
            return
        raise VizengineError(
            f"{target} holds files and is no site written by vizengine (it has no {MARKER} that can be read), so it "
            "is left alone. Expected an empty folder, one that doesn't exist yet, or a site from an earlier run; name "
            "such a one with `--out`."
        )
    problems = []
    if strange := strange_files(folder, marker):
        problems.append(
            f"{target} holds what no build wrote: {listed(strange)}. A build replaces its folder as a whole, so it is "
            "left alone. Expected a folder without such files; move them elsewhere, or name another with `--out`."
        )
    if marker.config != name_of(config, folder) and not replace:
        problems.append(
            f"{target} holds what {maker(marker, target)} made, and {config} would replace it. Expected a folder of "
            "its own: set `out` under `site`, or name one with `--out`. `--replace` replaces it all the same."
        )
    if problems:
        raise VizengineError("\n".join(problems))


def maker(marker: Marker, target: Path) -> str:
    """The config that made a folder, in words: its path, where that is known."""
    elsewhere = marker.config.startswith("sha256:")
    return "a config elsewhere" if elsewhere else os.path.normpath(target / marker.config)


def strange_files(folder: Path, marker: Marker) -> list[str]:
    """What is in a folder and isn't from the build that wrote it: paths of files and links, sorted."""
    strange = []
    for place, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            expected = name in folders or relative in marker.files or relative == MARKER or name.lower() in _DROPPED
            # A build makes no links, whatever the marker says.
            if path.is_symlink() or not expected:
                strange.append(relative)
    return sorted(strange)


def _raise(error: OSError) -> None:
    raise error


def listed(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - _FILES_NAMED
    return ", ".join(names[:_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _link_to(folder: Path, place: Path) -> Path | None:
    """A link that is the folder itself, or on the way to it from the config's folder; None where there is none."""
    base = Path(os.path.abspath(place))
    between = [parent for parent in folder.parents if base in parent.parents]
    return next((path for path in (folder, *between) if path.is_symlink()), None)


Files = Iterable[tuple[str, bytes | None]]
"""Path relative to the folder, with slashes, and content of each file of a site. A folder with nothing in place of its
content takes back all files that came before with that folder."""


def write(
    target: Path, files: Files, config: Path, replace: bool = False, beside: frozenset[str] = frozenset()
) -> Path:
    """Put a site into a folder, and log what it replaced.

    Args:
        target: the folder; its missing parents are made.
        replace: whether it may replace what another config's build wrote.
        beside: addresses, from the folder, of pages outside of it to which its own may link.

    Returns:
        Path of the site's `index.html`.

    Raises:
        VizengineError: `target` may not be replaced, or a path leads out of it, or the disk refuses.
        BuildFailed: a page has problems; the old site stays.
    """
    folder = _absolute(target).resolve()
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


def recover(target: Path) -> None:
    """Put back the old site where a run was killed between the two renames of its swap."""
    target = _absolute(target).resolve()
    if not target.name or not os.path.lexists(old := _beside(target, "previous")):
        return
    if old.is_symlink() or not old.is_dir():
        # No run of ours leaves such a thing; it would be in the way of the next swap.
        old.unlink()
    elif target.exists():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.rename(target)
        logger.warning("the site before was put back: a run was interrupted while it put a new one in its place")


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    unsafe = not path.parts or path.is_absolute() or str(path) != name or ".." in path.parts
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
    """Write and verify the files; their names."""
    verifier, names = Verifier(beside), set[str]()
    for name, content in files:
        _check_name(name)
        if content is None:
            shutil.rmtree(staged / name, ignore_errors=True)
            names = {path for path in names if not path.startswith(f"{name}/")}
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
