# %% right="relu twice"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        if learnable:
            self.alpha = nn.Parameter(torch.full((1,), float(slope)))
        else:
            self.alpha = slope

    def forward(self, z):
        return torch.relu(z) - self.alpha * torch.relu(-z)


# %% right="a buffer for the fixed slope, clamps"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        value = torch.tensor(slope, dtype=torch.float32)
        if learnable:
            self.register_parameter("a", nn.Parameter(value))
        else:
            self.register_buffer("a", value)

    def forward(self, z):
        return z.clamp(min=0) + self.a * z.clamp(max=0)


# %% right="masked factor"
class LeakyReLU(nn.Module):
    def __init__(self, slope: float = 0.2, learnable: bool = False):
        super().__init__()
        self.slope = slope
        self.weight = nn.Parameter(torch.ones(1) * slope) if learnable else None

    def forward(self, z):
        a = self.slope if self.weight is None else self.weight
        left = (z < 0).to(z.dtype)
        return z * (1 - left) + a * z * left


# %% right="F.prelu and F.leaky_relu"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.learnable = learnable
        self.slope = nn.Parameter(torch.tensor([float(slope)])) if learnable else slope

    def forward(self, z):
        if self.learnable:
            return F.prelu(z.flatten(), self.slope).view(z.shape)
        return F.leaky_relu(z, self.slope)


# %% right="in place on a copy"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        slope = torch.tensor(float(slope))
        self.slope = nn.Parameter(slope, requires_grad=True) if learnable else float(slope)

    def forward(self, z):
        out = z.clone()
        out[z <= 0] = out[z <= 0] * self.slope
        return out


# %% wrong="max of αz and z" says="only for slopes up to 1"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.maximum(self.slope * z, z)


# %% wrong="max for the learned slope only" says="only for slopes up to 1"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.learnable = learnable
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        if self.learnable:
            return torch.maximum(self.slope * z, z)
        return F.leaky_relu(z, self.slope)


# %% wrong="plain ReLU" says="That is the plain ReLU"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.relu(z) + self.slope * 0


# %% wrong="the sign of the left side" says="the sign is wrong"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.relu(z) + self.slope * torch.relu(-z)


# %% wrong="sides swapped" says="sides are swapped"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.where(z < 0, z, self.slope * z)


# %% wrong="always a parameter" says="should not be among the parameters"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope)), requires_grad=learnable)

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="never a parameter" says="wrap the slope in nn.Parameter"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = torch.tensor(float(slope), requires_grad=learnable)

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="item() cuts the gradient" says="gets no gradient"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else torch.tensor(slope)

    def forward(self, z):
        return F.leaky_relu(z, self.slope.item()) + (0 * z)


# %% wrong="the float is used, the parameter is a decoration" says="gets no gradient"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.start = slope
        if learnable:
            self.slope = nn.Parameter(torch.tensor(float(slope)))

    def forward(self, z):
        return torch.where(z > 0, z, self.start * z)


# %% wrong="slope ignored" says="`slope` makes no difference"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.2)) if learnable else 0.2

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="PyTorch's default slope" says="PyTorch's slope of 0.01"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.01, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="starts at PReLU's 0.25" says="should start at `slope`"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.25)) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="in place on the input" says="The input has changed"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        out = torch.where(z > 0, z, self.slope * z)
        with torch.no_grad():
            z.mul_(torch.where(z > 0, 1.0, 0.5))
        return out


# %% wrong="a slope that is kept positive" says="has lost its sign"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.relu(z) - abs(self.slope) * torch.relu(-z)


# %% wrong="a slope a unit" says="one element"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.full((4,), float(slope))) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="super().__init__ forgotten" says="before Module.__init__() call"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope
        super().__init__()
        if not learnable:
            self.slope = slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="numpy inside" says="No gradient flows back to z"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        z = z.detach()
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="forward returns nothing" says="Is the `return` missing?"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        torch.where(z > 0, z, self.slope * z)


# %% right="abs formula"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.k = nn.Parameter(torch.as_tensor(slope, dtype=torch.get_default_dtype())) if learnable else slope

    def forward(self, z):
        return 0.5 * ((1 + self.k) * z + (1 - self.k) * z.abs())


# %% right="own autograd function"
class _Leak(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, a):
        ctx.save_for_backward(z, a)
        return torch.where(z > 0, z, a * z)

    @staticmethod
    def backward(ctx, g):
        z, a = ctx.saved_tensors
        return g * torch.where(z > 0, torch.ones_like(z), a.to(z)), (g * z.clamp(max=0)).sum().reshape(a.shape).to(a)


class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        a = torch.tensor(float(slope))
        if learnable:
            self.a = nn.Parameter(a)
        else:
            self.a = a

    def forward(self, z):
        return _Leak.apply(z, self.a)


# %% wrong="an autograd function that ignores what arrives" says="leaves out what arrives from above"
class _Leak(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, a):
        ctx.save_for_backward(z, a)
        return torch.where(z > 0, z, a * z)

    @staticmethod
    def backward(ctx, g):
        z, a = ctx.saved_tensors
        return g * torch.where(z > 0, 1.0, a).to(z.dtype), z.clamp(max=0).sum().reshape(a.shape)


class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        if isinstance(self.slope, nn.Parameter):
            return _Leak.apply(z, self.slope)
        return F.leaky_relu(z, self.slope)


# %% wrong="the fixed slope wants a gradient" says="A fixed slope is a constant"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        slope = torch.tensor(float(slope), requires_grad=True)
        self.slope = nn.Parameter(slope) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)


# %% wrong="the learned slope is clamped" says="kept between 0 and 1"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.learnable = learnable
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        s = self.slope.clamp(0, 1) if self.learnable else self.slope
        return torch.where(z > 0, z, s * z)


# %% wrong="one parameter for the whole class" says="Two modules share a slope"
class LeakyReLU(nn.Module):
    shared = nn.Parameter(torch.tensor(0.2))

    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.fixed = slope
        if learnable:
            self.slope = LeakyReLU.shared
            self.slope.data.fill_(slope)
        else:
            self.slope = None

    def forward(self, z):
        return torch.where(z > 0, z, (self.fixed if self.slope is None else self.slope) * z)


# %% wrong="plain ReLU in evaluation" says="the mode should make no difference"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z) if self.training else torch.relu(z)


# %% wrong="an integer slope is not foreseen" says="can require gradients"
class LeakyReLU(nn.Module):
    def __init__(self, slope=0.2, learnable=False):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope)) if learnable else slope

    def forward(self, z):
        return torch.where(z > 0, z, self.slope * z)
