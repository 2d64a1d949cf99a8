# %% right="slices of a permutation"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError("batch_size")
    order = torch.randperm(x.shape[0], generator=generator)
    for start in range(0, len(order), batch_size):
        index = order[start : start + batch_size]
        yield x[index], y[index]


# %% right="a list, with argsort of random numbers"
def minibatches(x, y, batch_size, generator):
    if batch_size <= 0:
        raise ValueError(batch_size)
    order = torch.rand(len(x), generator=generator).argsort()
    return [(x[i], y[i]) for i in torch.split(order, batch_size)]


# %% right="a DataLoader"
def minibatches(x, y, batch_size, generator):
    from torch.utils.data import DataLoader, RandomSampler, TensorDataset

    data = TensorDataset(x, y)
    if batch_size < 1:
        raise ValueError(f"{batch_size=}")
    for xb, yb in DataLoader(data, batch_size, sampler=RandomSampler(data, generator=generator), generator=generator):
        yield xb, yb


# %% right="shuffled copies, zip of splits, raises at once"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(y), generator=generator)
    x_new, y_new = x[order], y[order]
    return zip(x_new.split(batch_size), y_new.split(batch_size))


# %% right="Fisher and Yates, by hand"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError("at least one")
    order = list(range(len(x)))
    for i in range(len(order) - 1, 0, -1):
        j = torch.randint(i + 1, (1,), generator=generator).item()
        order[i], order[j] = order[j], order[i]
    if len(order) == 1:
        torch.rand(1, generator=generator)
    while order:
        index, order = order[:batch_size], order[batch_size:]
        yield x[index], y[index]


# %% wrong="no shuffling" says="in their old order"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    for i in range(0, len(x), batch_size):
        yield x[i : i + batch_size], y[i : i + batch_size]


# %% wrong="drops the last" says="the last two are missing"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    for k in range(len(x) // batch_size):
        index = order[k * batch_size : (k + 1) * batch_size]
        yield x[index], y[index]


# %% wrong="with replacement" says="deal them without replacement"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randint(len(x), (len(x),), generator=generator)
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% wrong="x and y shuffled apart" says="x and y have lost each other"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    a, b = (torch.randperm(len(x), generator=generator) for _ in range(2))
    for i, j in zip(a.split(batch_size), b.split(batch_size)):
        yield x[i], y[j]


# %% wrong="only x shuffled" says="x and y have lost each other"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    yield from zip(x[order].split(batch_size), y.split(batch_size))


# %% wrong="the global generator" says="The global random state was used"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    for index in torch.randperm(len(x)).split(batch_size):
        yield x[index], y[index]


# %% wrong="sets the global seed" says="The global random state was used or set"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    torch.manual_seed(int(torch.randint(10**6, (1,), generator=generator)))
    for index in torch.randperm(len(x)).split(batch_size):
        yield x[index], y[index]


# %% wrong="seeds anew in each epoch" says="The next epoch has the same order"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator.manual_seed(0))
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% wrong="a seed of its own" says="The next epoch has the same order"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% wrong="numpy's generator" says="A generator with the same seed gave another order"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.from_numpy(np.random.default_rng().permutation(len(x)))
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% wrong="shuffles x itself" says="x itself was shuffled"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    x[:], y[:] = x[order], y[order]
    for i in range(0, len(x), batch_size):
        yield x[i : i + batch_size].clone(), y[i : i + batch_size].clone()


# %% wrong="first batch only" says="should come as 4, 4 and 2"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    index = torch.randperm(len(x), generator=generator)[:batch_size]
    yield x[index], y[index]


# %% wrong="returns in the loop" says="should be a pair"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    for index in torch.randperm(len(x), generator=generator).split(batch_size):
        return x[index], y[index]


# %% wrong="nothing returned" says="something to loop over"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    batches = [(x[i], y[i]) for i in torch.randperm(len(x), generator=generator).split(batch_size)]


# %% wrong="no ValueError" says="A batch size of 0 should raise a ValueError"
def minibatches(x, y, batch_size, generator):
    order = torch.randperm(len(x), generator=generator)
    start = 0
    while start < len(order) and batch_size > 0:
        index = order[start : start + batch_size]
        yield x[index], y[index]
        start += batch_size


# %% wrong="only 0 is refused" says="A batch size of -1"
def minibatches(x, y, batch_size, generator):
    if batch_size == 0:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    for i in range(0, len(x), batch_size):
        yield x[order[i : i + batch_size]], y[order[i : i + batch_size]]


# %% wrong="shuffles whole batches" says="should come as 4, 4 and 2"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    blocks = list(torch.arange(len(x)).split(batch_size))
    order = torch.randperm(len(blocks), generator=generator)
    for k in order:
        yield x[blocks[k]], y[blocks[k]]


# %% wrong="shuffles within neighbouring blocks" says="only a few orders"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    torch.rand(1, generator=generator)
    for block in torch.arange(len(x)).split(batch_size):
        index = block[torch.randperm(len(block), generator=generator)]
        yield x[index], y[index]


# %% wrong="rolls by a random offset" says="only a few orders"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.arange(len(x)).roll(1 + int(torch.randint(len(x) - 1 or 1, (1,), generator=generator)))
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% wrong="a biased shuffle" says="every order should be equally likely"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    noise = torch.rand(len(x), generator=generator)
    order = (noise + 0.3 * torch.arange(len(x)) / len(x)).argsort()
    for index in order.split(batch_size):
        yield x[index], y[index]


# %% right="a fork of the global state, put back at once"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError("batch_size")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        order = torch.randperm(len(x))
    yield from ((x[i], y[i]) for i in order.split(batch_size))


# %% wrong="chunk" says="The batches should have `batch_size` samples each"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    for index in order.chunk(math.ceil(len(x) / batch_size)):
        yield x[index], y[index]


# %% wrong="one batch is not shuffled" says="they are to be shuffled all the same"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    if batch_size >= len(x):
        yield x, y
        return
    for index in torch.randperm(len(x), generator=generator).split(batch_size):
        yield x[index], y[index]


# %% wrong="seeds the generator with the next number" says="The generator was seeded anew"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    generator.manual_seed(generator.initial_seed() + 1)
    for index in torch.randperm(len(x), generator=generator).split(batch_size):
        yield x[index], y[index]


# %% wrong="seeds Python's random" says="of Python or NumPy was touched"
def minibatches(x, y, batch_size, generator):
    import random

    if batch_size < 1:
        raise ValueError
    random.seed(int(torch.randint(2**31, (1,), generator=generator)))
    order = list(range(len(x)))
    random.shuffle(order)
    for i in range(0, len(x), batch_size):
        yield x[order[i : i + batch_size]], y[order[i : i + batch_size]]


# %% wrong="yields inside the fork" says="While the loop runs"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        for index in torch.randperm(len(x)).split(batch_size):
            yield x[index], y[index]


# %% wrong="classes become floats" says="classes are integers"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    order = torch.randperm(len(x), generator=generator)
    for i in range(0, len(x), batch_size):
        yield x[order[i : i + batch_size]], y[order[i : i + batch_size]].float()


# %% wrong="sorts within the batch" says="always in their old order"
def minibatches(x, y, batch_size, generator):
    if batch_size < 1:
        raise ValueError
    for index in torch.randperm(len(x), generator=generator).split(batch_size):
        index = index.sort().values
        yield x[index], y[index]
