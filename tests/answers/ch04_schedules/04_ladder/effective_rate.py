# %% right="a comprehension"
def effective_rate(optimizer):
    return [
        float(g["lr"]) * ((1 - g["dampening"]) / (1 - g["momentum"]) if g["momentum"] > 0 else 1)
        for g in optimizer.param_groups
    ]


# %% right="case by case"
def effective_rate(optimizer):
    result = []
    for group in optimizer.param_groups:
        lr, mu, d = float(group["lr"]), group["momentum"], group["dampening"]
        if mu == 0:
            result.append(lr)
        elif group["nesterov"]:
            v = 1 / (1 - mu)
            result.append(lr * (1 + mu * v))
        else:
            result.append(lr * (1 - d) / (1 - mu))
    return result


# %% right="lets the velocity run until it rests"
def effective_rate(optimizer):
    result = []
    for group in optimizer.param_groups:
        mu, v = group["momentum"], 1.0
        gain = 1 - group["dampening"]
        if mu:
            for _ in range(5000):
                v = mu * v + gain
        result.append(float(group["lr"]) * v)
    return result


# %% right="torch's own optimiser, simulated on a copy"
def effective_rate(optimizer):
    out = []
    for g in optimizer.param_groups:
        p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        names = ("lr", "momentum", "dampening", "nesterov")
        twin = torch.optim.SGD([p], **{k: g[k] for k in names})
        for _ in range(1500):
            p.grad = torch.ones_like(p)
            old = p.item()
            twin.step()
        out.append(old - p.item())
    return out


# %% wrong="the rate alone" says="That is η itself"
def effective_rate(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


# %% wrong="multiplies" says="You multiply by 1 − μ"
def effective_rate(optimizer):
    return [g["lr"] * (1 - g["momentum"]) for g in optimizer.param_groups]


# %% wrong="divides by mu" says="You divide by μ"
def effective_rate(optimizer):
    return [g["lr"] / (g["momentum"] or 1) for g in optimizer.param_groups]


# %% wrong="two gradients" says="after two gradients"
def effective_rate(optimizer):
    return [g["lr"] * (1 + g["momentum"]) for g in optimizer.param_groups]


# %% wrong="a number instead of a list" says="This should give a list"
def effective_rate(optimizer):
    g = optimizer.param_groups[0]
    return g["lr"] / (1 - g["momentum"])


# %% wrong="the first group only" says="has four"
def effective_rate(optimizer):
    g = optimizer.param_groups[0]
    return [g["lr"] / (1 - g["momentum"])]


# %% wrong="the defaults" says="read the rate from the group"
def effective_rate(optimizer):
    d = optimizer.defaults
    return [d["lr"] / (1 - d["momentum"]) for _ in optimizer.param_groups]


# %% wrong="the default momentum" says="a μ of its own"
def effective_rate(optimizer):
    mu = optimizer.defaults["momentum"]
    return [float(g["lr"] / (1 - mu)) for g in optimizer.param_groups]


# %% wrong="no dampening" says="Dampening is not heeded"
def effective_rate(optimizer):
    return [g["lr"] / (1 - g["momentum"]) for g in optimizer.param_groups]


# %% wrong="dampening without momentum" says="PyTorch ignores the dampening"
def effective_rate(optimizer):
    return [
        g["lr"] * (1 - g["dampening"]) / (1 - g["momentum"]) for g in optimizer.param_groups
    ]


# %% wrong="Nesterov with a factor too much" says="A factor 1 + μ too much"
def effective_rate(optimizer):
    out = []
    for g in optimizer.param_groups:
        mu = g["momentum"]
        share = (1 - g["dampening"]) / (1 - mu) if mu else 1
        out.append(g["lr"] * share * (1 + mu if g["nesterov"] else 1))
    return out


# %% wrong="Nesterov's first step" says="the *first* step"
def effective_rate(optimizer):
    out = []
    for g in optimizer.param_groups:
        mu = g["momentum"]
        share = (1 - g["dampening"]) / (1 - mu) if mu else 1
        out.append(g["lr"] * (1 + mu if g["nesterov"] else share))
    return out


# %% wrong="the rate of the beginning" says="keeps the first as `initial_lr`"
def effective_rate(optimizer):
    out = []
    for g in optimizer.param_groups:
        mu = g["momentum"]
        share = (1 - g["dampening"]) / (1 - mu) if mu else 1
        out.append(float(g.get("initial_lr", g["lr"])) * share)
    return out


# %% wrong="a tensor of rates" says="This should give a list"
def effective_rate(optimizer):
    return torch.tensor(
        [g["lr"] * (1 - g["dampening"]) / (1 - g["momentum"]) for g in optimizer.param_groups]
    )


# %% wrong="takes steps with the optimiser itself" says="have changed"
def effective_rate(optimizer):
    out = []
    for g in optimizer.param_groups:
        mu = g["momentum"]
        if not mu:
            g["dampening"] = 0
        out.append(float(g["lr"] * (1 - g["dampening"]) / (1 - mu)))
    return out


# %% wrong="a rate as a tensor stays one" says="the result is a Python float"
def effective_rate(optimizer):
    return [
        g["lr"] * (1 - g["dampening"]) / (1 - g["momentum"]) if g["momentum"] else g["lr"]
        for g in optimizer.param_groups
    ]


# %% wrong="forgets to return" says="Is the `return` missing"
def effective_rate(optimizer):
    [g["lr"] / (1 - g["momentum"]) for g in optimizer.param_groups]


# %% wrong="tries a hundred steps" says="not the step that torch's SGD settles at"
def effective_rate(optimizer):
    result = []
    for group in optimizer.param_groups:
        mu, v = group["momentum"], 1.0
        for _ in range(100):
            v = mu * v + 1 - group["dampening"] if mu else 1.0
        result.append(float(group["lr"]) * v)
    return result
