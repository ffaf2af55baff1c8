"""Archives of photos: unpacked once, whole and nowhere else; hostile and broken ones are refused in words."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.network.weights_server import WeightsServer, serving
from tests.runs import run
from vizengine.check import check, missing_photos
from vizengine.errors import ConfigError, PhotosUnavailable
from vizengine.measures import archives
from vizengine.measures.photo_sources import PhotoSources
from vizengine.network.catalogue import PublishedFile

CONFIG = """\
site: {title: Archives}
visualization: {size: 32, steps: 2, attempts: 1}
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: conv1, index: 3}
    inputs: 2
    photos: PHOTOS
"""


@pytest.fixture(autouse=True)
def unpacked(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder into which photos are downloaded and unpacked."""
    folder = tmp_path_factory.mktemp("cache") / "photos"
    monkeypatch.setenv("VIZENGINE_PHOTOS", str(folder))
    return folder


def _picture(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def _config(folder: Path, photos: str, more: str = "") -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("PHOTOS", photos) + more)
    return path


def _names(photos: str, folder: Path) -> list[str]:
    return [photo.path.name for photo in PhotoSources(photos, folder).found]


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_zip_gives_its_pictures_and_is_unpacked_once(tmp_path: Path, unpacked: Path) -> None:
    entries = {"./b/2.png": _picture(2), "a/1.PNG": _picture(1), "b\\3.jpg": b"three", "notes.txt": b"", "a/x.py": b""}
    _zip(tmp_path / "photos.zip", {**entries, "__MACOSX/a/._1.png": b"", ".hidden/4.png": b"four", "empty/": b""})
    assert check(_config(tmp_path, "photos.zip")) and not unpacked.exists(), "a check unpacks nothing"
    assert _names("photos.zip", tmp_path) == ["1.PNG", "2.png", "3.jpg"]
    folder = unpacked / hashlib.sha256((tmp_path / "photos.zip").read_bytes()).hexdigest()
    assert [name for name in _files(folder) if "/" in name] == ["a/1.PNG", "b/2.png", "b/3.jpg"]
    assert (folder / "b" / "2.png").read_bytes() == _picture(2)
    before = (folder / "b" / "2.png").stat().st_mtime_ns
    (tmp_path / "photos.zip").rename(tmp_path / "other.zip")
    assert _names("other.zip", tmp_path) == ["1.PNG", "2.png", "3.jpg"]
    assert (folder / "b" / "2.png").stat().st_mtime_ns == before, "the content counts, not the name"
    # What a disk lost is unpacked again, and so is what a killed run left half.
    (folder / "b" / "2.png").write_bytes(b"")
    folder.with_name(f"{folder.name}.part").mkdir()
    assert _names("other.zip", tmp_path)[1] == "2.png" and (folder / "b" / "2.png").read_bytes() == _picture(2)
    assert [path.name for path in unpacked.iterdir() if not path.name.startswith(".")] == [folder.name]


def _with_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("passwords.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")


def _with_password(path: Path) -> None:
    _zip(path, {"a.png": _picture()})
    raw = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(signature) + flags] |= 1
    path.write_bytes(raw)


def _damaged(path: Path) -> None:
    _zip(path, {"a.png": _picture(), "b.png": bytes(5000)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(bytes(5000), b"\1" * 5000))


def _cut(path: Path) -> None:
    _zip(path, {"a.png": _picture()})
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: _zip(path, {"a.png": b"", "../../out.png": b""}), "holds `../../out.png`, which leads out of it"),
        (lambda path: _zip(path, {"a\\..\\..\\out.png": b""}), "which leads out of it"),
        (lambda path: _zip(path, {"/tmp/out.png": b""}), "holds `/tmp/out.png`, which leads out of it"),
        (lambda path: _zip(path, {"C:out.png": b""}), "holds `C:out.png`, which leads out of it"),
        (_with_link, "holds the link or device `passwords.png`; expected files"),
        (lambda path: _zip(path, {"a.png": b"1", "./a.png": b"2"}), "holds `a.png` twice"),
        (lambda path: _zip(path, {"a.txt": b"1"}), "no images in photos.zip; expected at least one file that ends in"),
        (lambda path: _zip(path, {f"{number}.png": b"" for number in range(6)}), "holds more than 5 pictures"),
        (lambda path: _zip(path, {"a.png": bytes(10**6)}, zipfile.ZIP_DEFLATED), "would unpack to more than 0.1 MB"),
        (
            lambda path: path.write_bytes(b"no zip at all"),
            "can't be unpacked (File is not a zip file); expected a whole",
        ),
        (_cut, "can't be unpacked (File is not a zip file)"),
    ],
)
def test_a_hostile_or_broken_zip_is_told_before_anything_is_written(
    tmp_path: Path, unpacked: Path, make: Callable[[Path], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_PICTURES", 5)
    monkeypatch.setattr(archives, "ALWAYS_ADMITTED", 100_000)
    make(tmp_path / "photos.zip")
    with pytest.raises(ConfigError) as caught:
        check(_config(tmp_path, "[samples, photos.zip]"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (8, "circuits.one.photos.1") and words in problem.message
    before = _files(tmp_path)
    with pytest.raises(archives.ArchiveRefused):
        _names("photos.zip", tmp_path)
    assert _files(tmp_path) == before and not [path for path in unpacked.iterdir() if not path.name.startswith(".")]


@pytest.mark.parametrize(("make", "words"), [(_damaged, "Bad CRC-32"), (_with_password, "password required")])
def test_what_shows_only_when_it_is_unpacked_leaves_nothing(
    tmp_path: Path, unpacked: Path, make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / "photos.zip")
    with pytest.raises(archives.ArchiveRefused, match=rf"photos.zip can't be unpacked \(.*{words}.*make or fetch it"):
        _names("photos.zip", tmp_path)
    assert not [path for path in unpacked.iterdir() if not path.name.startswith(".")]


def test_an_archive_lies_where_photos_may_lie(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    _zip(outside / "far.zip", {"far.png": _picture()})
    (inside / "link.zip").symlink_to(outside / "far.zip")
    (inside / "away").symlink_to(outside)
    (inside / "folder.zip").mkdir()
    (inside / "folder.zip" / "plain.png").write_bytes(_picture())
    assert _names("folder.zip", inside) == ["plain.png"]
    for named in ("../outside/far.zip", str(outside / "far.zip")):
        check(_config(inside, named))
        assert _names(named, inside) == ["far.png"]
        assert PhotoSources(named, inside).outside == (outside / "far.zip",)
    refused = {
        "link.zip": "is a link that leads elsewhere",
        "away/far.zip": "by a link",
        "none.zip": "no archive none.zip",
    }
    for named, words in refused.items():
        with pytest.raises(ConfigError, match=words):
            check(_config(inside, named))
    with pytest.raises(ConfigError, match="--confined takes nothing"):
        check(_config(inside, "../outside/far.zip"), confined=True)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIZENGINE_PHOTOS", str(tmp_path / "file" / "photos"))
    _zip(tmp_path / "photos.zip", {"a.png": _picture()})
    with pytest.raises(PhotosUnavailable, match=r"photos.zip can't be unpacked into .* let VIZENGINE_PHOTOS name"):
        _names("photos.zip", tmp_path)


def _tar(entries: dict[str, bytes], link: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link.png")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return stream.getvalue()


PICTURES = {"set/train/b.JPEG": _picture(1), "set/train/a.JPEG": _picture(2), "set/labels.csv": b"a,b"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """A server that gives a small archive in the place of Imagenette's."""
    body = _tar(PICTURES)
    with serving(body) as running:
        small = PublishedFile("set.tgz", running.address + "set.tgz", hashlib.sha256(body).hexdigest(), 1)
        monkeypatch.setattr(archives, "IMAGENETTE", small)
        yield running


def test_imagenette_is_fetched_once_goes_on_and_is_unpacked(
    tmp_path: Path, unpacked: Path, server: WeightsServer
) -> None:
    config = check(_config(tmp_path, "imagenette"))
    ((section, missing),) = missing_photos(config)
    assert section.name == "one" and "there is no set.tgz in" in missing.reason
    assert str(unpacked) in missing.mend and "VIZENGINE_PHOTOS" in missing.mend and not server.asked
    server.break_after = 5000
    with pytest.raises(PhotosUnavailable, match=r"No photos of Imagenette: .* download failed .*are kept.* Put set"):
        _names("imagenette", tmp_path)
    server.break_after = None
    assert _names("imagenette", tmp_path) == ["a.JPEG", "b.JPEG"] == _names("imagenette", tmp_path)
    assert server.asked[0] == "" and server.asked[1].startswith("bytes=4") and missing_photos(config) == []
    (folder,) = (path for path in unpacked.iterdir() if not path.name.startswith("."))
    assert [name for name in _files(folder) if "/" in name] == ["set/train/a.JPEG", "set/train/b.JPEG"]
    assert all(photo.credit for photo in PhotoSources("imagenette", tmp_path).found)


def test_imagenette_that_lies_there_is_not_fetched_and_another_file_is_told(
    tmp_path: Path, unpacked: Path, server: WeightsServer
) -> None:
    unpacked.mkdir()
    (unpacked / "set.tgz").write_bytes(b"another file")
    server.page = True
    with pytest.raises(PhotosUnavailable, match=r"set\.tgz in .* has sha256 .*, expected .* isn't the file"):
        _names("imagenette", tmp_path)
    server.asked.clear()
    (unpacked / "set.tgz").write_bytes(server.body)
    assert _names("imagenette", tmp_path) == ["a.JPEG", "b.JPEG"] and not server.asked
    assert (unpacked / "set.tgz").exists(), "what its user put there stays"


@pytest.mark.parametrize(
    ("body", "words"),
    [(_tar({"../out.png": b""}), "leads out of it"), (_tar(PICTURES, "/etc/passwd"), "the link or device `link.png`")],
    ids=["outside", "link"],
)
def test_a_tar_is_as_little_trusted_as_a_zip(tmp_path: Path, unpacked: Path, body: bytes, words: str) -> None:
    (tmp_path / "set.tgz").write_bytes(body)
    with pytest.raises(archives.ArchiveRefused, match=words):
        archives.unpacked(tmp_path / "set.tgz", "abc", "set.tgz")
    assert not [path for path in unpacked.iterdir() if not path.name.startswith(".")]


def test_where_imagenette_cannot_be_had_it_costs_its_own_circuit_alone(tmp_path: Path, unpacked: Path) -> None:
    _zip(tmp_path / "photos.zip", {"a/same.png": _picture(1), "b/same.png": _picture(2)})
    circuit = CONFIG.partition("circuits:\n")[2]
    other = circuit.replace("name: one", "name: other").replace("PHOTOS", "[imagenette, photos.zip]")
    path = _config(tmp_path, "photos.zip", other)
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9/")
    nowhere |= {"no_proxy": "", "NO_PROXY": "", "VIZENGINE_PHOTOS": str(unpacked)}
    done = run(tmp_path, "config.yaml", "--check", code=0, **nowhere)
    assert "other: photos not found: there is no imagenette2-160.tgz in" in done.stderr
    assert done.stdout == "config.yaml: 2 circuits, photos not found of other\n"
    done = run(tmp_path, "config.yaml", code=1, **nowhere)
    assert "other failed, and its place will say why: No photos of Imagenette" in done.stderr, done.stderr
    assert "Put imagenette2-160.tgz (99 MB" in (tmp_path / "site" / "other" / "index.html").read_text()
    report = json.loads((tmp_path / "site" / "one" / "circuit.json").read_text())
    assert [photo["name"] for photo in report["classification"]["photos"]] == ["same", "same"]
    path.write_text(path.read_text().replace("name: other", "name: other\n    optional: true"))
    done = run(tmp_path, "config.yaml", code=0, **nowhere)
    assert "other is left out: No photos of Imagenette" in done.stderr
