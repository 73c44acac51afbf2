import json
import math

from tinc_codec.runtime.documents import finite


def test_numbers_that_json_lacks_are_null():
    value = {"a": [1.5, math.nan, (math.inf, -math.inf)], "b": {"c": math.nan, "d": "nan"}, "e": 3}
    assert finite(value) == {"a": [1.5, None, [None, None]], "b": {"c": None, "d": "nan"}, "e": 3}
    json.dumps(finite(value), allow_nan=False)
