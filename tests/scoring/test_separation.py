"""All scores of separation of a layer, on splits, and on odd data."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from common.scoring.separation import measure_separation

pytestmark = pytest.mark.filterwarnings("error")


def split(features, labels):
    return {"features": np.asarray(features, np.float32), "labels": np.asarray(labels)}


@pytest.fixture(scope="module")
def digits():
    digits = load_digits()
    features, labels = digits.data[:, digits.data.std(axis=0) > 0], digits.target
    return {
        name: split(features[rows], labels[rows])
        for name, rows in (("train", slice(1200)), ("test", slice(1200, None)))
    }


def random_splits(n, d, n_classes, held_out=20, seed=0):
    """Return two splits of classes that lie apart."""
    rng = np.random.default_rng(seed)
    means = 3 * rng.normal(size=(n_classes, d))
    found = {}
    for name, count in (("train", n), ("validation", 0), ("test", held_out)):
        labels = np.arange(count) % n_classes
        found[name] = split(means[labels] + rng.normal(size=(count, d)), labels)
    return found


def test_answers_are_those_of_scikit_learn_for_all_splits(digits, tmp_path):
    for name, rows in digits.items():
        np.save(tmp_path / name, rows["features"])
    mapped = {
        name: rows | {"features": np.load(tmp_path / f"{name}.npy", mmap_mode="r")} for name, rows in digits.items()
    }
    found = measure_separation(mapped)
    train, labels = digits["train"]["features"].astype(float), digits["train"]["labels"]
    probe = RidgeClassifier(alpha=found.strength).fit(train, labels)
    means = np.array([train[labels == label].mean(axis=0) for label in range(10)])
    for name, rows in digits.items():
        assert np.array_equal(found.linear_probe[name], probe.predict(rows["features"].astype(float)))
        distances = np.linalg.norm(rows["features"][:, None].astype(float) - means, axis=2)
        assert np.array_equal(found.class_means[name], distances.argmin(axis=1))
        assert found.fuzziness[name].shape == rows["labels"].shape
    assert (found.linear_probe["test"] == digits["test"]["labels"]).mean() > 0.85
    assert found.n_probe_rows == 1200 and found.reasons == {}


def test_fuzziness_of_a_split_is_that_of_its_own_means(digits):
    alone = measure_separation({"train": digits["test"]})
    together = measure_separation(digits)
    assert np.array_equal(together.fuzziness["test"], alone.fuzziness["train"])
    assert together.fuzziness["test"].mean() != pytest.approx(together.fuzziness["train"].mean(), rel=0.01)


@pytest.mark.parametrize(
    ("n", "d", "n_classes"),
    [
        pytest.param(31, 8, 3, id="31 images"),
        pytest.param(200, 100_000, 4, id="100,000 dimensions"),
        pytest.param(400, 3, 20, id="more classes than dimensions"),
        pytest.param(40, 6, 20, id="two images of each class"),
    ],
)
def test_unusual_sizes_have_all_scores(n, d, n_classes):
    splits = random_splits(n, d, n_classes, held_out=2 * n_classes)
    found = measure_separation(splits)
    assert found.reasons == {} and set(found.linear_probe) == set(found.class_means) == {"train", "test"}
    for name in ("train", "test"):
        for predicted in (found.linear_probe[name], found.class_means[name]):
            assert (predicted == splits[name]["labels"]).mean() > 2 / n_classes
        assert np.isfinite(found.fuzziness[name]).all() and found.fuzziness[name].mean() > 0


def test_one_dimension():
    values = np.linspace(0, 1, 40)[:, None]
    found = measure_separation({"train": split(values, np.arange(40) >= 20), "test": split([[0.1], [0.9]], [0, 1])})
    assert found.linear_probe["test"].tolist() == found.class_means["test"].tolist() == [0, 1]
    assert (found.linear_probe["train"] == (np.arange(40) >= 20)).all()
    assert found.fuzziness["train"].mean() == pytest.approx(values[:20].var() / 0.25 / (values[20] - values[0])[0] ** 2)
    assert found.reasons == {"fuzziness_test": "No class has two images."}


def test_class_without_training_images_is_never_predicted():
    splits = random_splits(60, 5, 3)
    splits["train"]["labels"][splits["train"]["labels"] == 1] = 2
    found = measure_separation(splits)
    assert set(found.linear_probe["test"]) | set(found.class_means["test"]) <= {0, 2}
    assert found.reasons == {} and len(found.fuzziness["test"]) == 20


def test_class_whose_images_are_all_held_out_for_the_strength():
    splits = random_splits(60, 5, 2)
    splits["train"]["labels"][[9, 19]] = 2
    splits["train"]["features"][[9, 19]] += 30
    found = measure_separation(splits)
    assert (found.linear_probe["train"] == splits["train"]["labels"]).mean() > 0.9
    assert (found.class_means["train"][[9, 19]] == 2).all()


@pytest.mark.parametrize(
    ("features", "labels", "reason"),
    [
        (np.eye(40, 7), np.zeros(40, int), "There are fewer than two classes."),  # also without labels
        (np.full((40, 7), 0.1), np.arange(40) % 2, "All classes have the same mean."),
        (np.repeat(np.eye(20, 7), 2, axis=0), np.arange(40) % 2, "All classes have the same mean."),
    ],
    ids=["one class", "constant features", "copies in both classes"],
)
def test_scores_that_are_not_defined_have_a_reason(features, labels, reason):
    found = measure_separation({"train": split(features, labels), "test": split(features[:10], labels[:10])})
    assert found.linear_probe is found.class_means is found.strength is found.n_probe_rows is None
    assert found.fuzziness == {"train": None, "test": None}
    assert found.reasons == dict.fromkeys(("linear_probe", "class_means", "fuzziness_train", "fuzziness_test"), reason)


def test_copies_of_one_image_of_each_class():
    labels = np.arange(40) % 4
    found = measure_separation({"train": split(np.eye(4)[labels], labels)})
    assert np.array_equal(found.linear_probe["train"], labels) and np.array_equal(found.class_means["train"], labels)
    assert found.fuzziness["train"] == pytest.approx(np.zeros(40), abs=1e-10)


def test_few_images_have_class_means_but_no_probe():
    found = measure_separation({"train": split(np.eye(2)[np.arange(9) % 2], np.arange(9) % 2)})
    assert found.linear_probe is None and (found.class_means["train"] == np.arange(9) % 2).all()
    assert found.reasons == {"linear_probe": "There are fewer than 10 training images."}
