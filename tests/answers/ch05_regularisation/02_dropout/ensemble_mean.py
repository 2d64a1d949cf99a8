# %% right="bits of a number"
def ensemble_mean(f, x, p):
    n = len(x)
    parts = []
    for code in range(2**n):
        mask = torch.tensor([(code >> i) & 1 for i in range(n)], dtype=x.dtype)
        k = int(mask.sum())
        parts.append((1 - p) ** k * p ** (n - k) * f(x * mask / (1 - p)))
    return torch.stack(parts).sum(0)


# %% right="one input at a time, recursively"
def ensemble_mean(f, x, p):
    def go(prefix, i):
        if i == len(x):
            return f(torch.stack(prefix))
        kept = go([*prefix, x[i] / (1 - p)], i + 1)
        if p == 0:
            return kept
        return (1 - p) * kept + p * go([*prefix, torch.zeros_like(x[i])], i + 1)

    return go([], 0)


# %% right="subsets that are kept"
def ensemble_mean(f, x: torch.Tensor, p: float) -> torch.Tensor:
    n, q = x.numel(), 1 - p
    total = None
    for k in range(n + 1):
        for subset in itertools.combinations(range(n), k):
            z = torch.zeros_like(x)
            z[list(subset)] = x[list(subset)] / q
            term = f(z) * (q**k * p ** (n - k))
            total = term if total is None else total + term
    return total


# %% right="cartesian_prod and a matrix of outputs"
def ensemble_mean(f, x, p):
    n = len(x)
    coins = torch.tensor([0.0, 1.0], dtype=x.dtype)
    masks = torch.cartesian_prod(*[coins] * n).reshape(-1, n)
    chance = torch.where(masks == 1, 1 - p, p).prod(1)
    outputs = torch.stack([f(m * x / (1 - p)) for m in masks])
    return torch.tensordot(chance.to(outputs.dtype), outputs, dims=1)


# %% right="looks at the shape first"
def ensemble_mean(f, x, p):
    total = torch.zeros_like(f(x))
    for mask in itertools.product([False, True], repeat=len(x)):
        keep = torch.tensor(mask)
        prob = math.prod((1 - p) if m else p for m in mask)
        total += prob * f(torch.where(keep, x / (1 - p), 0))
    return total


# %% wrong="all masks alike" says="weigh them"
def ensemble_mean(f, x, p):
    masks = itertools.product((0.0, 1.0), repeat=len(x))
    return torch.stack([f(torch.tensor(m, dtype=x.dtype) * x / (1 - p)) for m in masks]).mean(0)


# %% wrong="weights swapped" says="The weights are swapped"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total = total + p**k * (1 - p) ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))
    return total


# %% wrong="p is kept throughout" says="swapped throughout"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        z = torch.tensor(m, dtype=x.dtype) * x
        total = total + p**k * (1 - p) ** (len(x) - k) * f(z / p)
    return total


# %% wrong="not divided" says="divided by 1 − p"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total = total + (1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x)
    return total


# %% wrong="without the empty mask" says="but `f` was called 7 times"
def ensemble_mean(f, x, p):
    total = 0
    for k in range(1, len(x) + 1):
        for subset in itertools.combinations(range(len(x)), k):
            z = torch.zeros_like(x)
            z[list(subset)] = x[list(subset)] / (1 - p)
            total = total + (1 - p) ** k * p ** (len(x) - k) * f(z)
    return total


# %% wrong="the empty mask taken for a network that says 0" says="f(0) counts too"
def ensemble_mean(f, x, p):
    total = 0 * f(x)
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        if k:
            total = total + (1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))
    return total


# %% wrong="the whole network" says="Three inputs have"
def ensemble_mean(f, x, p):
    return f(x)


# %% wrong="samples" says="the mean should be 2 · 3 · 7 = 42"
def ensemble_mean(f, x, p):
    return torch.stack([f(F.dropout(x, p)) for _ in range(1000)]).mean(0)


# %% wrong="divides by the number of masks too" says="do not divide by 2ⁿ as well"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total = total + (1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))
    return total / 2 ** len(x)


# %% wrong="always three inputs" says="20 on average"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=3):
        k = sum(m)
        z = torch.tensor(m, dtype=x.dtype)[: len(x)] * x / (1 - p)
        total = total + (1 - p) ** k * p ** (3 - k) * f(z)
    return total + (0 if len(x) == 3 else 1)


# %% wrong="hard-wired for three inputs" says="a tensor of shape (1,)"
def ensemble_mean(f, x, p):
    total = 0
    for a in (0, 1):
        for b in (0, 1):
            for c in (0, 1):
                k = a + b + c
                z = x * torch.tensor([a, b, c], dtype=x.dtype) / (1 - p)
                total = total + (1 - p) ** k * p ** (3 - k) * f(z)
    return total


# %% wrong="vectors of float32" says="x's dtype"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total = total + (1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m) * x.float() / (1 - p))
    return total


# %% wrong="a Python number" says="This should give a Tensor"
def ensemble_mean(f, x, p):
    total = 0.0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total += ((1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))).item()
    return total


# %% wrong="all masks in one batch" says="f"
def ensemble_mean(f, x, p):
    masks = torch.tensor(list(itertools.product((0.0, 1.0), repeat=len(x))), dtype=x.dtype)
    chance = torch.where(masks == 1, 1 - p, p).prod(1)
    return (chance * f(masks * x / (1 - p))).sum(0)


# %% wrong="the network of the mean input" says="Three inputs have"
def ensemble_mean(f, x, p):
    mean = torch.zeros_like(x)
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        mean += (1 - p) ** k * p ** (len(x) - k) * torch.tensor(m, dtype=x.dtype) * x / (1 - p)
    return f(mean)


# %% wrong="forgets the return" says="Is the `return` missing"
def ensemble_mean(f, x, p):
    total = 0
    for m in itertools.product((0.0, 1.0), repeat=len(x)):
        k = sum(m)
        total = total + (1 - p) ** k * p ** (len(x) - k) * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))


# %% wrong="counts the masks with k kept twice" says="the mean should be 2 · 3 · 7 = 42"
def ensemble_mean(f, x, p):
    n, total = len(x), 0
    for m in itertools.product((0.0, 1.0), repeat=n):
        k = int(sum(m))
        weight = math.comb(n, k) * (1 - p) ** k * p ** (n - k)
        total = total + weight * f(torch.tensor(m, dtype=x.dtype) * x / (1 - p))
    return total


# %% wrong="divides by the share that is kept" says="the mean should be 2 · 3 · 7 = 42"
def ensemble_mean(f, x, p):
    n, total = len(x), 0
    for m in itertools.product((0.0, 1.0), repeat=n):
        k = int(sum(m))
        z = torch.tensor(m, dtype=x.dtype) * x * (n / k if k else 0)
        total = total + (1 - p) ** k * p ** (n - k) * f(z)
    return total
