"""What a job requests, from the size of its input."""

import numpy as np
import pytest

from common.workflow.resources import count_rows, request, total_mb


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
        ((100,), {"images": (10, 4), "all": (10, 4)}, 1, 160),
        ((100,), {"images": 10, "all": (10, 1)}, 1, 130),
    ],
)
def test_request_grows_with_the_input_and_doubles_each_attempt(files, arguments, factors, attempt, requested):
    assert request(*arguments, **factors)(None, input=files, attempt=attempt) == requested


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_rows_are_counted_from_the_headers(tmp_path, version):
    paths = [str(tmp_path / f"{rows}.npy") for rows in (3, 40)]
    for path, shape in zip(paths, [(3, 2), (40, 28, 28, 1)], strict=True):
        with open(path, "wb") as file:
            np.lib.format.write_array(file, np.zeros(shape, np.float32), version)
    assert count_rows(paths) == 43 and count_rows(paths[1]) == 40
    assert request(100, per_row=0.5)(None, input={"features": paths}, attempt=2) == 243


def test_rows_of_another_file_are_refused(files):
    with pytest.raises(ValueError, match=r"2\.npy is no \.npy file"):
        count_rows(files["images"])
