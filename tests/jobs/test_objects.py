"""Objects of a store: listed once, links followed, copied and compared."""

import os
import shutil

import pytest
from zarr.storage import FsspecStore, LocalStore, MemoryStore, StorePath

from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.jobs import objects
from tinc_codec.jobs.objects import (
    copy_objects,
    directory_of,
    folders,
    join,
    listable,
    present,
    read_objects,
    shown,
    sizes,
    write_objects,
)

FILES = {"zarr.json": b"{}", "a/c/0": b"chunk", "a/ä#1.txt": b"", "b/c/d/e": b"deep"}


@pytest.fixture(params=["directory", "memory", "below a path"])
def place(request, tmp_path):
    kinds = {
        "directory": lambda: StorePath(LocalStore(tmp_path / "s")),
        "memory": lambda: StorePath(MemoryStore()),
        "below a path": lambda: StorePath(MemoryStore(), "outer/inner"),
    }
    where = kinds[request.param]()
    write_objects(where, FILES)
    return where


def test_every_object_is_listed_once_by_its_folder(place):
    listed = {join(folder, name) for folder, names in folders(place) for name in names}
    assert listed == set(FILES)
    assert len(list(folders(place))) == 4


def test_those_that_exist_are_read_and_measured(place):
    keys = [*FILES, "nothing", "a/nothing"]
    assert read_objects(place, keys) == FILES
    assert sizes(place, keys) == {key: len(data) for key, data in FILES.items()}
    assert present(place, keys) == set(FILES)
    assert read_objects(place, []) == {}


def test_copies_are_the_same_and_made_once(place, tmp_path, monkeypatch):
    for number, destination in enumerate((StorePath(LocalStore(tmp_path / "t")), StorePath(MemoryStore(), "x"))):
        copy_objects(place, destination, FILES)
        assert read_objects(destination, FILES) == FILES
        copied = []
        monkeypatch.setattr(objects.shutil, "copy2", lambda *paths, copied=copied: copied.append(paths))
        copy_objects(place, destination, FILES)
        assert copied == []
        monkeypatch.undo()
        assert number in (0, 1)


def test_a_copy_that_is_not_the_same_is_an_error(tmp_path, monkeypatch):
    source, destination = (StorePath(LocalStore(tmp_path / name)) for name in "st")
    write_objects(source, FILES)
    monkeypatch.setattr(objects.shutil, "copy2", lambda _, to: to.write_bytes(b"other"))
    with pytest.raises(JobError, match="is not the same: does something write there"):
        copy_objects(source, destination, ["a/c/0"])
    with pytest.raises(JobError, match="is not the same"):
        copy_objects(source, StorePath(MemoryStore()), ["gone"])


def test_links_are_followed_and_refused_where_they_lead_nowhere_or_around(tmp_path):
    root = tmp_path / "s"
    (root / "real").mkdir(parents=True)
    (root / "real" / "file").write_text("x")
    (root / "link").symlink_to("real")
    (root / "alias").symlink_to("real/file")
    place = StorePath(LocalStore(root))
    assert sorted(join(*entry) for folder, names in folders(place) for entry in [(folder, n) for n in names]) == [
        "alias",
        "link/file",
        "real/file",
    ]
    for name, aim, words in (("gone", "nowhere", "link to nowhere, which is not there"), ("loop", ".", "it lies in")):
        (root / "real" / name).symlink_to(aim)
        with pytest.raises(ConfigurationError, match=words):
            list(folders(place))
        (root / "real" / name).unlink()
    os.mkfifo(root / "pipe")
    with pytest.raises(ConfigurationError, match="neither a file nor a folder"):
        list(folders(place))
    shutil.rmtree(root)


def test_places_are_shown_and_listed_by_what_they_are(tmp_path):
    local = StorePath(LocalStore(tmp_path), "a")
    assert directory_of(local) == tmp_path / "a"
    assert directory_of(StorePath(MemoryStore(), "a")) is None
    assert shown(local) == f"file://{tmp_path}/a"
    assert listable(local)
    web = FsspecStore.from_url("http://localhost:1/s.zarr", read_only=True)
    assert not listable(StorePath(web))
    assert shown(StorePath(web, "a")) == "http://localhost:1/s.zarr/a"
