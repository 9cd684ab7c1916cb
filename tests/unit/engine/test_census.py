"""A census: where pages begin and end, and what is gone."""

from hypothesis import given
from hypothesis import strategies as st

from engine.connector import Census


@given(size=st.integers(1, 7), portions=st.lists(st.integers(0, 9), max_size=8))
def test_pages_are_the_same_however_the_ids_came_in(size: int, portions: list[int]) -> None:
    ids = [str(number) for number in range(sum(portions))]
    census, rest = Census(size), ids
    for portion in portions:
        census.add(rest[:portion])
        rest = rest[portion:]
    pages = [ids[start : start + size] for start in range(0, len(ids), size)]
    assert census.spans == [(page[0], page[-1]) for page in pages]
    assert len(census) == len(ids)


def test_known_ids_that_the_system_no_longer_has_are_told() -> None:
    census = Census(2)
    census.add(["1", "2", "4"])
    assert census.missing(["1", "3", "4", "5"]) == ["3", "5"]
