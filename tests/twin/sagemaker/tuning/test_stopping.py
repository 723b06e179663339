"""Which trials end early."""

from sentictl.twin.sagemaker.tuning.stopping import falls_behind, is_cut, rungs


def test_a_trial_is_compared_with_the_median_of_those_that_came_further() -> None:
    others = [[0.5, 0.6, 0.7], [0.6, 0.7, 0.8], [0.7, 0.8, 0.9]]
    assert falls_behind([0.4, 0.5], others)
    assert not falls_behind([0.7, 0.7], others)
    assert not falls_behind([0.1, 0.1, 0.1], others)  # nothing came further
    assert not falls_behind([0.1], others[:1])  # one alone tells little


def test_the_rungs_go_up_threefold() -> None:
    assert rungs(1, 27) == [1, 3, 9]
    assert rungs(2, 10) == [3]
    assert rungs(1, 2) == []


def test_hyperband_keeps_the_best_third_at_a_rung() -> None:
    others = [[0.9, 0.9], [0.8], [0.5, 0.5]]
    assert is_cut([0.6], others, 1, 9)
    assert not is_cut([0.85], others, 1, 9)
    assert not is_cut([0.6, 0.1], others, 1, 9)  # between two rungs
    assert not is_cut([0.1], others[:1], 1, 9)
    assert is_cut([0.9] * 9, others, 1, 9)  # as often as it may
