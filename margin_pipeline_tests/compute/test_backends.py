"""Every function and kernel of every backend of this machine, compared with NumPy.

Belongs here: sameness of results. Not here: which backend is chosen.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.compute import NUMPY, BackendError, backend_named
from margin_pipeline.compute.devices import BACKEND_NAMES, available_backends, why_unavailable
from margin_pipeline.compute.kernels import KERNELS

UNARY = ("exp", "log", "sqrt", "abs", "erf", "normal_cdf")
X = np.linspace(0.05, 4.0, 60).reshape(12, 5)
Y = np.cos(np.arange(60.0)).reshape(12, 5)

VARIANTS = [(name, dtype) for name in BACKEND_NAMES for dtype in ("float64", "float32") if (name, dtype) != ("mlx-gpu", "float64")]


@pytest.fixture(params=VARIANTS, ids=lambda v: "-".join(v))
def variant(request):
    name, dtype = request.param
    reason = why_unavailable(name)
    if reason:
        pytest.skip(reason)
    return backend_named(name), dtype


def test_the_normal_distribution_function_is_the_published_one():
    table = {0.0: 0.5, 1.0: 0.8413447460685429, 1.96: 0.9750021048517795, -2.33: 0.009903075559164254}
    found = NUMPY.to_numpy(NUMPY.normal_cdf(NUMPY.array(list(table))))
    assert found == pytest.approx(list(table.values()), rel=1e-12)


def test_the_error_function_is_that_of_the_standard_library():
    assert NUMPY.erf(NUMPY.array([-0.7, 0.2, 1.5])) == pytest.approx([math.erf(v) for v in (-0.7, 0.2, 1.5)], rel=1e-13)


@pytest.mark.parametrize("function", UNARY)
def test_functions_of_one_array_equal_those_of_numpy(variant, function):
    backend, dtype = variant
    found = backend.to_numpy(getattr(backend, function)(backend.array(X, dtype)))
    np.testing.assert_allclose(found, getattr(NUMPY, function)(X), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("function", ["maximum", "minimum"])
def test_functions_of_two_arrays_equal_those_of_numpy(variant, function):
    backend, dtype = variant
    found = backend.to_numpy(getattr(backend, function)(backend.array(X, dtype), backend.array(Y, dtype)))
    np.testing.assert_allclose(found, getattr(np, function)(X, Y), rtol=1e-6)


@pytest.mark.parametrize("function", ["sum", "max", "min"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_reductions_equal_those_of_numpy(variant, function, axis):
    backend, dtype = variant
    found = backend.to_numpy(getattr(backend, function)(backend.array(X, dtype), axis=axis))
    np.testing.assert_allclose(found, getattr(np, function)(X, axis=axis), rtol=1e-5)


def test_shapes_products_and_choices_equal_those_of_numpy(variant):
    backend, dtype = variant
    x, y = backend.array(X, dtype), backend.array(Y, dtype)
    with backend.on_device():
        chosen = backend.where(y > 0, x * y, x - 2.0 * y)
    expected = {
        "matmul": (backend.matmul(backend.transpose(x), y), X.T @ Y),
        "cumsum": (backend.cumsum(x, 0), np.cumsum(X, axis=0)),
        "reshape": (backend.reshape(x, (5, 12)), X.reshape(5, 12)),
        "broadcast": (backend.broadcast_to(backend.reshape(x, (1, 12, 5)), (3, 12, 5)), np.broadcast_to(X, (3, 12, 5))),
        "concatenate": (backend.concatenate([x, y], 1), np.concatenate([X, Y], axis=1)),
        "where": (chosen, np.where(Y > 0, X * Y, X - 2.0 * Y)),
    }
    for name, (found, reference) in expected.items():
        np.testing.assert_allclose(backend.to_numpy(found), reference, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_kernels_equal_those_on_numpy(kernel, name):
    if why_unavailable(name):
        pytest.skip(why_unavailable(name))
    x = kernel.prepare(500)
    np.testing.assert_allclose(kernel.compute(backend_named(name), x), kernel.compute(NUMPY, x), rtol=1e-4, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_a_normal_probability_and_its_complement_add_up_to_one(values):
    for name in available_backends():
        backend = backend_named(name)
        x = backend.array(values)
        total = backend.to_numpy(backend.normal_cdf(x)) + backend.to_numpy(backend.normal_cdf(backend.array([-v for v in values])))
        np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_an_array_goes_in_and_comes_back_in_its_precision(variant):
    backend, dtype = variant
    back = backend.to_numpy(backend.array(X, dtype))
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, X.astype(dtype))


def test_a_precision_that_a_backend_has_not_is_refused_by_name():
    with pytest.raises(BackendError, match="float16"):
        NUMPY.array([1.0], "float16")


def test_a_graphics_device_refuses_double_precision():
    if why_unavailable("mlx-gpu"):
        pytest.skip(why_unavailable("mlx-gpu"))
    backend = backend_named("mlx-gpu")
    assert not backend.has_float64
    with pytest.raises(BackendError, match="float64"):
        backend.array([1.0], "float64")


def test_an_unknown_backend_is_refused_with_the_known_names():
    with pytest.raises(BackendError, match="numpy, mlx-cpu, mlx-gpu"):
        backend_named("abacus")


def test_numpy_is_available_everywhere_and_first():
    assert available_backends()[0] == "numpy"
