"""The measured choice of a backend, its reasons, and the file that keeps the figures.

Belongs here: routing and measurement. Not here: what the backends compute.
"""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.compute import NUMPY, BackendError, measurement, routing
from margin_pipeline.compute.devices import why_unavailable
from margin_pipeline.compute.kernels import KERNELS
from margin_pipeline.compute.measurement import Measurements, keep, load, machine_key, measure, measured


def figures(**seconds):
    """Figures in which each backend (mlx_gpu=0.1) takes the same time for every kernel and size that it can do."""
    return Measurements(
        machine_key(1),
        {
            name.replace("_", "-"): {k.name: dict.fromkeys(k.sizes, s) for k in KERNELS.values() if name != "mlx_gpu" or not k.float64}
            for name, s in seconds.items()
        },
        {},
    )


def test_the_fastest_backend_is_chosen_and_the_reason_gives_the_figures():
    choice = routing.choose("elementwise", 200_000, figures(numpy=0.1, mlx_cpu=0.2, mlx_gpu=0.01))
    assert choice.backend_name == "mlx-gpu"
    assert choice.seconds == 0.01
    assert "numpy 0.1 s" in choice.reason
    assert "300000" in choice.reason


def test_a_gain_within_the_noise_stays_with_numpy():
    assert routing.choose("elementwise", 10_000, figures(numpy=0.100, mlx_cpu=0.095)).backend_name == "numpy"
    assert routing.choose("elementwise", 10_000, figures(numpy=0.004, mlx_cpu=0.001)).backend_name == "numpy"


def test_a_device_without_double_precision_is_no_candidate_for_products():
    assert routing.choose("matrix_product", 1024, figures(numpy=0.1, mlx_gpu=0.001)).backend_name == "numpy"


@given(st.integers(1, 10**9))
def test_every_size_has_a_choice(size):
    assert routing.choose("matrix_product", size, figures(numpy=0.1, mlx_cpu=0.01)).backend_name == "mlx-cpu"


def test_an_unknown_kernel_or_preference_is_refused(tmp_path):
    with pytest.raises(BackendError, match="cholesky"):
        routing.choose("cholesky", 10, figures(numpy=0.1))
    with pytest.raises(BackendError, match="auto"):
        routing.route("fastest", "elementwise", 10, tmp_path / "c.json", 1)
    with pytest.raises(BackendError, match="cholesky"):
        routing.route("numpy", "cholesky", 10, tmp_path / "c.json", 1)


def test_figures_are_kept_and_found_again(tmp_path):
    path = tmp_path / "deep" / "compute.json"
    fresh = measure(1, {"numpy": NUMPY})
    keep(fresh, path)
    assert load(path, 1) == fresh
    assert [f.name for f in path.parent.iterdir()] == ["compute.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"key": 3}', '{"key": {}, "seconds": {"numpy": 1}, "unavailable": {}}'])
def test_a_corrupted_file_is_measured_again(tmp_path, content, monkeypatch):
    path = tmp_path / "compute.json"
    path.write_text(content)
    monkeypatch.setattr(measurement, "BACKEND_NAMES", ("numpy",))
    found, origin = measured(path, 1)
    assert set(found.seconds["numpy"]) == set(KERNELS)
    assert origin == "measured now"
    assert measured(path, 1) == (found, "measured on this machine before")


@pytest.mark.parametrize("change", [("numpy", "0.0"), ("machine", "another"), ("threads", "7")])
def test_figures_of_another_machine_version_or_thread_count_are_stale(tmp_path, change):
    path = tmp_path / "compute.json"
    keep(figures(numpy=0.1), path)
    assert load(path, 1) is not None
    assert load(path, 2) is None
    kept = json.loads(path.read_text())
    kept["key"][change[0]] = change[1]
    path.write_text(json.dumps(kept))
    assert load(path, 1) is None


def test_a_time_that_cannot_have_been_measured_makes_the_file_useless(tmp_path):
    path = tmp_path / "compute.json"
    for seconds in (0.0, -1.0, float("nan")):
        keep(figures(numpy=seconds), path)
        assert load(path, 1) is None


def test_figures_that_cannot_be_kept_are_used_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(measurement, "BACKEND_NAMES", ("numpy",))
    found, origin = measured(tmp_path / "file" / "compute.json", 1)
    assert "numpy" in found.seconds
    assert "not kept" in origin


def test_a_backend_that_fails_while_it_is_measured_has_no_figures():
    def fails(*_arguments):
        raise RuntimeError("device lost")

    found = measure(1, {"numpy": NUMPY, "mlx-gpu": replace(NUMPY, name="mlx-gpu", exp=fails, dtypes=("float32",))})
    assert set(found.seconds) == {"numpy"}
    assert found.unavailable == {"mlx-gpu": "device lost"}


def test_the_choice_of_auto_is_the_same_until_something_changes(tmp_path):
    path = tmp_path / "compute.json"
    keep(figures(numpy=0.1), path)
    first = routing.route("auto", "matrix_product", 2000, path, 1)
    assert first.backend is NUMPY
    assert "measured on this machine before" in first.reason
    assert routing.choices("auto", path, 1) == {
        "matrix_product": {"256": "numpy", "1024": "numpy"},
        "elementwise": {"10000": "numpy", "300000": "numpy"},
    }


def test_a_preferred_backend_is_taken_without_measuring(tmp_path):
    path = tmp_path / "compute.json"
    assert routing.route("numpy", "matrix_product", 10, path, 1).backend is NUMPY
    assert not path.exists()


@pytest.mark.parametrize("name", ["mlx-cpu", "mlx-gpu"])
def test_a_preferred_backend_that_is_not_there_is_replaced_and_the_reason_says_so(tmp_path, name):
    found = routing.route(name, "elementwise", 10, tmp_path / "c.json", 1)
    if why_unavailable(name):
        assert found.backend is NUMPY
        assert f"{name} was asked for" in found.reason
    else:
        assert found.backend.name == name


def test_a_fastest_backend_that_is_gone_is_replaced_and_the_reason_says_so(tmp_path):
    if not why_unavailable("mlx-gpu"):
        pytest.skip("this machine has a graphics device")
    path = tmp_path / "compute.json"
    keep(figures(numpy=0.1, mlx_gpu=0.001), path)
    found = routing.route("auto", "elementwise", 300_000, path, 1)
    assert found.backend is NUMPY
    assert "mlx-gpu was fastest, but is gone" in found.reason
