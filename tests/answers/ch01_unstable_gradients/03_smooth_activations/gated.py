# %% right="slices"
def gated(z, gate=torch.sigmoid):
    width = z.shape[-1]
    if width % 2 != 0:
        raise ValueError("odd width")
    n = width // 2
    return gate(z[..., :n]) * z[..., n:]


# %% right="split with two names, print left in"
def gated(z, gate=torch.sigmoid):
    if z.size(-1) % 2 == 1:
        raise ValueError(f"cannot halve {z.size(-1)}")
    parts = torch.split(z, z.size(-1) // 2, dim=-1)
    print(parts[0].shape)
    return torch.mul(gate(parts[0]), parts[1])


# %% right="unflatten into (2, n)"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] & 1:
        raise ValueError("The last dimension is odd.")
    first, second = z.unflatten(-1, (2, z.shape[-1] // 2)).unbind(dim=-2)
    return second * gate(first)


# %% right="numbered last dimension and tensor_split"
def gated(z, gate=torch.sigmoid):
    a, b = torch.tensor_split(z, 2, dim=z.dim() - 1)
    if a.shape != b.shape:
        raise ValueError("the halves differ")
    return gate(a).mul(b)


# %% wrong="halves swapped, as F.glu" says="The halves are swapped"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    value, a = z.chunk(2, dim=-1)
    return value * gate(a)


# %% wrong="F.glu itself" says="The halves are swapped"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    return F.glu(z, dim=-1)


# %% wrong="the gate is always the sigmoid" says="is `gate` used?"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return torch.sigmoid(a) * b


# %% wrong="along the first dimension" says="The shape should be"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2)
    return gate(a) * b


# %% wrong="along dimension 1" says="Cut along the last dimension"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=1)
    return gate(a) * b


# %% wrong="every other column" says="every other column"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    return gate(z[..., ::2]) * z[..., 1::2]


# %% wrong="no test for odd widths" says="raise a ValueError"
def gated(z, gate=torch.sigmoid):
    a, b = z.chunk(2, dim=-1)
    return gate(a) * b


# %% wrong="slices, the odd column dropped" says="raise a ValueError"
def gated(z, gate=torch.sigmoid):
    n = z.shape[-1] // 2
    return gate(z[..., :n]) * z[..., n : 2 * n]


# %% wrong="an assertion instead of a ValueError" says="it raised AssertionError"
def gated(z, gate=torch.sigmoid):
    assert z.shape[-1] % 2 == 0
    a, b = z.chunk(2, dim=-1)
    return gate(a) * b


# %% wrong="the gate gates itself" says="the second is the value"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, _ = z.chunk(2, dim=-1)
    return gate(a) * a


# %% wrong="the gate alone" says="That is the gate alone"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    return gate(z.chunk(2, dim=-1)[0])


# %% wrong="the product alone" says="gate function is not applied"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return a * b


# %% wrong="both halves through the gate" says="for the first half only"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = gate(z).chunk(2, dim=-1)
    return a * b


# %% wrong="added" says="do not add"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return gate(a) + b


# %% wrong="the gate of the product" says="before multiplying"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return gate(a * b)


# %% wrong="the gate over the whole tensor first" says="With the gate running sum"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    n = z.shape[-1] // 2
    return gate(z.flip(-1))[..., n:].flip(-1) * z[..., n:]


# %% wrong="in place" says="z itself was changed"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return b.mul_(gate(a))


# %% wrong="a view that needs contiguous memory" says="view"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    parts = z.view(-1, 2, z.shape[-1] // 2)
    return (gate(parts[:, 0]) * parts[:, 1]).view(*z.shape[:-1], -1)


# %% wrong="the gate detached" says="flows through both halves"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return gate(a).detach() * b


# %% wrong="no return" says="Is the `return` missing?"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    y = gate(a) * b


# %% wrong="argument renamed" says="unexpected keyword argument 'gate'"
def gated(z, g=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return g(a) * b


# %% wrong="SiLU as the default gate" says="should be the sigmoid"
def gated(z, gate=F.silu):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    return gate(a) * b


# %% right="its own kind of ValueError"
class OddWidth(ValueError):
    pass


def gated(z, gate=torch.sigmoid):
    n, odd = divmod(z.shape[-1], 2)
    if odd:
        raise OddWidth(z.shape)
    return gate(z.narrow(-1, 0, n)) * z.narrow(-1, n, n)


# %% right="einsum, gate asked for its shape first"
def gated(z, gate=torch.sigmoid):
    try:
        a, b = torch.split(z, [z.shape[-1] // 2] * 2, dim=-1)
    except RuntimeError as error:
        raise ValueError("odd") from error
    assert gate(a).shape == b.shape
    return torch.einsum("...i,...i->...i", gate(a), b)


# %% wrong="the gate over the whole tensor, then the first half" says="first half alone"
def gated(z, gate=torch.sigmoid):
    n = z.shape[-1] // 2
    if z.shape[-1] % 2:
        raise ValueError("odd")
    return gate(z)[..., :n] * z[..., n:]


# %% wrong="the batch flattened for the gate" says="all its dimensions"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    flat = z.reshape(-1, z.shape[-1])
    a, b = flat.chunk(2, dim=-1)
    return (gate(a) * b).reshape(*z.shape[:-1], -1)


# %% wrong="row by row" says="all its dimensions"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    if z.dim() == 1:
        a, b = z.chunk(2)
        return gate(a) * b
    return torch.stack([gated(row, gate) for row in z])


# %% wrong="NotImplementedError for odd widths" says="it raised NotImplementedError"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise NotImplementedError("odd widths")
    a, b = z.chunk(2, dim=-1)
    return gate(a) * b


# %% wrong="in place on what the gate gives" says="inplace"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = z.chunk(2, dim=-1)
    y = gate(a)
    y *= b
    return y


# %% wrong="a fresh leaf of the input" says="does not lead back to z"
def gated(z, gate=torch.sigmoid):
    if z.shape[-1] % 2:
        raise ValueError("odd")
    a, b = torch.tensor(z, requires_grad=True).chunk(2, dim=-1)
    return gate(a) * b
