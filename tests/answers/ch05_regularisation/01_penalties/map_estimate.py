# %% right="imaginary data and a clamp"
def map_estimate(x, y, noise, prior, scale=1.0):
    evidence, weight = (x * y).sum(), x.square().sum()
    if prior == "flat":
        return evidence / weight
    if prior == "gaussian":
        return evidence / (weight + (noise / scale) ** 2)
    if prior == "laplace":
        t = noise**2 / scale
        return (evidence - evidence.clamp(-t, t)) / weight
    raise ValueError(prior)


# %% right="through the MLE"
def map_estimate(x, y, noise, prior, scale=1.0):
    c = x.dot(x)
    mle = x.dot(y) / c
    if prior == "flat":
        return mle
    elif prior == "gaussian":
        return mle * c / (c + noise**2 / scale**2)
    elif prior == "laplace":
        return soft_threshold(mle, noise**2 / (scale * c))
    else:
        raise ValueError("unknown prior")


# %% right="a dict of functions"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = (x * y).sum(), (x * x).sum()
    rules = {
        "flat": lambda: a / c,
        "gaussian": lambda: (a / noise**2) / (c / noise**2 + scale**-2),
        "laplace": lambda: a.sign() * torch.relu(a.abs() - noise**2 / scale) / c,
    }
    if prior not in rules:
        raise ValueError(f"unknown prior {prior}")
    return rules[prior]()


# %% right="cases by hand"
def map_estimate(x, y, noise, prior, scale=1.0):
    assert len(x) == len(y)
    a, c = torch.dot(x, y), torch.dot(x, x)
    if prior not in ("flat", "gaussian", "laplace"):
        raise ValueError("flat, gaussian or laplace")
    if prior == "laplace":
        right = (a - noise**2 / scale) / c
        left = (a + noise**2 / scale) / c
        if right > 0:
            return right
        return left if left < 0 else torch.zeros_like(a)
    precision = 0.0 if prior == "flat" else 1 / scale**2
    return a / (c + noise**2 * precision)


# %% right="through Python floats and back"
def map_estimate(x, y, noise, prior, scale=1.0):
    a = (x.double() * y.double()).sum().item()
    c = (x.double() ** 2).sum().item()
    if prior == "flat":
        w = a / c
    elif prior == "gaussian":
        w = a / (c + noise**2 / scale**2)
    elif prior == "laplace":
        w = math.copysign(max(abs(a) - noise**2 / scale, 0), a) / c
    else:
        raise ValueError
    return torch.tensor(w, dtype=x.dtype)


# %% wrong="never a prior" says="The Gaussian prior makes no difference"
def map_estimate(x, y, noise, prior, scale=1.0):
    return x @ y / (x @ x)


# %% wrong="ratio of sums" says="That is Σy / Σx"
def map_estimate(x, y, noise, prior, scale=1.0):
    return y.sum() / x.sum()


# %% wrong="mean ratio" says="the mean of y/x"
def map_estimate(x, y, noise, prior, scale=1.0):
    return (y / x).mean()


# %% wrong="divides by n" says="You divide by n"
def map_estimate(x, y, noise, prior, scale=1.0):
    return (x * y).mean()


# %% wrong="adds the prior always" says="Without a prior nothing is added"
def map_estimate(x, y, noise, prior, scale=1.0):
    return x @ y / (x @ x + noise**2 / scale**2)


# %% wrong="ridge without noise" says="The noise is missing"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + 1 / scale**2)
    return x @ y / (x @ x)


# %% wrong="ridge without tau" says="τ is missing"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + noise**2)
    return x @ y / (x @ x)


# %% wrong="scale as variance" says="Is `scale` the variance"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + noise**2 / scale)
    return x @ y / (x @ x)


# %% wrong="multiplies by tau" says="You multiply by τ²"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + noise**2 * scale**2)
    return x @ y / (x @ x)


# %% wrong="not squared" says="Both enter as squares"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + noise / scale)
    return x @ y / (x @ x)


# %% wrong="upside down" says="Upside down"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + scale**2 / noise**2)
    return x @ y / (x @ x)


# %% wrong="half missing" says="A factor 2 too much"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "gaussian":
        return x @ y / (x @ x + 2 * noise**2 / scale**2)
    return x @ y / (x @ x)


# %% wrong="laplace without noise" says="The noise is missing: Σxy is cut"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, 1 / scale) / c if prior == "laplace" else a / c


# %% wrong="laplace not squared" says="The noise enters as its square"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, noise / scale) / c if prior == "laplace" else a / c


# %% wrong="cut after dividing" says="too wide to bring this weight to 0"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a / c, noise**2 / scale) if prior == "laplace" else a / c


# %% wrong="scale multiplies" says="too wide to bring this weight to 0"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, noise**2 * scale) / c if prior == "laplace" else a / c


# %% wrong="laplace as gaussian" says="That is the Gaussian prior"
def map_estimate(x, y, noise, prior, scale=1.0):
    if prior == "flat":
        return x @ y / (x @ x)
    return x @ y / (x @ x + noise**2 / scale**2)


# %% wrong="scale as the standard deviation of laplace" says="`scale` is b itself"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, noise**2 * 2**0.5 / scale) / c if prior == "laplace" else a / c


# %% wrong="pushes outwards" says="away from 0"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return (a + a.sign() * noise**2 / scale) / c if prior == "laplace" else a / c


# %% wrong="crosses the corner" says="the corner wins"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return (a - a.sign() * noise**2 / scale) / c if prior == "laplace" else a / c


# %% wrong="positive weights only" says="should turn its sign"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return (a - noise**2 / scale).clamp(min=0) / c if prior == "laplace" else a / c


# %% wrong="does not refuse" says="should raise a ValueError"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, noise**2 / scale) / c if prior == "laplace" else a / c


# %% wrong="a float" says="This should give a Tensor"
def map_estimate(x, y, noise, prior, scale=1.0):
    return (x @ y / (x @ x)).item()


# %% wrong="one number per sample" says="The shape should be ()"
def map_estimate(x, y, noise, prior, scale=1.0):
    return x * y / (x * x)


# %% wrong="a search on a coarse grid" says="should be Σxy / Σx²"
def map_estimate(x, y, noise, prior, scale=1.0):
    w = torch.linspace(-3, 3, 601)
    cost = ((y - w[:, None] * x) ** 2).sum(1) / (2 * noise**2)
    if prior == "gaussian":
        cost = cost + w**2 / (2 * scale**2)
    elif prior == "laplace":
        cost = cost + w.abs() / scale
    return w[cost.argmin()]


# %% wrong="always float32" says="dtype"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = (x @ y).float(), (x @ x).float()
    if prior == "flat":
        return a / c
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    if prior == "laplace":
        return soft_threshold(a, noise**2 / scale) / c
    raise ValueError


# %% wrong="the prior divided by n, as a penalty on a mean loss is" says="whatever n is"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c, n = x @ y, x @ x, len(x)
    if prior == "flat":
        return a / c
    if prior == "gaussian":
        return a / (c + noise**2 / (n * scale**2))
    if prior == "laplace":
        return soft_threshold(a, noise**2 / (n * scale)) / c
    raise ValueError(prior)


# %% wrong="means in place of sums" says="The prior counts n times in yours. It counts once, and each sample"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = (x * y).mean(), (x * x).mean()
    if prior == "flat":
        return a / c
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    if prior == "laplace":
        return soft_threshold(a, noise**2 / scale) / c
    raise ValueError(prior)


# %% wrong="laplace divided by n" says="n plays no part"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a, noise**2 / (len(x) * scale)) / c if prior == "laplace" else a / c


# %% wrong="laplace on means" says="It counts once: Σxy is cut"
def map_estimate(x, y, noise, prior, scale=1.0):
    a, c = x @ y, x @ x
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    return soft_threshold(a / len(x), noise**2 / scale) * len(x) / c if prior == "laplace" else a / c
