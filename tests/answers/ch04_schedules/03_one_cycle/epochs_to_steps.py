# %% right="math.ceil twice"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    whole, rest = divmod(n, batch_size)
    batches = whole if drop_last or rest == 0 else whole + 1
    if not batches:
        raise ValueError("no batch")
    return math.ceil(batches / accumulate) * epochs


# %% right="with range"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    starts = range(0, n - batch_size + 1 if drop_last else n, batch_size)
    if len(starts) == 0:
        raise ValueError("An epoch needs at least one batch.")
    return epochs * len(range(0, len(starts), accumulate))


# %% right="add the divisor minus one"
def epochs_to_steps(
    n: int, batch_size: int, epochs: int, drop_last: bool = False, accumulate: int = 1
) -> int:
    batches = (n if drop_last else n + batch_size - 1) // batch_size
    if batches < 1:
        raise ValueError
    per_epoch = (batches + accumulate - 1) // accumulate
    return sum(per_epoch for _ in range(epochs))


# %% right="the batch first checked"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    if n == 0 or (drop_last and n < batch_size):
        raise ValueError(f"{n=} gives no batch of {batch_size}")
    full, left = n // batch_size, n % batch_size
    if left and not drop_last:
        full += 1
    updates, more = divmod(full, accumulate)
    return (updates + bool(more)) * epochs


# %% wrong="drops the last batch always" says="The smaller last batch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    if n < batch_size:
        raise ValueError
    return epochs * -(-(n // batch_size) // accumulate)


# %% wrong="rounds the total down" says="round up each epoch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    return n * epochs // batch_size // accumulate


# %% wrong="rounds the total up" says="round up each epoch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    return math.ceil(n * epochs / batch_size / accumulate)


# %% wrong="one epoch" says="That is one epoch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    return math.ceil(math.ceil(n / batch_size) / accumulate)


# %% wrong="adds one always" says="no further batch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size + (0 if drop_last else 1)
    if n == 0 or batches == 0:
        raise ValueError
    return epochs * math.ceil(batches / accumulate)


# %% wrong="a float" says="should be an int"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = np.floor(n / batch_size) if drop_last else np.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return epochs * np.ceil(batches / accumulate)


# %% wrong="ignores drop_last" says="the batch of 40 is left out"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = math.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return epochs * math.ceil(batches / accumulate)


# %% wrong="ignores accumulate" says="`accumulate` makes no difference"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else math.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return epochs * batches


# %% wrong="accumulates over the end of an epoch" says="in each epoch"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else math.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return math.ceil(epochs * batches / accumulate)


# %% wrong="loses what is left over" says="gets an update of its own"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else math.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return epochs * (batches // accumulate)


# %% wrong="one large batch" says="gets an update of its own"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    size = batch_size * accumulate
    steps = n // size if drop_last or accumulate > 1 else math.ceil(n / size)
    if steps == 0:
        raise ValueError
    return epochs * steps


# %% wrong="multiplies by accumulate" says="fewer updates, not more"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else math.ceil(n / batch_size)
    if batches == 0:
        raise ValueError
    return epochs * batches * accumulate


# %% wrong="no error" says="so a ValueError"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else -(-n // batch_size)
    return epochs * -(-batches // accumulate)


# %% wrong="an assertion instead of the error" says="so a ValueError"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else -(-n // batch_size)
    assert batches > 0
    return epochs * -(-batches // accumulate)


# %% wrong="an error for no samples only" says="so a ValueError"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    if n == 0:
        raise ValueError
    batches = n // batch_size if drop_last else -(-n // batch_size)
    return epochs * -(-batches // accumulate)


# %% wrong="a big batch of size times accumulate, drop_last by it" says="drops a smaller *batch*"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    size = batch_size * accumulate
    if n == 0 or (drop_last and n < batch_size):
        raise ValueError
    return epochs * (n // size if drop_last else -(-n // size))


# %% wrong="forgets to return" says="should be an int"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    batches = n // batch_size if drop_last else -(-n // batch_size)
    steps = epochs * -(-batches // accumulate)


# %% wrong="drop_last forgotten where gradients accumulate" says="The batch of 40 is counted here"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    whole = n // batch_size
    batches = whole if drop_last and accumulate == 1 else math.ceil(n / batch_size)
    if batches == 0 or (drop_last and whole == 0):
        raise ValueError
    return epochs * math.ceil(batches / accumulate)


# %% wrong="drop_last drops incomplete updates, too" says="drops a smaller *batch*"
def epochs_to_steps(n, batch_size, epochs, drop_last=False, accumulate=1):
    if drop_last:
        batches = n // batch_size
        updates = batches // accumulate
    else:
        batches = math.ceil(n / batch_size)
        updates = math.ceil(batches / accumulate)
    if batches == 0:
        raise ValueError
    return epochs * updates
