# %% right="with gated and a lambda"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.beta = beta
        self.inner = nn.Linear(n_inputs, n_hidden * 2, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)

    def forward(self, x):
        return self.outer(gated(self.inner(x), lambda a: a * torch.sigmoid(self.beta * a)))


# %% right="slices and a gate method, prints left in"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.n, self.b = n_hidden, float(beta)
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=None)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=None)

    def gate(self, a):
        return torch.sigmoid(self.b * a).mul(a)

    def forward(self, x):
        z = self.inner(x)
        print(z.shape)
        return self.outer(self.gate(z[..., : self.n]) * z[..., self.n :])


# %% right="β in a buffer that is not saved, F.linear and einsum"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, n_hidden + n_hidden, False)
        self.outer = nn.Linear(n_hidden, n_outputs, False)
        self.register_buffer("beta", torch.tensor(beta), persistent=False)

    def forward(self, x):
        first, second = torch.tensor_split(F.linear(x, self.inner.weight), 2, dim=-1)
        hidden = first * second / (1 + torch.exp(-self.beta * first))
        return torch.einsum("...h,oh->...o", hidden, self.outer.weight)


# %% right="F.glu on scaled, swapped halves"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs: int, n_hidden: int, n_outputs: int, beta: float = 1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, -1)
        return self.outer(F.glu(torch.cat([a * b, self.beta * a], -1), -1))


# %% wrong="halves swapped" says="The halves are swapped"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        b, a = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="biases left in" says="There is a bias"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden)
        self.outer = nn.Linear(n_hidden, n_outputs)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="β learnt" says="β is in the state_dict"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = nn.Parameter(torch.tensor(beta))

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="inner not doubled" says="inner should lead from 5 inputs"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden // 2, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="outer not halved" says="outer should lead from 4 units"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(2 * n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(torch.cat([a * torch.sigmoid(self.beta * a), b], dim=-1))


# %% wrong="three matrices" says="The state_dict should hold"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.gate = nn.Linear(n_inputs, n_hidden, bias=False)
        self.value = nn.Linear(n_inputs, n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a = self.gate(x)
        return self.outer(a * torch.sigmoid(self.beta * a) * self.value(x))


# %% wrong="silu(βz)" says="β is too often in it"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(F.silu(self.beta * a) * b)


# %% wrong="β ignored" says="β makes no difference"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)

    def forward(self, x):
        return self.outer(gated(self.inner(x), F.silu))


# %% wrong="silu(βz) / β" says="The values are not outer"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = torch.tensor(beta)

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(F.silu(self.beta * a) / self.beta * b)


# %% wrong="GLU" says="That is GLU"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        return self.outer(gated(self.inner(x), lambda a: torch.sigmoid(self.beta * a)))


# %% wrong="both halves through Swish" says="Only the first half"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        z = self.inner(x)
        a, b = (z * torch.sigmoid(self.beta * z)).chunk(2, dim=-1)
        return self.outer(a * b)


# %% wrong="the value missing" says="The second half, the value, is missing"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, _ = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a))


# %% wrong="cut along dimension 1" says="The shape should be"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=1)
        n = self.outer.in_features
        return self.outer((a * torch.sigmoid(self.beta * a) * b)[..., :n])


# %% wrong="outer forgotten in forward" says="The shape should be"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return a * torch.sigmoid(self.beta * a) * b


# %% wrong="new layers at every call" says="The state_dict should hold"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.sizes = n_inputs, n_hidden, n_outputs
        self.beta = beta

    def forward(self, x):
        n_inputs, n_hidden, n_outputs = self.sizes
        a, b = nn.Linear(n_inputs, 2 * n_hidden, bias=False)(x).chunk(2, dim=-1)
        return nn.Linear(n_hidden, n_outputs, bias=False)(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="the gate detached" says="The gradient of"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer((a * torch.sigmoid(self.beta * a)).detach() * b)


# %% wrong="batches flattened away" says="The shape should be"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x.reshape(-1, x.shape[-1])).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="no return" says="Is the `return` missing?"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        y = self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="inner not trained" says="should be parameters"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        weight = self.inner.weight.detach().clone()
        del self.inner.weight
        self.inner.register_buffer("weight", weight)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="β with another default" says="β should be 1"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.702):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% right="outer made first, weights split by rows"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.beta = beta

    def forward(self, x):
        w, v = self.inner.weight.chunk(2)
        a = x @ w.T
        return (a * torch.sigmoid(a * self.beta) * (x @ v.T)) @ self.outer.weight.mT


# %% wrong="He's initialisation by habit" says="leave the layers as they are"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta
        for layer in (self.inner, self.outer):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="a seed fixed in the constructor" says="Two blocks are equal"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        torch.manual_seed(0)
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="beta or 1" says="0 taken for a missing value"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta or 1.0

    def forward(self, x):
        a, b = self.inner(x).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)


# %% wrong="GEGLU" says="That is GEGLU"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        return self.outer(gated(self.inner(x), F.gelu))


# %% wrong="x cut off" says="No gradient reaches x"
class SwiGLU(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, beta=1.0):
        super().__init__()
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta

    def forward(self, x):
        a, b = self.inner(x.detach()).chunk(2, dim=-1)
        return self.outer(a * torch.sigmoid(self.beta * a) * b)
