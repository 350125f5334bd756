"""What a job requests, from the size of its input."""

import pytest

from common.workflow.resources import request, total_mb


@pytest.fixture
def files(tmp_path) -> dict[str, str | list[str]]:
    """Inputs of a job by name: one file of 2 MB, and two of 2 MB and 3 MB."""
    paths = []
    for size in (2, 3):
        paths.append(str(tmp_path / f"{size}.npy"))
        with open(paths[-1], "wb") as file:
            file.truncate(size * 10**6)
    return {"images": paths[0], "all": paths}


def test_size_is_that_of_all_files(files):
    assert total_mb(files["images"]) == 2 and total_mb(files["all"]) == 5 and total_mb([]) == 0


@pytest.mark.parametrize(
    ("arguments", "factors", "attempt", "requested"),
    [
        ((100,), {}, 1, 100),
        ((100,), {"images": 10}, 1, 120),
        ((100,), {"images": 10, "all": 0.5}, 1, 122),  # 122.5
        ((100,), {"images": 10}, 2, 240),
        ((100,), {"images": 10, "all": 0.5}, 3, 490),
        ((100, 4), {"images": 10, "all": 10}, 1, 160),
        ((100, 1), {"images": 10, "all": 10}, 1, 120),
    ],
)
def test_request_grows_with_the_input_and_doubles_each_attempt(files, arguments, factors, attempt, requested):
    assert request(*arguments, **factors)(None, input=files, attempt=attempt) == requested
