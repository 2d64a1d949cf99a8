# %% right="a loop"
def memory_weights(alpha, n):
    weights, w = [], 1 - alpha
    for _ in range(n):
        weights.append(w)
        w *= alpha
    return torch.tensor(weights)


# %% right="impulse response"
def memory_weights(alpha: float, n: int) -> torch.Tensor:
    out = torch.zeros(n, dtype=torch.float64)
    s = 1 - alpha
    for k in range(n):
        out[k] = s
        s = alpha * s
    return out


# %% right="cumprod"
def memory_weights(alpha, n):
    factors = torch.full((n,), alpha, dtype=torch.float64)
    factors[0] = 1 - alpha
    return factors.cumprod(0)


# %% right="torch.pow"
def memory_weights(alpha, n):
    return (1 - alpha) * torch.pow(torch.tensor(alpha), torch.arange(n))


# %% wrong="oldest first" says="The newest value comes first"
def memory_weights(alpha, n):
    return ((1 - alpha) * alpha ** torch.arange(n)).flip(0)


# %% wrong="momentum" says="Those are the weights in momentum"
def memory_weights(alpha, n):
    return alpha ** torch.arange(n)


# %% wrong="from 1" says="has not faded yet"
def memory_weights(alpha, n):
    return (1 - alpha) * alpha ** torch.arange(1, n + 1)


# %% wrong="shares exchanged" says="The shares are exchanged"
def memory_weights(alpha, n):
    return alpha * (1 - alpha) ** torch.arange(n)


# %% wrong="normalised" says="You have made them sum to 1"
def memory_weights(alpha, n):
    w = alpha ** torch.arange(n, dtype=torch.float64)
    return w / w.sum()


# %% wrong="a list" says="should give a Tensor"
def memory_weights(alpha, n):
    return [(1 - alpha) * alpha**k for k in range(n)]


# %% wrong="the sum" says="shape should be"
def memory_weights(alpha, n):
    return torch.tensor(1 - alpha**n)


# %% wrong="one too many" says="shape should be"
def memory_weights(alpha, n):
    return (1 - alpha) * alpha ** torch.arange(n + 1)


# %% wrong="through the logarithm" says="With α = 0 all weight"
def memory_weights(alpha, n):
    return (1 - alpha) * torch.exp(torch.arange(n) * torch.log(torch.tensor(alpha)))


# %% wrong="no return" says="return"
def memory_weights(alpha, n):
    (1 - alpha) * alpha ** torch.arange(n)


# %% wrong="linear fading" says="should be 0.1, 0.09"
def memory_weights(alpha, n):
    return (1 - alpha) * (1 - (1 - alpha) * torch.arange(n))


# %% wrong="the check's values by heart" says="The weights should be"
if_ = {(0.9, 4): [0.1, 0.09, 0.081, 0.0729], (0.0, 3): [1.0, 0.0, 0.0]}
def memory_weights(alpha, n):
    return torch.tensor(if_.get((alpha, n), [1.0] * n))


# %% wrong="squeezes" says="The shape should be (1,)"
def memory_weights(alpha, n):
    return ((1 - alpha) * alpha ** torch.arange(n)).squeeze()


# %% wrong="rounded to four digits" says="The weights should be"
def memory_weights(alpha, n):
    return ((1 - alpha) * alpha ** torch.arange(n)).round(decimals=4)


# %% wrong="no more than a hundred" says="The weights should be"
def memory_weights(alpha, n):
    w = torch.zeros(n)
    for k in range(min(n, 100)):
        w[k] = (1 - alpha) * alpha**k
    return w


# %% wrong="the oldest takes the rest" says="does not take the rest"
def memory_weights(alpha, n):
    w = (1 - alpha) * alpha ** torch.arange(n, dtype=torch.float64)
    w[-1] = alpha ** (n - 1)
    return w


# %% wrong="their sums" says="Those are the sums"
def memory_weights(alpha, n):
    return 1 - alpha ** torch.arange(1, n + 1)


# %% wrong="the share for the newest alone" says="not the newest alone"
def memory_weights(alpha, n):
    w = alpha ** torch.arange(n, dtype=torch.float64)
    w[0] = 1 - alpha
    return w


# %% wrong="oldest first and faded" says="has not faded yet"
def memory_weights(alpha, n):
    return torch.tensor([(1 - alpha) * alpha ** (n - k) for k in range(n)])


# %% right="by autograd"
def memory_weights(alpha, n):
    g = torch.ones(n, dtype=torch.float64, requires_grad=True)
    s = 0
    for k in range(n - 1, -1, -1):
        s = alpha * s + (1 - alpha) * g[k]
    s.backward()
    return g.grad


# %% right="differences of powers"
def memory_weights(alpha, n):
    return -(alpha ** torch.arange(n + 1, dtype=torch.float64)).diff()
