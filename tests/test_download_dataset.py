"""Sources of every kind, from a real server on this machine, good ones and bad ones."""

import gzip
import hashlib
import io
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from download_dataset import (
    IDX_FILES,
    download,
    fetch,
    new_session,
    pairs_from_parts,
    parts_from_pairs,
    read_idx,
    verify,
    write_idx,
)

from common.errors import UserError
from common.readers.mnist_pickle import write_pairs


@pytest.fixture(scope="module")
def served(tmp_path_factory, parts, pairs):
    """The address of a server that has the data set as an IDX folder, as a pickle, and as a registry's wheel."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("idx", "truncated", "changed", "simple/digits"):
        (folder / name).mkdir(parents=True)
    with zipfile.ZipFile(folder / "digits-1.0-py3-none-any.whl", "w") as wheel:
        for part, name in IDX_FILES.items():
            data = write_idx(parts[part])
            packed = gzip.compress(data)
            (folder / "idx" / f"{name}.gz").write_bytes(packed)
            (folder / "truncated" / f"{name}.gz").write_bytes(packed[:-100])
            (folder / "changed" / f"{name}.gz").write_bytes(gzip.compress(data[:-1] + bytes([data[-1] ^ 1])))
            wheel.writestr(f"digits/{name.replace('-idx', '.idx')}", data)
    write_pairs(folder / "mnist.pkl.gz", pairs)
    write_pairs(folder / "oblong.pkl.gz", [(images[:, :-1], labels) for images, labels in pairs])
    (folder / "page.pkl.gz").write_text("<!DOCTYPE html><title>Gone</title>")
    wheel = "digits-1.0-py3-none-any.whl"
    (folder / "simple/digits/index.html").write_text(f'<!DOCTYPE html><a href="/{wheel}">{wheel}</a>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "source",
    [
        {"idx": "{served}/idx"},
        {"pickle": "{served}/mnist.pkl.gz"},
        {"wheel": "digits-1.0-py3-none-any.whl", "project": "digits"},
    ],
)
def test_every_kind_of_source_gives_the_same(served, source, parts, pairs, sha256, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"{served}/simple")
    write_pairs(tmp_path / "mnist.pkl.gz", pairs)
    source = {kind: place.format(served=served, folder=tmp_path) for kind, place in source.items()}
    found = download([source], sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)


def test_first_good_source_is_used_and_bad_ones_are_named(served, parts, sha256, caplog, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"{served}/simple")
    caplog.set_level("INFO")
    sources = [
        {"idx": "http://127.0.0.1:9/refused"},
        {"idx": f"{served}/missing"},
        {"idx": f"{served}/truncated"},
        {"idx": f"{served}/changed"},
        {"pickle": f"{served}/page.pkl.gz"},
        {"wheel": "other.whl", "project": "other"},
        {"pickle": f"{served}/oblong.pkl.gz"},
        {"idx": f"{served}/idx"},
        {"idx": f"{served}/never-asked"},
    ]
    found = download(sources, sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    failures = [record.getMessage() for record in caplog.records if record.getMessage().startswith("failed")]
    reasons = (
        "refused",
        "404 Client Error: ",
        "no end after",
        "wrong content",
        "not a whole gzip file",
        "other",
        "no square",
    )
    assert len(failures) == len(reasons)
    for failure, reason in zip(failures, reasons, strict=True):
        assert reason in failure
    assert "never-asked" not in caplog.text


def test_when_all_fail_one_line_lists_them_and_says_what_to_do(served, sha256):
    with pytest.raises(UserError) as raised:
        download([{"idx": f"{served}/changed"}, {"pickle": f"{served}/missing.pkl.gz"}], sha256, io.StringIO())
    message = str(raised.value)
    assert "\n" not in message
    for said in ("/changed", "wrong content", "missing.pkl.gz", "404", "name them in datasets"):
        assert said in message


def test_one_changed_pixel_is_refused(parts, sha256):
    verify(parts, sha256)
    changed = {part: array.copy() for part, array in parts.items()}
    changed["test_images"][3, 4, 5] ^= 1
    with pytest.raises(UserError, match="test_images"):
        verify(changed, sha256)


def test_idx_there_and_back(parts):
    for array in parts.values():
        assert np.array_equal(read_idx(write_idx(array)), array)
    with pytest.raises(UserError):
        read_idx(write_idx(parts["test_labels"])[:-1])


def test_idx_header_is_mnist_own():
    assert write_idx(np.zeros((2, 3, 4), np.uint8))[:16] == bytes.fromhex("00000803 00000002 00000003 00000004")
    assert write_idx(np.zeros(5, np.uint8))[:8] == bytes.fromhex("00000801 00000005")


def test_pairs_are_the_notebooks(parts):
    pairs = pairs_from_parts(parts, validation_size=250)
    assert [len(images) for images, _ in pairs] == [1297, 250, 250]
    train_images, train_labels = pairs[0]
    assert train_images.dtype == np.float32 and train_labels.dtype == np.int64
    assert np.array_equal(train_images[7] * 256, parts["train_images"][7].ravel())
    assert np.array_equal(pairs[1][1], parts["train_labels"][-250:])
    assert all(np.array_equal(array, parts[part]) for part, array in parts_from_pairs(pairs).items())
    with pytest.raises(UserError, match="validation_size: 1547 of 1547"):
        pairs_from_parts(parts, validation_size=1547)


def test_download_that_breaks_off_is_tried_again():
    class BreaksOffOnce(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            BreaksOffOnce.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"0123456789"[: 5 if BreaksOffOnce.asked == 1 else 10])

    with ThreadingHTTPServer(("127.0.0.1", 0), BreaksOffOnce) as server, new_session() as session:
        Thread(target=server.serve_forever, daemon=True).start()
        assert fetch(f"http://127.0.0.1:{server.server_port}/file", session, io.StringIO()) == b"0123456789"
        server.shutdown()
    assert BreaksOffOnce.asked == 2


def test_the_same_pairs_give_the_same_file(pairs, tmp_path):
    digests = set()
    for name in ("a.pkl.gz", "b.pkl.gz"):
        write_pairs(tmp_path / name, pairs)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
