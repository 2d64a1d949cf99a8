# %% right="through the normal distribution object"
def gelu(z):
    return z * torch.distributions.Normal(0.0, 1.0).cdf(z)


# %% right="erfc, step by step, with a print left in"
def gelu(z):
    tail = torch.special.erfc(-z / 2**0.5)
    gate = tail / 2
    print("gate", gate)
    return gate * z


# %% right="special.ndtr"
def gelu(z: torch.Tensor) -> torch.Tensor:
    return torch.special.ndtr(z).mul(z)


# %% right="the library's own"
def gelu(z):
    return F.gelu(z)


# %% right="in place, on its own copies"
def gelu(z):
    gate = z.clone()
    gate = gate.div(math.sqrt(2)).erf().add(1)
    gate *= 0.5
    return torch.mul(gate, z)


# %% right="NumPy's square root"
def gelu(z):
    phi = 0.5 + torch.erf(z / np.sqrt(2)) / 2
    return torch.einsum("...,...->...", z, phi)


# %% wrong="the tanh approximation" says="That is the tanh approximation"
def gelu(z):
    inner = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    return 0.5 * z * (1 + torch.tanh(inner))


# %% wrong="the sigmoid approximation" says="approximation with 1.702"
def gelu(z):
    return z * torch.sigmoid(1.702 * z)


# %% wrong="cdf without the half" says="Is the ½ missing?"
def gelu(z):
    return z * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="the gate alone" says="the gate alone"
def gelu(z):
    return 0.5 * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="no root two" says="The √2 inside erf is missing"
def gelu(z):
    return 0.5 * z * (1 + torch.erf(z))


# %% wrong="times root two" says="You multiply by √2"
def gelu(z):
    return 0.5 * z * (1 + torch.erf(z * math.sqrt(2)))


# %% wrong="erfc for 1 + erf" says="shuts where it should open"
def gelu(z):
    return 0.5 * z * torch.erfc(z / math.sqrt(2))


# %% wrong="density for the distribution function" says="normal density"
def gelu(z):
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return z * density


# %% wrong="SiLU" says="That is SiLU"
def gelu(z):
    return F.silu(z)


# %% wrong="brackets slip: one added erf" says="Mind the brackets"
def gelu(z):
    return 0.5 * z * 1 + torch.erf(z / math.sqrt(2))


# %% wrong="brackets slip: half of one" says="not z·Φ(z)"
def gelu(z):
    return 0.5 * (z + 1) * torch.erf(z / math.sqrt(2)) + 0.5


# %% wrong="root two rounded" says="is a constant rounded"
def gelu(z):
    return 0.5 * z * (1 + torch.erf(z / 1.4142135))


# %% wrong="root two rounded to three digits" says="not z·Φ(z)"
def gelu(z):
    return 0.5 * z * (1 + torch.erf(z / 1.414))


# %% wrong="computed in float32" says="float64 should come out"
def gelu(z):
    z = z.float()
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="computed in float32, cast back" says="to the accuracy of the dtype"
def gelu(z):
    x = z.float()
    return (0.5 * x * (1 + torch.erf(x / math.sqrt(2)))).to(z.dtype)


# %% wrong="in place on the argument" says="z itself was changed"
def gelu(z):
    gate = 0.5 * (1 + torch.erf(z / math.sqrt(2)))
    z *= gate
    return z


# %% wrong="math.erf number by number" says="Autograd cannot follow"
def gelu(z):
    values = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in z.flatten().tolist()]
    return torch.tensor(values, dtype=z.dtype).reshape(z.shape)


# %% wrong="the gate detached" says="The gradient for"
def gelu(z):
    gate = 0.5 * (1 + torch.erf(z.detach() / math.sqrt(2)))
    return z * gate


# %% wrong="no return" says="Is the `return` missing?"
def gelu(z):
    result = 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="math.erf on a tensor" says="your code raised"
def gelu(z):
    return 0.5 * z * (1 + math.erf(z / math.sqrt(2)))


# %% wrong="flattened" says="The shape should be"
def gelu(z):
    z = z.reshape(-1)
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


# %% right="a custom autograd Function"
class _Gelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        gate = torch.special.erfc(-z * 0.5**0.5) / 2
        ctx.save_for_backward(z, gate)
        return z * gate

    @staticmethod
    def backward(ctx, up):
        z, gate = ctx.saved_tensors
        return up * (gate + z * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi))


gelu = _Gelu.apply


# %% right="even part and odd part, with |z|"
def gelu(z):
    r = z.abs()
    return 0.5 * (z + r * torch.erf(r / 2**0.5))


# %% wrong="root two as a float32 tensor" says="is a constant rounded"
def gelu(z):
    return 0.5 * z * (1 + torch.erf(z / torch.sqrt(torch.tensor(2.0))))


# %% wrong="torch.tensor of a tensor" says="does not lead back to z"
def gelu(z):
    x = torch.tensor(z, requires_grad=True)
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


# %% wrong="requires_grad_ on the argument" says="z itself was changed"
def gelu(z):
    z.requires_grad_()
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="ReLU as soon as one entry is huge" says="a tensor of huge and ordinary"
def gelu(z):
    if z.abs().max() > 20:
        return F.relu(z)
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))


# %% wrong="slope 0 at 0" says="At z = 0 the slope"
def gelu(z):
    r = z.abs()
    return F.relu(z) - r * torch.erfc(r / 2**0.5) / 2


# %% wrong="the error function alone" says="1 and ½ are missing"
def gelu(z):
    return z * torch.erf(z / math.sqrt(2))
