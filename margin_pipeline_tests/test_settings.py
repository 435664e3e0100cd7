"""Settings from the environment. Belongs here: defaults and what bad values say. Not here: what they are used for."""

import pytest

from margin_pipeline.settings import SettingsError, from_environment


def test_without_variables_the_embedded_postgres_and_the_sample_are_used(tmp_path):
    settings = from_environment({"MARGIN_DATA_DIR": str(tmp_path)})
    assert (settings.database_url, settings.landing_zone) == (None, tmp_path / "sample")


def test_a_landing_zone_replaces_the_sample(tmp_path):
    assert from_environment({"MARGIN_LANDING_DIR": str(tmp_path)}).landing_zone == tmp_path


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MARGIN_COMPUTE", "abacus"),
        ("MARGIN_THREADS", "0"),
        ("MARGIN_RUN_LIMIT_SECONDS", "0"),
        ("MARGIN_PICTURES", "maybe"),
        ("MARGIN_REPORTS", "yes"),
        ("MARGIN_NOTIFICATIONS", "slack://token"),
        ("MARGIN_WARNING_THRESHOLD", "80"),
        ("MARGIN_CRITICAL_THRESHOLD", "high"),
    ],
)
def test_an_unusable_value_is_named(variable, value):
    with pytest.raises(SettingsError, match=variable):
        from_environment({variable: value})


def test_thresholds_are_settings():
    assert from_environment({"MARGIN_WARNING_THRESHOLD": "0.7", "MARGIN_HYSTERESIS": "0.05"}).threshold_overrides == {
        "warning": 0.7,
        "hysteresis": 0.05,
    }


def test_work_stays_on_this_machine_unless_somebody_says_otherwise(tmp_path):
    settings = from_environment({})
    assert (settings.map, settings.ray_address, settings.dagster_config) == ("local", None, None)
    spread = from_environment({"MARGIN_MAP": "ray", "MARGIN_RAY_ADDRESS": "head:6379", "MARGIN_DAGSTER_CONFIG": str(tmp_path / "d.yaml")})
    assert (spread.map, spread.ray_address, spread.dagster_config) == ("ray", "head:6379", tmp_path / "d.yaml")
    with pytest.raises(SettingsError, match="MARGIN_MAP"):
        from_environment({"MARGIN_MAP": "dask"})
