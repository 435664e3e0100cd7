"""URLs in the forms that drivers want; passwords stay hidden. Not here: connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.storage import StorageError
from margin_pipeline.storage.urls import DatabaseUrls, from_settings, hide_password, with_database, with_user


def test_each_engine_gets_the_driver_that_it_works_with():
    urls = from_settings("postgres://ann:secret@db.example:6543/margin?sslmode=require")
    assert urls.results == "postgresql+psycopg://ann:secret@db.example:6543/margin?sslmode=require"
    assert urls.dagster == "postgresql+psycopg2://ann:secret@db.example:6543/margin_dagster?sslmode=require"
    assert urls.libpq == "postgresql://ann:secret@db.example:6543/margin?sslmode=require"


def test_a_driver_in_the_setting_makes_no_difference():
    assert from_settings("postgresql+asyncpg://db/margin") == from_settings("postgresql://db/margin")


def test_a_socket_in_the_query_keeps_the_empty_host():
    assert with_database("postgresql://ann@/margin?host=/run/pg", "other") == "postgresql://ann@/other?host=/run/pg"
    assert with_database("postgresql:///margin?host=/run/pg", "other") == "postgresql:///other?host=/run/pg"


def test_another_user_comes_without_the_first_ones_password():
    urls = with_user(from_settings("postgresql://ann:secret@db:5433/margin?sslmode=require"), "ben@desk")
    assert urls.libpq == "postgresql://ben%40desk@db:5433/margin?sslmode=require"
    assert urls.dagster_libpq == "postgresql://ben%40desk@db:5433/margin_dagster?sslmode=require"
    assert with_user(DatabaseUrls("postgresql:///m?host=/run/pg", "postgresql:///d"), "ben").libpq == "postgresql://ben@/m?host=/run/pg"


@pytest.mark.parametrize("password", ["p@ss", "p%ss", "12/34@x", "12#34"])
def test_a_password_that_has_to_be_encoded_is_asked_for_so(password):
    with pytest.raises(StorageError, match="MARGIN_DATABASE_URL") as refused:
        from_settings(f"postgresql://ann:{password}@db/margin")
    assert password not in str(refused.value)


def test_dagster_cannot_share_the_database_of_the_results():
    with pytest.raises(StorageError, match="MARGIN_DAGSTER_DATABASE_URL"):
        from_settings("postgresql://db/margin", "postgres://db/margin")


@pytest.mark.parametrize(
    "url", ["mysql://db/margin", "margin", "", "postgresql://db", "postgresql://db:port/margin", "postgresql://[db/margin"]
)
def test_an_unusable_url_is_refused_in_one_line_that_names_the_variable(url):
    with pytest.raises(StorageError, match="MARGIN_DATABASE_URL") as refused:
        from_settings(url)
    assert "\n" not in str(refused.value)


def test_a_refused_url_does_not_show_its_password():
    with pytest.raises(StorageError) as refused:
        from_settings("mysql://ann:secret@db/margin")
    assert "secret" not in str(refused.value)


@given(st.text("abcXYZ019!$^*-_.~", min_size=3))
def test_a_password_is_never_shown(password):
    password = f"pw{password}"
    urls = DatabaseUrls(f"postgresql://ann:{password}@db/margin", f"postgresql://ann@db/margin_dagster?password={password}")
    assert password not in f"{urls} {urls!r} {urls.safe}"
    assert urls.safe == "postgresql://ann:***@db/margin"


def test_a_url_without_password_is_shown_as_it_is():
    url = "postgresql://postgres@/margin?host=/tmp/a/socket&port=5432"
    assert hide_password(url) == url
