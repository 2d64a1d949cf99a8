"""Walks on surfaces of two numbers, and their pictures."""

import pytest
import torch

from trainlab.plots import figure
from trainlab.surfaces import contours, descend


def bowl(w):
    return (w**2).sum(-1) / 2


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.5)


def test_a_walk_takes_the_steps_of_its_optimiser():
    path = descend(bowl, [4.0, -2.0], sgd, 3)
    expected = [[4, -2], [2, -1], [1, -0.5], [0.5, -0.25]]
    torch.testing.assert_close(path, torch.tensor(expected, dtype=torch.float64))


def test_a_walk_that_leaves_the_numbers_ends_in_nan():
    path = descend(lambda w: (w**4).sum(-1), [10.0, 0.0], sgd, 20)
    assert torch.isfinite(path[:2]).all()
    assert path[-1].isnan().all()


def test_optimisers_that_call_the_surface_themselves_work_too():
    path = descend(bowl, [3.0, 1.0], lambda p: torch.optim.LBFGS(p, line_search_fn="strong_wolfe"), 2)
    assert path[-1].abs().max() < 1e-6


@pytest.mark.parametrize("log", [False, True])
def test_contours_fill_the_window(log):
    ax = figure()[1]
    contours(ax, lambda w: bowl(w) + 1, (-2, 3), (-1, 1), levels=7, log=log)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 3), (-1, 1))
    assert len(ax.collections) == 1
    assert len(ax.collections[0].levels) >= 5
