"""Token buckets: those of whoever is gone take no memory."""

import tracemalloc

from sentictl.twin.apigateway.token_bucket import TokenBuckets


def test_each_has_a_bucket_of_its_own() -> None:
    buckets = TokenBuckets()
    taken = [buckets.take(whose, rate=0.001, burst=2) for whose in ("a", "a", "b", "a", "b", "b")]
    assert taken == [True, True, True, False, True, False]


def test_other_limits_begin_with_a_full_bucket() -> None:
    buckets = TokenBuckets()
    assert [buckets.take("a", 0.001, burst) for burst in (1, 1, 2)] == [True, False, True]


def test_a_bucket_that_is_full_again_is_let_go_of() -> None:
    buckets = TokenBuckets()
    tracemalloc.start()
    for number in range(1000):
        buckets.take(f"stage-{number}", rate=1e9, burst=1)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 50_000
