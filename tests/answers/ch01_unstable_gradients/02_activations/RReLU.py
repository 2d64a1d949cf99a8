# %% right="rand_like, stretched"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower = lower
        self.upper = upper

    def forward(self, z):
        if not self.training:
            return F.leaky_relu(z, (self.lower + self.upper) / 2)
        a = self.lower + (self.upper - self.lower) * torch.rand_like(z)
        return torch.relu(z) - a * torch.relu(-z)


# %% right="F.rrelu"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.bounds = (lower, upper)

    def forward(self, z):
        return F.rrelu(z, *self.bounds, training=self.training)


# %% right="slopes for the negative elements only, in place on a copy"
class RReLU(nn.Module):
    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3):
        super().__init__()
        self.register_buffer("low", torch.tensor(lower, dtype=torch.float64), persistent=False)
        self.register_buffer("high", torch.tensor(upper, dtype=torch.float64), persistent=False)

    def forward(self, z):
        left = z < 0
        n = int(left.sum())
        if self.training:
            slopes = self.low + (self.high - self.low) * torch.rand(n, dtype=torch.float64)
        else:
            slopes = torch.full((n,), float(self.low + self.high) / 2)
        out = z.clone()
        out[left] = z[left] * slopes.to(z.dtype)
        return out


# %% right="a factor everywhere"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        mean, half = (self.lower + self.upper) / 2, (self.upper - self.lower) / 2
        noise = half * (2 * torch.rand(z.shape, dtype=z.dtype, device=z.device) - 1)
        slope = mean + noise * self.training
        return z * torch.where(z >= 0, torch.ones_like(slope), slope)


# %% wrong="one slope a call" says="all elements have the same slope"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = self.lower + (self.upper - self.lower) * torch.rand(1).item()
        return torch.where(z > 0, z, a * z)


# %% wrong="one slope a unit" says="rows or columns share a slope"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = self.lower + (self.upper - self.lower) * torch.rand(z.shape[-1], dtype=z.dtype)
        return torch.where(z > 0, z, a * z)


# %% wrong="one slope a row" says="rows or columns share a slope"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = self.lower + (self.upper - self.lower) * torch.rand(z.shape[0], 1, dtype=z.dtype)
        return torch.where(z > 0, z, a * z)


# %% wrong="random in evaluation too" says="two calls differ"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="modes swapped" says="two calls differ"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if not self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="plain ReLU in evaluation" says="that is the plain ReLU"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        if not self.training:
            return torch.relu(z)
        a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="half the width for the mean" says="half the width"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.upper - self.lower) / 2
        if self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="the bounds ignored" says="The bounds are ignored"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()

    def forward(self, z):
        a = 11 / 48
        if self.training:
            a = torch.empty_like(z).uniform_(1 / 8, 1 / 3)
        return torch.where(z > 0, z, a * z)


# %% wrong="draws from U(0, 1)" says="outside the bounds"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.rand_like(z)
        return torch.where(z > 0, z, a * z)


# %% wrong="stretched by the upper bound, not by the width" says="outside the bounds"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = self.lower + self.upper * torch.rand_like(z)
        return torch.where(z > 0, z, a * z)


# %% wrong="normal slopes, clipped to the bounds" says="not uniformly distributed"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = mean = (self.lower + self.upper) / 2
        if self.training:
            spread = (self.upper - self.lower) / 6
            a = (mean + spread * torch.randn_like(z)).clamp(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="one of the two bounds at random" says="not uniformly distributed"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.where(torch.rand_like(z) < 0.5, self.lower, self.upper).to(z.dtype)
        return torch.where(z > 0, z, a * z)


# %% wrong="the positive side scaled too" says="positive should pass unchanged"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return a * z


# %% wrong="drawn once, for the first shape" says="draw anew in `forward`"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper, self.a = lower, upper, None

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            if self.a is None or self.a.shape != z.shape:
                self.a = torch.empty_like(z).uniform_(self.lower, self.upper)
            a = self.a
        return torch.where(z > 0, z, a * z)


# %% wrong="fixes the seed" says="draw anew in `forward`"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            torch.manual_seed(0)
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z)


# %% wrong="the gradient gets lost" says="No gradient flows back to z"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        with torch.no_grad():
            a = (self.lower + self.upper) / 2
            if self.training:
                a = torch.empty_like(z).uniform_(self.lower, self.upper)
            return torch.where(z > 0, z, a * z)


# %% wrong="noise without a gradient" says="the very slope that was used"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        mean = (self.lower + self.upper) / 2
        out = torch.where(z > 0, z, mean * z)
        if self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
            out = out + (torch.where(z > 0, z, a * z) - out).detach()
        return out


# %% wrong="always float32" says="dtype of the input"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.empty(z.shape).uniform_(self.lower, self.upper)
        return torch.where(z > 0, z, a * z).float()


# %% wrong="a learned slope" says="there should be no parameters"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper
        self.mean = nn.Parameter(torch.tensor((lower + upper) / 2))

    def forward(self, z):
        a = torch.empty_like(z).uniform_(self.lower, self.upper) if self.training else self.mean
        return torch.where(z > 0, z, a * z)


# %% right="numpy draws"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        if self.training:
            a = torch.as_tensor(np.random.uniform(self.lower, self.upper, z.shape), dtype=z.dtype, device=z.device)
        else:
            a = torch.full_like(z, self.lower + (self.upper - self.lower) / 2)
        return z.clamp(min=0) + a * z.clamp(max=0)


# %% wrong="train for training" says="two calls differ"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = torch.empty_like(z).uniform_(self.lower, self.upper) if self.train else (self.lower + self.upper) / 2
        return torch.where(z > 0, z, a * z)


# %% wrong="slopes for the last two dimensions only" says="three dimensions"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = self.lower + (self.upper - self.lower) * torch.rand(z.shape[-2:], dtype=z.dtype)
        return torch.where(z > 0, z, a * z)


# %% wrong="a generator of its own, always the same" says="Two modules draw the same slopes"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper
        self.g = torch.Generator().manual_seed(0)

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper, generator=self.g)
        return torch.where(z > 0, z, a * z)


# %% wrong="the paper's divisor" says="not a divisor"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = 1 / torch.empty_like(z).uniform_(1 / self.upper, 1 / max(self.lower, 1e-6))
        return torch.where(z > 0, z, a * z)


# %% wrong="the paper's divisor in both modes" says="You divide"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        if self.training:
            d = torch.empty_like(z).uniform_(1 / self.upper, 1 / self.lower)
        else:
            d = (1 / self.upper + 1 / self.lower) / 2
        return torch.where(z > 0, z, z / d)


# %% wrong="in place" says="The input has changed"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        return F.rrelu(z, self.lower, self.upper, self.training, inplace=True)


# %% wrong="the sign of the left side" says="the sign is wrong"
class RReLU(nn.Module):
    def __init__(self, lower=1 / 8, upper=1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, z):
        a = (self.lower + self.upper) / 2
        if self.training:
            a = torch.empty_like(z).uniform_(self.lower, self.upper)
        return torch.relu(z) + a * torch.relu(-z)
