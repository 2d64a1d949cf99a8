"""Stacks of small networks: each trains as if it were alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from trainlab.stacks import NetStack, reached, train_stack, two_moons

SIZES = [2, 5, 4, 2]


def alone(nets, index):
    """Network `index` of the stack as an ordinary module with copies of its weights."""
    layers = []
    for weight, bias in zip(nets.weights, nets.biases, strict=True):
        layer = nn.Linear(weight.shape[1], weight.shape[2])
        layer.weight.data, layer.bias.data = (
            weight[index].detach().T.cpu().clone(),
            bias[index, 0].detach().cpu().clone(),
        )
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.5)


def test_moons_are_balanced_and_repeatable():
    x, y = two_moons(20, seed=3)
    assert (x.shape, x.dtype, y.dtype, y.sum().item()) == ((20, 2), torch.float32, torch.int64, 10)
    assert torch.equal(x, two_moons(20, seed=3)[0])
    assert not torch.equal(x, two_moons(20, seed=4)[0])


def test_a_stack_computes_what_each_network_alone_computes():
    nets, (x, _) = NetStack(SIZES, [3, 4]), two_moons(10)
    scores = nets(x)
    assert scores.shape == (2, 10, 2)
    for index in range(2):
        torch.testing.assert_close(scores[index].cpu(), alone(nets, index)(x.cpu()))


def test_weights_are_glorots_and_follow_the_seed_of_the_network_alone():
    nets = NetStack([200, 300, 2], [7, 8])
    bound = (6 / 500) ** 0.5
    assert nets.weights[0].abs().max() <= bound
    assert nets.weights[0].std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert all(not bias.any() for bias in nets.biases)
    torch.testing.assert_close(NetStack([200, 300, 2], [8]).weights[0][0], nets.weights[0][1])


def test_full_batches_train_each_network_as_it_would_alone():
    nets, (x, y) = NetStack(SIZES, [0, 1]), two_moons(30)
    singles = [alone(nets, index) for index in range(2)]
    curves = train_stack(nets, x, y, sgd, epochs=4)
    for index, single in enumerate(singles):
        optimizer = sgd(single.parameters())
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(single(x.cpu()), y.cpu()).backward()
            optimizer.step()
        last = curves[(curves["seed"] == index) & (curves["epoch"] == 4)]["loss"].item()
        assert last == pytest.approx(F.cross_entropy(single(x.cpu()), y.cpu()).item(), rel=1e-4)
        torch.testing.assert_close(nets(x)[index].cpu(), single(x.cpu()))  # and not an epoch further


def test_epochs_and_updates_are_counted_with_a_smaller_last_batch():
    x, y = two_moons(30)
    curves = train_stack(NetStack(SIZES, [0]), x, y, sgd, epochs=4, batch_size=8, every=2)
    assert curves["epoch"].tolist() == [0, 2, 4]
    assert curves["updates"].tolist() == [0, 8, 16]
    assert curves["seconds"].is_monotonic_increasing


def test_training_stops_when_every_network_is_there_or_lost():
    x, y = two_moons(30)
    assert train_stack(NetStack(SIZES, [0, 1]), x, y, sgd, epochs=50, until=10.0)["epoch"].max() == 0
    nets = NetStack(SIZES, [0, 1])
    nets.weights[0].data[1] = torch.inf
    curves = train_stack(nets, x, y, sgd, epochs=2000, until=0.5)
    assert curves["epoch"].max() < 2000
    assert reached(curves, 0.5)["epochs"].isna().tolist() == [False, True]


def test_reached_is_the_first_time_below():
    x, y = two_moons(30)
    curves = train_stack(NetStack(SIZES, [0, 1]), x, y, sgd, epochs=40, batch_size=10)
    for _, row in reached(curves, 0.5).iterrows():
        own = curves[curves["seed"] == row["seed"]].set_index("epoch")["loss"]
        assert own[row["epochs"]] < 0.5
        assert (own[own.index < row["epochs"]] >= 0.5).all()
        assert row["updates"] == 3 * row["epochs"]


def test_a_stack_of_one_repeats_its_part_of_a_larger_stack():
    """The order of the batches belongs to the network, not to the stack."""
    x, y = two_moons(30)
    both = train_stack(NetStack(SIZES, [0, 1]), x, y, sgd, epochs=3, batch_size=7)
    one = train_stack(NetStack(SIZES, [1]), x, y, sgd, epochs=3, batch_size=7)
    assert one["loss"].tolist() == pytest.approx(both[both["seed"] == 1]["loss"].tolist(), rel=1e-4)
