"""Falling back when a device fails, and saying so.

Belongs here: execution. Not here: choosing the backend.
"""

from dataclasses import replace

import numpy as np
import pytest

from margin_pipeline.compute import NUMPY, run_in_float64, run_on
from margin_pipeline.compute.kernels import gram


def broken_device(error):
    def fails(*_arguments, **_options):
        raise error

    return replace(NUMPY, name="mlx-gpu", device="GPU that fails", matmul=fails)


def test_what_runs_is_reported_with_its_device_and_reason():
    result, report = run_on(NUMPY, lambda b: gram(b, np.eye(3)), "because it is measured")
    assert (result == np.eye(3)).all()
    assert (report.backend, report.device, report.why, report.fell_back) == ("numpy", "CPU, NumPy", "because it is measured", False)
    assert report.seconds > 0
    assert report.as_metadata()["device"] == "CPU, NumPy"


@pytest.mark.parametrize("error", [RuntimeError("device lost"), MemoryError("out of memory"), ValueError("float64 is not supported")])
def test_a_device_that_fails_is_replaced_by_numpy_and_the_report_says_so(error):
    x = np.arange(6.0).reshape(2, 3)
    result, report = run_on(broken_device(error), lambda b: gram(b, x), "fastest")
    np.testing.assert_array_equal(result, x.T @ x)
    assert report.backend == "numpy"
    assert report.fell_back
    assert str(error) in report.why
    assert "mlx-gpu" in report.why
    assert "fastest" in report.why


def test_a_mistake_of_the_function_itself_is_not_swallowed():
    def mistaken(_backend):
        raise ValueError("shapes do not fit")

    for backend in (NUMPY, broken_device(RuntimeError("gone"))):
        with pytest.raises(ValueError, match="shapes do not fit"):
            run_on(backend, mistaken)


def test_double_precision_is_computed_by_numpy_where_the_device_has_none():
    single = replace(NUMPY, name="mlx-gpu", dtypes=("float32",))
    result, report = run_in_float64(single, lambda b: b.to_numpy(b.array([1.0 + 1e-12])))
    assert result[0] == 1.0 + 1e-12
    assert report.backend == "numpy"
    assert "double precision" in report.why
