# %% right="logaddexp"
def mish(z):
    soft = torch.logaddexp(z, torch.zeros_like(z))
    return torch.tanh(soft) * z


# %% right="the library's own, with a print left in"
def mish(z: torch.Tensor) -> torch.Tensor:
    print(z)
    return F.mish(z)


# %% right="relu plus a small correction"
def mish(z):
    soft = torch.relu(z) + torch.log1p(torch.exp(-z.abs()))
    return z * soft.tanh()


# %% right="tanh resolved, with a clamp before the exponential"
def mish(z):
    e = z.clamp(max=20).exp()
    n = e * (e + 2)
    return z * n / (n + 2)


# %% right="minus the log of a sigmoid"
def mish(z):
    return torch.mul(z, torch.tanh(-F.logsigmoid(-z)))


# %% right="where, with the dangerous branch made safe first"
def mish(z):
    small = torch.where(z > 30, torch.zeros_like(z), z)
    soft = torch.where(z > 30, z, torch.log1p(torch.exp(small)))
    return z * torch.tanh(soft)


# %% wrong="the formula as it stands" says="its gradient is nan"
def mish(z):
    return z * torch.tanh(torch.log(1 + torch.exp(z)))


# %% wrong="log1p alone does not help" says="its gradient is nan"
def mish(z):
    return z * torch.tanh(torch.log1p(torch.exp(z)))


# %% wrong="where over an overflowing branch" says="its gradient is nan"
def mish(z):
    soft = torch.where(z > 20, z, torch.log1p(torch.exp(z)))
    return z * torch.tanh(soft)


# %% wrong="tanh resolved without care" says="0 or z, not nan"
def mish(z):
    e = torch.exp(z)
    n = e * e + 2 * e
    return z * n / (n + 2)


# %% wrong="clamped softplus input that flattens the value" says="For huge |z|"
def mish(z):
    z = z.clamp(-50, 50)
    return z * torch.tanh(F.softplus(z))


# %% wrong="the gate alone" says="the gate alone"
def mish(z):
    return torch.tanh(F.softplus(z))


# %% wrong="no tanh" says="The tanh is missing"
def mish(z):
    return z * F.softplus(z)


# %% wrong="softplus alone" says="That is softplus"
def mish(z):
    return F.softplus(z)


# %% wrong="no softplus" says="The softplus is missing"
def mish(z):
    return z * torch.tanh(z)


# %% wrong="no logarithm" says="The logarithm is missing"
def mish(z):
    return z * torch.tanh(torch.exp(z))


# %% wrong="the wrong order" says="The order is wrong"
def mish(z):
    return z * F.softplus(torch.tanh(z))


# %% wrong="sigmoid for tanh" says="Mish has a tanh"
def mish(z):
    return z * torch.sigmoid(F.softplus(z))


# %% wrong="tanh round everything" says="Mind the brackets"
def mish(z):
    return torch.tanh(z * F.softplus(z))


# %% wrong="SiLU" says="That is SiLU"
def mish(z):
    return F.silu(z)


# %% wrong="no return" says="Is the `return` missing?"
def mish(z):
    y = z * torch.tanh(F.softplus(z))


# %% wrong="gate detached" says="The gradient for"
def mish(z):
    return z * torch.tanh(F.softplus(z)).detach()


# %% wrong="float32 inside" says="float64 should come out"
def mish(z):
    return z.float() * torch.tanh(F.softplus(z.float()))


# %% wrong="in place on the argument" says="z itself was changed"
def mish(z):
    gate = torch.tanh(F.softplus(z))
    if z.requires_grad:
        return z * gate
    return z.mul_(gate)


# %% wrong="nan swept under the carpet" says="slope should be 0 or 1"
def mish(z):
    soft = torch.log(1 + torch.exp(z.detach().clamp(max=80))) + z * 0
    return z * torch.tanh(soft) if z.abs().max() < 80 else z.detach() * torch.tanh(soft) + 0 * z


# %% right="a clamp at 80 before the formula as it stands"
def mish(z):
    return z * torch.tanh(torch.log(1 + torch.exp(z.clamp(max=80))))


# %% right="boolean mask on a clone"
def mish(z):
    y = z.clone()
    small = z < 20
    y[small] = z[small] * torch.tanh(torch.log1p(torch.exp(z[small])))
    return y


# %% wrong="ReLU as soon as one entry is huge" says="a tensor of huge and ordinary"
def mish(z):
    if z.abs().max() > 40:
        return F.relu(z)
    return z * torch.tanh(torch.log(1 + torch.exp(z)))


# %% wrong="a fresh leaf of the input" says="does not lead back to z"
def mish(z):
    z = torch.tensor(z, requires_grad=True)
    return z * torch.tanh(F.softplus(z))


# %% wrong="math, number by number" says="Autograd cannot follow"
def mish(z):
    values = [v * math.tanh(v if v > 30 else math.log1p(math.exp(v))) for v in z.flatten().tolist()]
    return torch.tensor(values, dtype=z.dtype).reshape(z.shape)


# %% wrong="requires_grad_ on the argument" says="z itself was changed"
def mish(z):
    z.requires_grad_()
    return z * torch.tanh(F.softplus(z))


# %% wrong="float32 inside, cast back" says="in torch.float64 the values are not"
def mish(z):
    x = z.float()
    return (x * torch.tanh(F.softplus(x))).to(z.dtype)


# %% wrong="log1p of 1 + e^z" says="one 1 too many"
def mish(z):
    return z * torch.tanh(torch.log1p(1 + torch.exp(z.clamp(max=80))))
