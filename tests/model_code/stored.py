"""Reviews as the n-grams that they hold, in a file, as a training keeps them."""

import numpy as np
from sentimodel.examples import StoredRows
from sentimodel.scratch import Scratch


def stored(held: list[list[int]]) -> StoredRows:
    """Reviews that hold n-grams of these numbers."""
    numbers = Scratch(np.int32)
    numbers.append(np.array([row for each in held for row in each], dtype=np.int32))
    return StoredRows(numbers, np.cumsum([0, *map(len, held)], dtype=np.int64))
