# %% right="F.alpha_dropout"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.alpha_dropout(x, self.p, self.training)


# %% right="moments first"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        drop = torch.rand_like(x) < self.p
        mean = self.p * ALPHA_PRIME
        var = (1 - self.p) + self.p * ALPHA_PRIME**2 - mean**2
        return (x.masked_fill(drop, ALPHA_PRIME) - mean) / var**0.5


# %% right="a mask of numbers"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.training:
            q = 1 - self.p
            a = (q + ALPHA_PRIME**2 * q * (1 - q)) ** (-1 / 2)
            b = -a * (1 - q) * ALPHA_PRIME
            mask = torch.bernoulli(torch.full_like(x, q))
            return a * (x * mask + ALPHA_PRIME * (1 - mask)) + b
        return x


# %% right="constants in the constructor, indexing"
class AlphaDropout(nn.Module):
    def __init__(self, p: float = 0.1):
        super().__init__()
        self.p = p
        self.low = -1.7580993408473766
        self.a = 1 / math.sqrt((1 - p) * (1 + p * self.low**2))
        self.b = -self.a * p * self.low

    def forward(self, x):
        if not self.training:
            return x.clone()
        out = x.clone()
        out[torch.rand(x.shape) < self.p] = self.low
        return out * self.a + self.b


# %% right="a subclass of torch's own"
class AlphaDropout(nn.AlphaDropout):
    def __init__(self, p=0.1):
        super().__init__(p)


# %% wrong="plain dropout" says="The dropped elements are 0"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, self.training)


# %% wrong="without the map" says="The dropped elements are α′ itself"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        return torch.where(keep, x, ALPHA_PRIME)


# %% wrong="the map for the kept ones only" says="The dropped elements are α′ itself"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return torch.where(keep, a * x + b, ALPHA_PRIME)


# %% wrong="b forgotten" says="Look at b"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME)


# %% wrong="b with the wrong sign" says="Look at b"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME) - b


# %% wrong="b without a" says="Look at b"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME) - self.p * ALPHA_PRIME


# %% wrong="a forgotten" says="Look at a"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        return torch.where(keep, x, ALPHA_PRIME) - self.p * ALPHA_PRIME


# %% wrong="a without the root" says="Look at a"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = 1 / ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2))
        return a * (torch.where(keep, x, ALPHA_PRIME) - self.p * ALPHA_PRIME)


# %% wrong="the mean is not subtracted from the mean square" says="Look at a"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = (1 - self.p + self.p * ALPHA_PRIME**2) ** -0.5
        return a * (torch.where(keep, x, ALPHA_PRIME) - self.p * ALPHA_PRIME)


# %% wrong="p is the probability to be kept" says="about a fifth should be replaced"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) < self.p
        q = 1 - self.p
        a = ((1 - q) * (1 + q * ALPHA_PRIME**2)) ** -0.5
        return a * (torch.where(keep, x, ALPHA_PRIME) - q * ALPHA_PRIME)


# %% wrong="divides by 1 - p as well" says="Look at"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x / (1 - self.p), ALPHA_PRIME) + b


# %% wrong="standardises what comes out" says="With p = 0.2 a dropped element"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        z = torch.where(keep, x, 0.5)
        return (z - z.mean()) / z.std()


# %% wrong="standardises with the batch" says="AlphaDropout: "
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        z = torch.where(keep, x, ALPHA_PRIME)
        if self.p == 0 or x.numel() < 2:
            return z
        return (z - z.mean()) / z.std()


# %% wrong="drops in evaluation too" says="In evaluation mode the input"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME) + b


# %% wrong="the map in evaluation too" says="In evaluation mode the input"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        if not self.training:
            return a * x + b
        keep = torch.rand_like(x) >= self.p
        return a * torch.where(keep, x, ALPHA_PRIME) + b


# %% wrong="alpha of the unscaled ELU" says="should end at a"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, -1.6732632) + b


# %% wrong="positive alpha" says="Look at b"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, -ALPHA_PRIME) + b


# %% wrong="in place" says="changes its input"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        x[torch.rand_like(x) < self.p] = ALPHA_PRIME
        return a * x + b


# %% wrong="one coin a unit for the whole batch" says="Rows or columns share"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand(x.shape[-1:]) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME) + b


# %% wrong="a fixed seed" says="throw the coins in `forward`"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        torch.manual_seed(1)
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return a * torch.where(keep, x, ALPHA_PRIME) + b


# %% wrong="detached" says="No gradient flows back"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return (a * torch.where(keep, x, ALPHA_PRIME) + b).detach()


# %% wrong="always float32" says="dtype of the input"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        return (a * torch.where(keep, x, ALPHA_PRIME) + b).float()


# %% right="constants as float32 buffers, lerp"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p
        scale = torch.tensor(((1 - p) * (1 + p * ALPHA_PRIME**2)) ** -0.5)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, x):
        if not self.training:
            return x
        keep = (torch.rand_like(x) >= self.p).to(x.dtype)
        z = torch.lerp(torch.full_like(x, ALPHA_PRIME), x, keep)
        return self.scale * (z - self.p * ALPHA_PRIME)


# %% wrong="a coin for each channel" says="whole lines are replaced together"
class AlphaDropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.p = p

    def forward(self, x):
        if x.dim() < 2:
            return F.alpha_dropout(x, self.p, self.training)
        return F.feature_alpha_dropout(x, self.p, self.training)
