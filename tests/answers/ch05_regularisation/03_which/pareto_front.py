# %% right="a double loop"
def pareto_front(costs):
    n = len(costs)
    front = torch.ones(n, dtype=torch.bool)
    for i in range(n):
        for j in range(n):
            if (costs[j] <= costs[i]).all() and (costs[j] < costs[i]).any():
                front[i] = False
    return front


# %% right="row by row"
def pareto_front(costs: torch.Tensor) -> torch.Tensor:
    keep = []
    for row in costs:
        no_worse = (costs <= row).all(dim=1)
        better = (costs < row).any(dim=1)
        keep.append(not bool((no_worse & better).any()))
    return torch.tensor(keep)


# %% right="in plain Python"
def pareto_front(costs):
    rows = [tuple(row) for row in costs.tolist()]

    def beats(a, b):
        return a != b and all(x <= y for x, y in zip(a, b))

    return torch.tensor([not any(beats(b, a) for b in rows) for a in rows])


# %% right="no worse, and not equal"
def pareto_front(costs):
    no_worse = (costs.unsqueeze(0) <= costs.unsqueeze(1)).all(-1)
    equal = (costs.unsqueeze(0) == costs.unsqueeze(1)).all(-1)
    return (no_worse & ~equal).sum(1) == 0


# %% right="with numpy"
def pareto_front(costs):
    c = costs.numpy()
    beaten = np.array([((c <= row).all(1) & (c < row).any(1)).any() for row in c])
    return torch.from_numpy(~beaten)


# %% wrong="rows beat themselves" says="Does each row beat itself"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    return ~(other <= mine).all(2).any(1)


# %% wrong="strictly better everywhere" says="and also (2, 5.5)"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    return ~(other < mine).all(2).any(1)


# %% wrong="better somewhere is enough" says="Nobody is left"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    return ~(other < mine).any(2).any(1)


# %% wrong="best in some column" says="best in some column"
def pareto_front(costs):
    return (costs == costs.min(0).values).any(1)


# %% wrong="the beaten ones" says="Those are the beaten ones"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    return ((other <= mine).all(2) & (other < mine).any(2)).any(1)


# %% wrong="the indices" says="should be boolean"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    beaten = ((other <= mine).all(2) & (other < mine).any(2)).any(1)
    return (~beaten).nonzero()[:, 0]


# %% wrong="a list" says="it gives a list"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    beaten = ((other <= mine).all(2) & (other < mine).any(2)).any(1)
    return (~beaten).tolist()


# %% wrong="more is better" says="rows that beat nobody"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    return ~((other >= mine).all(2) & (other > mine).any(2)).any(1)


# %% wrong="the smallest sum" says="You say"
def pareto_front(costs):
    total = costs.sum(1)
    return total == total.min()


# %% wrong="axes mixed up" says="Those are the beaten"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    beats = (other <= mine).all(2) & (other < mine).any(2)
    return beats.any(1)


# %% wrong="who beats nobody" says="the two directions swapped"
def pareto_front(costs):
    mine, other = costs[:, None], costs[None]
    beats = (other <= mine).all(2) & (other < mine).any(2)
    return ~beats.any(0)


# %% wrong="one of two equals only" says="equals do not beat each other"
def pareto_front(costs):
    keep = []
    for i, row in enumerate(costs):
        others = torch.cat([costs[:i], costs[i + 1 :]])
        beaten = ((others <= row).all(1) & (others < row).any(1)).any()
        twin = (costs[:i] == row).all(1).any()
        keep.append(not bool(beaten) and not bool(twin))
    return torch.tensor(keep)


# %% wrong="the others include an equal" says="equals do not beat each other"
def pareto_front(costs):
    keep = []
    for i, row in enumerate(costs):
        others = torch.cat([costs[:i], costs[i + 1 :]])
        keep.append(not bool((others <= row).all(1).any()))
    return torch.tensor(keep)


# %% wrong="the first two measures only" says="one beats"
def pareto_front(costs):
    a, b = costs[:, 0], costs[:, -1]
    no_worse = (a[None] <= a[:, None]) & (b[None] <= b[:, None])
    better = (a[None] < a[:, None]) | (b[None] < b[:, None])
    return ~(no_worse & better).any(1)


# %% wrong="sorts by the first and sweeps, which is right for two measures" says="no other one beats"
def pareto_front(costs):
    front = torch.zeros(len(costs), dtype=torch.bool)
    order = sorted(range(len(costs)), key=lambda i: costs[i].tolist())
    best, kept = math.inf, None
    for i in order:
        if costs[i, -1] < best or (kept is not None and costs[i].tolist() == kept):
            front[i], best, kept = True, float(costs[i, -1]), costs[i].tolist()
    return front


# %% wrong="sorts in place" says="Your function changes `costs`"
def pareto_front(costs):
    mine, other = costs[:, None].clone(), costs[None].clone()
    beaten = ((other <= mine).all(2) & (other < mine).any(2)).any(1)
    costs.copy_(costs.sort(0).values)
    costs[1] = costs[0]
    return ~beaten


# %% wrong="a loop with the two rows swapped" says="the two directions swapped"
def pareto_front(costs):
    front = torch.ones(len(costs), dtype=torch.bool)
    for i, mine in enumerate(costs):
        for other in costs:
            if (mine <= other).all() and (mine < other).any():
                front[i] = False
    return front
