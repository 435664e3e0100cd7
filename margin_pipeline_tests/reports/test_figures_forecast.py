"""The reliability diagram is drawn for any table, empty ones too, and the same way every time."""

import pandas as pd
import pytest

from margin_pipeline.reports import figures_forecast

PNG = b"\x89PNG\r\n\x1a\n"
WORDS_ALONE = int(2.6 * 110)


def table(methods, missing=None):
    rows = [
        (method, horizon, watched, n, (n - 1) / 10 if n else 0.0, n / 10 if n else 1.0, 10, 0.1 * n, 0.1 * n, 0.2, missing)
        for method in methods
        for horizon, watched in ((1, "at_end"), (5, "at_end"), (5, "at_closes"))
        for n in range(4)
    ]
    names = [
        "method",
        "horizon_days",
        "watched",
        "bin",
        "lower",
        "upper",
        "observations",
        "predicted",
        "observed",
        "brier_score",
        "missing",
    ]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [(table([]), False), (table(["all"], '["short"]'), False), (table(["reg_t"]), False), (table(["all", "reg_t"]), True)],
)
def test_only_what_all_portfolios_together_show_is_drawn(rows, drawn):
    picture = figures_forecast.reliability_diagram(rows)
    assert picture.startswith(PNG)
    assert (int.from_bytes(picture[20:24], "big") != WORDS_ALONE) == drawn
    assert picture == figures_forecast.reliability_diagram(rows.sample(frac=1, random_state=1))
