"""Tables of clusters take what clustering makes, gaps included, and every column says what it means."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.market.clusters import correlation_clusters, portfolio_clusters
from margin_pipeline.parameters.clusters import cluster_settings

AS_OF = dt.date(2022, 12, 28)


@pytest.fixture(scope="module")
def published(database: storage.DatabaseUrls) -> storage.DatabaseUrls:
    rows = [("P", "A", 100.0, None), ("P", "B", -60.0, None), ("P", "X", 40.0, None), ("Q", "A", np.nan, "A: no price")]
    exposures = pd.DataFrame(rows, columns=["portfolio_id", "risk_factor", "delta_exposure", "missing"]).astype({"missing": "str"})
    table = correlation_clusters(exposures, ["A", "B"], np.array([[1, 0.9], [0.9, 1]]), cluster_settings(AS_OF)).table
    tables = {"correlation_clusters": table, "portfolio_clusters": portfolio_clusters(exposures, table)}
    calculation_id = storage.begin(database, AS_OF, "run", "test", {})
    for name, frame in tables.items():
        storage.write_table(database, calculation_id, AS_OF, name, frame)
    storage.publish(database, calculation_id, input_hash="run", scope="chain", expected_tables=list(tables), content_hash="run")
    return database


def test_clusters_and_gaps_are_read_back_as_they_were_made(published):
    found = storage.read_query(published, "select * from margin.correlation_clusters order by symbol")
    assert found["cluster"].tolist() == [1, 1, 2]
    assert found["mean_correlation"].tolist() == pytest.approx([0.9, 0.9, np.nan], nan_ok=True)
    assert found["missing"].tolist()[2] == "no correlation"
    held = storage.read_query(published, "select * from margin.portfolio_clusters order by portfolio_id, cluster")
    assert held["gross_share"].tolist() == pytest.approx([0.8, 0.2, np.nan], nan_ok=True)
    assert held["gross_exposure"].tolist() == pytest.approx([160.0, 40.0, np.nan], nan_ok=True)


def test_every_column_says_what_it_means(published):
    text = (
        "select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and a.attnum > 0 and c.relkind in ('v', 'p') "
        "and c.relname in ('correlation_clusters', 'portfolio_clusters') and col_description(c.oid, a.attnum) is null"
    )
    assert storage.read_query(published, text)["name"].tolist() == []
