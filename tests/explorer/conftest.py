"""Pages of the explorer, opened in Chromium."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from explorer.page_input import PageInput, make_page_input, write_page

SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def digits() -> PageInput:
    return make_page_input()


@pytest.fixture(scope="session")
def address(digits, tmp_path_factory) -> str:
    """The address of the page of the digits."""
    return write_page(tmp_path_factory.mktemp("explorer"), digits.make_data())


@pytest.fixture
def open_page(chromium) -> Iterator[Callable[..., Page]]:
    """A function that opens an address in a new browser context, which is closed after the test.

    Errors of the page are listed in page.errors, and the addresses that it requests in page.requests.
    """
    contexts = []

    def open_address(address: str, **options) -> Page:
        contexts.append(chromium.new_context(**{"viewport": SIZE} | options))
        page = contexts[-1].new_page()
        page.errors, page.requests = [], []
        page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        page.evaluate("explorer.ready")
        return page

    yield open_address
    for context in contexts:
        context.close()


@pytest.fixture
def open_data(open_page, tmp_path) -> Iterator[Callable[[dict[str, Any]], Page]]:
    """A function that opens the page of some data; at the end of the test the page must have had no error."""
    pages = []

    def open_page_of(data: dict[str, Any]) -> Page:
        pages.append(open_page(write_page(tmp_path, data)))
        return pages[-1]

    yield open_page_of
    assert [page.errors for page in pages] == [[]] * len(pages)


@pytest.fixture
def page(open_page, address) -> Iterator[Page]:
    """The page of the digits; at the end of the test it must have had no error and requested nothing else."""
    page = open_page(address)
    yield page
    assert page.errors == [] and page.requests == [address]
