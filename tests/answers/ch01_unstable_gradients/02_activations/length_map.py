# %% right="Gauss-Hermite, NumPy's nodes, a float for a float"
def length_map(activation, q, gain=1.0):
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    nodes, weights = torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())
    lengths = torch.as_tensor(q, dtype=torch.float64)
    out = (activation(gain * lengths.sqrt()[..., None] * nodes) ** 2 * weights).sum(-1)
    return out if isinstance(q, torch.Tensor) else out.item()


# %% right="a loop over q and a Riemann sum"
def length_map(activation, q, gain=1.0):
    step = 0.002
    x = torch.arange(-9, 9, step, dtype=torch.float64)
    density = (-0.5 * x**2).exp() / (2 * math.pi) ** 0.5

    def one(value):
        return float((activation(gain * math.sqrt(value) * x) ** 2 * density).sum() * step)

    if isinstance(q, torch.Tensor):
        values = [one(v) for v in q.flatten().tolist()]
        return torch.tensor(values, dtype=torch.float64).reshape(q.shape)
    return one(q)


# %% right="quantiles of the normal distribution"
def length_map(activation, q, gain=1.0):
    p = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    x = torch.special.ndtri(p)
    q = torch.as_tensor(q, dtype=torch.float64)
    flat = [activation(gain * v.sqrt() * x).pow(2).mean() for v in q.reshape(-1)]
    return torch.stack(flat).reshape(q.shape)


# %% right="SciPy's quad, at any q"
def length_map(activation, q, gain=1.0):
    from scipy.integrate import quad

    def one(value):
        def integrand(x):
            z = torch.tensor(gain * math.sqrt(value) * x, dtype=torch.float64)
            return float(activation(z)) ** 2 * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

        return quad(integrand, -9, 0)[0] + quad(integrand, 0, 9)[0]

    if isinstance(q, torch.Tensor):
        return torch.tensor([one(v) for v in q.flatten().tolist()]).reshape(q.shape)
    return one(q)


# %% wrong="no square" says="Square it before averaging"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) * p, x)


# %% wrong="the variance" says="does not subtract the mean"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    f = activation(gain * q.sqrt().unsqueeze(-1) * x)
    return torch.trapezoid(f**2 * p, x) - torch.trapezoid(f * p, x) ** 2


# %% wrong="density not normalised" says="divide by √(2π)"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="no root of q" says="not q"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="the gain under the root" says="as g², not g"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation((gain * q).sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="gain squared twice" says="once too often"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain**2 * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="gain forgotten" says="The gain makes no difference"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="the gain outside" says="mean square"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return gain**2 * torch.trapezoid(activation(q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="the ratio" says="you divided by it"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x) / q


# %% wrong="the root mean square" says="root mean square"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x).sqrt()


# %% wrong="a grid that ends too early" says="half of the mean square should be left"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-3, 3, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="only the right half" says="integrate over both sides"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(0, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="Hermite nodes not stretched" says="need a factor √2"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x, w = map(torch.from_numpy, np.polynomial.hermite.hermgauss(100))
    return (activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * w).sum(-1) / math.sqrt(math.pi)


# %% wrong="Hermite weights not normalised" says="Divide the sum of Hermite weights by √π"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x, w = map(torch.from_numpy, np.polynomial.hermite.hermgauss(100))
    return (activation(gain * q.sqrt().unsqueeze(-1) * math.sqrt(2) * x) ** 2 * w).sum(-1)


# %% wrong="ten Hermite nodes" says="off by more than 1/1000"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x, w = map(torch.from_numpy, np.polynomial.hermite.hermgauss(10))
    z = gain * q.sqrt().unsqueeze(-1) * math.sqrt(2) * x
    return (activation(z) ** 2 * w).sum(-1) / math.sqrt(math.pi)


# %% wrong="a million random numbers" says="without random numbers"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.randn(100_000, dtype=torch.float64)
    return activation(gain * q.sqrt().unsqueeze(-1) * x).square().mean(-1)


# %% wrong="floats only" says="your code raised"
def length_map(activation, q, gain=1.0):
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * math.sqrt(q) * x) ** 2 * p, x)


# %% wrong="averages over all q" says="shape of q"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64).reshape(-1, 1)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt() * x) ** 2 * p, x).mean()


# %% wrong="loses the shape" says="shape of q"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64).reshape(-1, 1)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    out = torch.trapezoid(activation(gain * q.sqrt() * x) ** 2 * p, x)
    return out if len(out) > 1 else out[0]


# %% wrong="tensors only" says="your code raised"
def length_map(activation, q, gain=1.0):
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="renamed an argument" says="unexpected keyword argument 'gain'"
def length_map(activation, q, g=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(g * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="no return" says="Is the `return` missing?"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% right="normalised weights"
def length_map(activation, q, gain=1.0):
    x = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    p = torch.softmax(-(x**2) / 2, dim=0)
    flat = torch.as_tensor(q, dtype=torch.float64)
    out = torch.stack([(activation(gain * v.sqrt() * x) ** 2 * p).sum() for v in flat.flatten()])
    return out.reshape(flat.shape)


# %% right="erf cells"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    e = torch.linspace(-8, 8, 8001, dtype=torch.float64)
    p = torch.special.ndtr(e).diff()
    m = (e[1:] + e[:-1]) / 2
    return torch.einsum("...n,n->...", activation(gain * q.sqrt().unsqueeze(-1) * m) ** 2, p)


# %% wrong="shape (1,) for a float" says="a tensor of shape ()"
def length_map(activation, q, gain=1.0):
    shape = q.shape if isinstance(q, torch.Tensor) else (1,)
    q = torch.as_tensor(q, dtype=torch.float64).reshape(-1, 1)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt() * x) ** 2 * p, x).reshape(shape)


# %% wrong="float32" says="Work in float64"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float32)
    x = torch.linspace(-8, 8, 4001)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="random numbers, seeded, mirrored and scaled" says="You draw random numbers"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    torch.manual_seed(0)
    x = torch.randn(300_000, dtype=torch.float64)
    x = torch.cat([x, -x])
    x = x / x.square().mean().sqrt()
    return activation(gain * q.sqrt().unsqueeze(-1) * x).square().mean(-1)


# %% wrong="always 0 at q = 0" says="L is f(0)²"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    v = torch.trapezoid(activation(gain * q.sqrt().unsqueeze(-1) * x) ** 2 * p, x)
    return torch.where(q == 0, 0.0, v)


# %% wrong="spoils q" says="The tensor q has changed"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    s = q.sqrt_().mul_(gain)
    return torch.trapezoid(activation(s.unsqueeze(-1) * x) ** 2 * p, x)


# %% wrong="the density of z" says="The density belongs to x"
def length_map(activation, q, gain=1.0):
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    z = gain * q.sqrt().unsqueeze(-1) * x
    p = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(activation(z) ** 2 * p, x)
