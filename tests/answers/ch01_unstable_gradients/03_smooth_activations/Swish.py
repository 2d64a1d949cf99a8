# %% right="a parameter of shape (1,)"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.ones(1) * beta)

    def forward(self, z):
        gate = torch.sigmoid(self.beta * z)
        return gate * z


# %% right="registered by name, gate through exp, stable through its own softplus"
class Swish(nn.Module):
    def __init__(self, beta: float = 1.0):
        super().__init__()
        self.register_parameter("beta", nn.Parameter(torch.full((), float(beta))))

    def forward(self, z):
        return z * torch.exp(F.logsigmoid(z * self.beta))


# %% right="the sigmoid as a module, prints left in"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = torch.nn.parameter.Parameter(torch.tensor([beta]), requires_grad=True)
        self.sigmoid = nn.Sigmoid()

    def forward(self, z):
        print("beta", self.beta)
        return torch.mul(z, self.sigmoid(torch.mul(self.beta, z)))


# %% right="the sigmoid written with tanh"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.as_tensor(beta, dtype=torch.get_default_dtype()))

    def forward(self, z):
        return z / 2 + z * torch.tanh(self.beta * z / 2) / 2


# %% wrong="β a plain float" says="The module has no parameter"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="a tensor that requires grad, unregistered" says="The module has no parameter"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = torch.tensor(beta, requires_grad=True)

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="a buffer" says="The module has no parameter"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.register_buffer("beta", torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="another name" says="There should be one parameter, `beta`"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.b = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.b * z)


# %% wrong="silu(βz) / β" says="With β = 0"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return F.silu(self.beta * z) / self.beta


# %% wrong="silu(βz)" says="one β too many"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return F.silu(self.beta * z)


# %% wrong="β outside the sigmoid" says="β belongs inside the sigmoid"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return self.beta * z * torch.sigmoid(z)


# %% wrong="β not used" says="β makes no difference"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return F.silu(z)


# %% wrong="the argument ignored" says="β makes no difference"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="the gate alone" says="the gate σ(βz) alone"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return torch.sigmoid(self.beta * z)


# %% wrong="exp without the minus" says="The gate shuts where it should open"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z / (1 + torch.exp(self.beta * z))


# %% wrong="a β for each column" says="one number"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.full((3,), beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="item()" says="No gradient reaches β"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        z = z.clone().requires_grad_() if not z.requires_grad else z
        return z * torch.sigmoid(self.beta.item() * z)


# %% wrong=".data" says="No gradient reaches β"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta.data * z) + 0 * self.beta.detach() * torch.zeros(
            (), requires_grad=True
        )


# %% wrong="a global parameter" says="each has its own"
SHARED = nn.Parameter(torch.ones(()))


class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = SHARED
        with torch.no_grad():
            self.beta.fill_(beta)

    def forward(self, z):
        return z * torch.sigmoid(self.beta.to(z.dtype) * z)


# %% wrong="β copied at construction" says="state_dict both should agree"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))
        self.start = beta

    def forward(self, z):
        value = self.beta - self.beta.detach() + self.start
        return z * torch.sigmoid(value * z)


# %% wrong="the gate detached from z" says="The gradient of z is wrong"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z.detach())


# %% wrong="β kept positive" says="The values are not z·σ(βz)"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta.abs() * z)


# %% wrong="no return" says="Is the `return` missing?"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        y = z * torch.sigmoid(self.beta * z)


# %% wrong="a function instead of a module" says="This should give a Module"
def Swish(beta=1.0):
    return lambda z: z * torch.sigmoid(beta * z)


# %% wrong="super().__init__() deleted" says="before Module.__init__() call"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% right="torch.Tensor, expit, and F.glu on a pair"
class Swish(nn.Module):
    def __init__(self, beta: float = 1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.Tensor([beta]))

    def forward(self, z):
        return F.glu(torch.cat([z, self.beta * z], dim=-1), dim=-1)


# %% wrong="β from NumPy, in float64" says="A float32 z should give a float32 result"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.from_numpy(np.array([beta])))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="the sigmoid as a fraction with exp" says="does e^(−βz) overflow"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z / (1 + torch.exp(-self.beta * z))


# %% wrong="z/2 as a special case for β = 0" says="is 0 a special case?"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        if self.beta == 0:
            return z / 2
        return F.silu(self.beta * z) / self.beta


# %% wrong="where round a division by β" says="still divided by β"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return torch.where(self.beta == 0, z / 2, F.silu(self.beta * z) / self.beta)


# %% wrong="beta or 1" says="0 taken for a missing value"
class Swish(nn.Module):
    def __init__(self, beta=None):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta or 1.0))

    def forward(self, z):
        return z * torch.sigmoid(self.beta * z)


# %% wrong="item() alone" says="No gradient reaches β"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta.item() * z)


# %% wrong="β kept between −10 and 10" says="kept within bounds"
class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, z):
        return z * torch.sigmoid(self.beta.clamp(-10, 10) * z)
