import pytest
import torch
from torch.optim import lr_scheduler

import trainlab as lab


def test_a_curve_begins_with_the_first_rate_and_has_a_row_a_step():
    curve = lab.rate_curve(lambda o: lr_scheduler.ExponentialLR(o, 0.5), 3, lr=0.8)
    assert curve.step.tolist() == [0, 1, 2]
    assert curve.lr.tolist() == [0.8, 0.4, 0.2]


def test_the_momentum_of_sgd_and_of_adam_is_in_it():
    def one_cycle(optimizer):
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)

    for make, settings in ((torch.optim.SGD, {"momentum": 0.9}), (torch.optim.AdamW, {})):
        curve = lab.rate_curve(one_cycle, 10, make_optimizer=make, lr=1.0, **settings)
        assert curve.lr.max() == pytest.approx(0.1)
        assert curve.momentum.iloc[0] == pytest.approx(0.95)
        assert curve.momentum.min() == pytest.approx(0.85)


def test_a_schedule_that_looks_is_told_the_losses():
    def plateau(optimizer):
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)

    curve = lab.rate_curve(plateau, 4, losses=[1.0, 2.0, 0.5, 0.4], lr=1.0)
    assert curve.lr.tolist() == pytest.approx([1.0, 1.0, 0.1, 0.1])


def test_what_trains_is_not_touched_and_nothing_is_warned(recwarn):
    trained = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)
    schedule = lr_scheduler.StepLR(trained, 1)
    lab.rate_curve(lambda o: lr_scheduler.StepLR(o, 1), 5, lr=1.0)
    assert schedule.last_epoch == 0
    assert trained.param_groups[0]["lr"] == 1.0
    assert not recwarn.list


@pytest.mark.parametrize(
    ("steps", "losses", "words"), [(0, None, "at least one"), (3, [1.0], "as many losses")]
)
def test_what_makes_no_curve_is_refused(steps, losses, words):
    with pytest.raises(ValueError, match=words):
        lab.rate_curve(lambda o: lr_scheduler.ReduceLROnPlateau(o), steps, losses=losses, lr=1.0)
