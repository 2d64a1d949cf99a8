# %% right="F.dropout"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError("p must be between 0 and 1")
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, self.training)


# %% right="bernoulli, with a clamp for p = 1"
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5):
        if not 0.0 <= p <= 1.0:
            raise ValueError(p)
        super().__init__()
        self.p = float(p)

    def forward(self, x):
        if self.training:
            keep = 1 - self.p
            mask = torch.bernoulli(torch.full_like(x, keep))
            return x * mask / max(keep, 1e-9)
        return x


# %% right="torch.where"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if p > 1 or p < 0:
            raise ValueError("dropout probability has to be between 0 and 1")
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        return torch.where(torch.rand(x.shape) < self.p, torch.zeros_like(x), x / (1 - self.p))


# %% right="numpy throws the coins"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not (0 <= p <= 1):
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = torch.as_tensor(np.random.rand(*x.shape) >= self.p).to(x.dtype)
        return x * mask if self.p in (0, 1) else x * mask / (1 - self.p)


# %% right="masked_fill on a scaled copy"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"bad p: {p}")
        self.p = p

    def forward(self, x):
        if self.training and self.p > 0:
            drop = torch.empty_like(x).uniform_() < self.p
            scale = 1 / (1 - self.p) if self.p != 1 else 0
            return (x * scale).masked_fill(drop, 0)
        return x.clone()


# %% right="a subclass of torch's own"
class Dropout(nn.Dropout):
    pass


# %% wrong="p is the probability to be kept" says="p is the probability to be dropped, not kept"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) < self.p) / self.p


# %% wrong="not scaled" says="is not divided by 1 − p"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p)


# %% wrong="the paper's form: scales in evaluation" says="In evaluation mode you multiply by 1 − p"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x * (1 - self.p)
        return x * (torch.rand_like(x) >= self.p)


# %% wrong="divides by p" says="You divide by p"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / self.p


# %% wrong="multiplies by 1 - p" says="You multiply by 1 − p"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) * (1 - self.p)


# %% wrong="drops in evaluation too" says="In evaluation mode"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="modes the wrong way round" says="In evaluation mode"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="one coin an image" says="Whole rows or columns are dropped together"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = torch.rand(x.shape[:1] + (1,) * (x.dim() - 1)) >= self.p if x.dim() else torch.ones(())
        return x * mask / (1 - self.p) if self.p < 1 else x * 0


# %% wrong="one coin a unit for the whole batch" says="Whole rows or columns are dropped together"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = torch.rand(x.shape[-1:]) >= self.p
        return x * mask / (1 - self.p) if self.p < 1 else x * 0


# %% wrong="the coins are thrown once" says="throw the coins in `forward`"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p
        self.masks = {}

    def forward(self, x):
        if not self.training:
            return x
        if x.shape not in self.masks:
            self.masks[x.shape] = torch.rand_like(x) >= self.p
        return x * self.masks[x.shape] / (1 - self.p)


# %% wrong="a fixed seed" says="Two calls drop the same elements"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        torch.manual_seed(42)
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="in place" says="changes its input"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        x[torch.rand_like(x) < self.p] = 0
        x /= 1 - self.p
        return x


# %% wrong="detached" says="No gradient flows back"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        with torch.no_grad():
            return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="no ValueError" says="should raise a ValueError"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        if self.p == 1:
            return x * 0
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="divides by zero for p = 1" says="p = 1, where everything is dropped"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * ((torch.rand_like(x) >= self.p) * (1 / (1 - self.p)))


# %% wrong="nan for p = 1" says="nan"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="exactly a share of p" says="exactly the same number of elements"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        if self.p == 1:
            return x * 0
        mask = torch.ones(x.numel(), dtype=x.dtype)
        mask[torch.randperm(x.numel())[: round(self.p * x.numel())]] = 0
        return x * mask.reshape(x.shape) / (1 - self.p)


# %% wrong="the factor is computed in the constructor" says="read self.p in each call"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p
        self.keep = 1 - p

    def forward(self, x):
        if not self.training:
            return x
        if self.keep == 0:
            return x * 0
        return x * (torch.rand_like(x) < self.keep) / self.keep


# %% wrong="always float32" says="dtype of the input"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        if self.p == 1:
            return x * 0
        return (x * (torch.rand_like(x) >= self.p) / (1 - self.p)).float()


# %% wrong="a flag of its own for the mode" says="unchanged"
class Dropout(nn.Module):
    def __init__(self, p=0.5, train=True):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p, self.active = p, train

    def forward(self, x):
        if not self.active:
            return x
        if self.p == 1:
            return x * 0
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% wrong="a default of its own" says="`self.p` should be 0.5"
class Dropout(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, self.training)


# %% right="a function with a backward of its own"
class GateFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p):
        gate = (torch.rand_like(x) >= p).to(x.dtype) * (1 / (1 - p) if p < 1 else 0.0)
        ctx.save_for_backward(gate)
        return x * gate

    @staticmethod
    def backward(ctx, slope):
        return slope * ctx.saved_tensors[0], None


class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p")
        self.p = p

    def forward(self, x):
        return GateFunction.apply(x, self.p) if self.training else x


# %% wrong="a coin for each channel" says="whole lines are dropped together"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        if self.p == 1:
            return x * 0
        shape = x.shape[:2] + (1,) * (x.dim() - 2)
        return x * (torch.rand(shape) >= self.p) / (1 - self.p)


# %% wrong="straight through: the gradient knows no mask" says="The gradient of an input should be 0"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x + (F.dropout(x, self.p, True) - x).detach()


# %% wrong="divides by the share that happens to be kept" says="1 / (1 − p) = 1.25 times"
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError
        self.p = p

    def forward(self, x):
        if not self.training or x.numel() == 0:
            return x
        keep = (torch.rand_like(x) >= self.p).to(x.dtype)
        return x * keep / keep.mean().clamp(min=1e-6)
