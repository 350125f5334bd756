"""When the jobs of a run ran, and which of them were on the critical path."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from timeline import COLORS, find_critical_path, load_jobs, plot_timeline

JOBS = pd.DataFrame(
    [
        ("prepare", "p", 0.0, 5.0, []),
        ("train", "t", 5.0, 100.0, ["p"]),
        ("search", "s1", 5.0, 20.0, ["p"]),
        ("search", "s2", 101.0, 110.0, ["t", "s1"]),
        ("draw", "d", 111.0, 112.0, ["s1"]),
        ("report", "r", 120.0, 121.0, ["s2", "d"]),
    ],
    columns=["rule", "log", "start", "end", "inputs"],
)


def test_critical_path_goes_back_over_the_last_input_of_each_job():
    assert find_critical_path(JOBS) == ["p", "s1", "d", "r"]
    late = JOBS.assign(end=JOBS.end.where(JOBS.log != "d", 109))
    assert find_critical_path(late) == ["p", "t", "s2", "r"]


def test_rules_have_rows_and_the_critical_path_has_its_color():
    (axes,) = plot_timeline(JOBS).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["prepare", "train", "search", "draw", "report"]
    colors = [to_hex(bar.get_facecolor()) for bar in axes.patches]
    assert colors == [COLORS[log in {"p", "s1", "d", "r"}] for log in JOBS.log]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx((JOBS.end - JOBS.start) / 60)


@pytest.mark.slow
def test_jobs_of_a_run_start_after_what_they_wait_for(finished):
    jobs = load_jobs(finished.folder / ".snakemake/metadata", "Small").set_index("log")
    assert {"prepare_dataset", "train_network", "embed_tsne", "build_explorer"} <= set(jobs.rule)
    assert jobs.start.min() == 0 and (jobs.end > jobs.start).all()
    assert all(jobs.end[before] <= job.start for job in jobs.itertuples() for before in job.inputs)
    path = find_critical_path(jobs.reset_index())
    assert jobs.rule[path[0]] == "prepare_dataset" and jobs.end[path[-1]] == jobs.end.max()
