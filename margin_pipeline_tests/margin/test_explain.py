"""Explanations as JSON columns against the standard library, object by object."""

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.explain import Choice, json_objects

texts = st.one_of(st.none(), st.text(max_size=8).filter(lambda t: "\x00" not in t and not any(0xD800 <= ord(c) < 0xE000 for c in t)))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(allow_nan=True, allow_infinity=True), texts, st.booleans(), st.integers(0, 1)), min_size=1, max_size=8))
def test_every_object_parses_to_what_went_in(rows):
    numbers, words, flags, codes = zip(*rows, strict=True)
    fields = {
        "same": 'for "all"',
        "number": np.array(numbers),
        "word": pd.Series(list(words), dtype="str"),
        "flag": np.array(flags),
        "choice": Choice(np.array(codes) - 1, ["first"]),
    }
    found = [json.loads(text) for text in json_objects(len(rows), fields)]
    for got, (number, word, flag, code) in zip(found, rows, strict=True):
        assert got == {
            "same": 'for "all"',
            "number": number if np.isfinite(number) else None,
            "word": word,
            "flag": flag,
            "choice": [None, "first"][code],
        }


def test_no_rows_and_no_columns_are_fine():
    assert json_objects(0, {"a": np.array([])}).tolist() == []
    assert json_objects(2, {"rule": "no margin"}).tolist() == ['{"rule": "no margin"}'] * 2
