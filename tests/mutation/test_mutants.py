"""Which faults are put into a file."""

from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, MutatedFile, sample

SOURCE = '''\
"""A module of 3 functions."""

from functools import cache

LIMIT: int = 5


@cache
def over(number: int, limit: int = LIMIT) -> bool:
    """Tell whether it is."""
    if number > limit:
        raise ValueError("it is too much", "number")
    return False
'''


@pytest.fixture
def mutated(tmp_path: Path) -> MutatedFile:
    (tmp_path / "over.py").write_text(SOURCE)
    return MutatedFile(tmp_path, Path("over.py"))


def test_each_differs_in_one_place_and_says_where(mutated: MutatedFile) -> None:
    told = {" ".join(mutant.difference): (mutant.line, mutant.in_function) for mutant in mutated}
    assert told["- LIMIT: int = 5 + LIMIT: int = 6"] == (5, False)
    assert told["- if number > limit: + if number >= limit:"] == (11, True)
    assert told["- return False + return True"] == (13, True)
    assert [mutant.name for mutant in mutated] == [f"over.py#{number}" for number in range(len(mutated))]
    assert all(mutant.source != mutant.original == SOURCE for mutant in mutated)


def test_texts_for_people_names_of_types_and_decorators_stay(mutated: MutatedFile) -> None:
    for mutant in mutated:
        assert "@cache\n" in mutant.source
        assert "-> bool:" in mutant.source
        assert '"""Tell whether it is."""' in mutant.source
    assert not any("too muchXX" in mutant.source for mutant in mutated)
    assert any('"XXnumberXX"' in mutant.source for mutant in mutated)


def test_a_seed_draws_the_same_mutants_each_once(mutated: MutatedFile) -> None:
    def drawn(count: int, seed: int) -> list[Mutant]:
        return sample([mutated], count, seed)

    assert drawn(4, 1) == drawn(4, 1) != drawn(4, 2)
    everything = drawn(10_000, 1)
    assert sorted(mutant.number for mutant in everything) == list(range(len(mutated)))
    for mutant in everything:
        compile(mutant.source, "over.py", "exec")


def test_what_does_not_compile_is_not_drawn(tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text("for number in range(3):\n    break\n")
    files = [MutatedFile(tmp_path, Path("loop.py"))]
    assert "return" in " ".join(mutant.source for mutant in files[0])  # in the place of break, and in no function
    assert not any("return" in mutant.source for mutant in sample(files, 100, 1))
