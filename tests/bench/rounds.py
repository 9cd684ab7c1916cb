"""Rounds: the sides of a comparison take turns, so that a busy moment of the machine hits all of them alike."""

from collections.abc import Callable, Mapping
from statistics import median

Sample = Mapping[str, float]
Medians = dict[str, dict[str, float]]


def take_turns(sides: Mapping[str, Callable[[], Sample]], *, rounds: int) -> Medians:
    """Run every side once a round, in their order; by side, the median of each number it gave."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            samples[name].append(side())
    return {name: {key: median(sample[key] for sample in taken) for key in taken[0]} for name, taken in samples.items()}
