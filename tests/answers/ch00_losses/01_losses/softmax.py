# %% right="max with indices thrown away"
def softmax(z, dim=-1):
    top, _ = z.max(dim, keepdim=True)
    e = torch.exp(z - top.detach())
    return e / torch.sum(e, dim, keepdim=True)


# %% right="through logsumexp"
def softmax(z, dim=-1):
    return (z - torch.logsumexp(z, dim=dim, keepdim=True)).exp()


# %% right="the dimension moved to the end, in place on its own copy"
def softmax(z, dim=-1):
    rows = z.movedim(dim, -1).clone()
    rows = rows - rows.amax(-1).unsqueeze(-1)
    rows = rows.exp_()
    return (rows / rows.sum(-1)[..., None]).movedim(-1, dim)


# %% right="torch's own"
def softmax(z, dim=-1):
    return F.softmax(z, dim=dim)


# %% right="scores as logarithms, slice by slice"
def softmax(z, dim=-1):
    done = []
    for row in z.movedim(dim, 0).flatten(1).T if z.dim() > 1 else [z]:
        e = (row - row.max()).exp()
        done.append(e / e.sum())
    rest = z.movedim(dim, 0).shape
    return torch.stack(done, 1).reshape(rest).movedim(0, dim)


# %% wrong="no shift" says="Subtract the largest score first"
def softmax(z, dim=-1):
    e = z.exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="one maximum for all" says="Subtract from each row its own largest score"
def softmax(z, dim=-1):
    e = (z - z.max()).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="ignores dim" says="`dim=0` makes no difference"
def softmax(z, dim=-1):
    e = (z - z.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


# %% wrong="maximum along the wrong dimension" says="Subtract from each row its own largest score"
def softmax(z, dim=-1):
    e = (z - z.amax(0, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="sum of everything" says="You divide by the sum over the whole tensor"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum()


# %% wrong="keepdim forgotten" says="must match the size"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim)


# %% wrong="default is the first dimension" says="Here the columns add up to 1"
def softmax(z, dim=0):
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="shift in place" says="your code raised RuntimeError"
def softmax(z, dim=-1):
    z -= z.amax(dim, keepdim=True)
    e = z.exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="shift in place, hidden from autograd" says="changed its argument"
def softmax(z, dim=-1):
    z.data -= z.amax(dim, keepdim=True).data
    e = z.exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="the logarithm of softmax" says="the logarithm of softmax"
def softmax(z, dim=-1):
    return torch.log_softmax(z, dim)


# %% wrong="not normalised" says="should add up to 1"
def softmax(z, dim=-1):
    return (z - z.amax(dim, keepdim=True)).exp()


# %% wrong="subtracts the minimum" says="Subtract the largest score first"
def softmax(z, dim=-1):
    e = (z / 2 - z.amin(dim, keepdim=True) / 2).exp() * (z / 2).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="divides by the maximum to keep it small" says="should give (0.497, 0.502"
def softmax(z, dim=-1):
    e = (z / z.abs().amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="clamps the scores" says="clamp no score"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).clamp(min=-25).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="subtracts the mean" says="(0, −inf, 0)"
def softmax(z, dim=-1):
    z = z - z.mean(dim, keepdim=True)
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="cut off from autograd" says="cut off from autograd"
def softmax(z, dim=-1):
    e = (z.detach() - z.detach().amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="sign turned round" says="The sign is turned round"
def softmax(z, dim=-1):
    e = (z.amin(dim, keepdim=True) - z).exp()
    return e / e.sum(dim, keepdim=True)


# %% right="one over the sum of exponentials of differences"
def softmax(z, dim=-1):
    rows = z.movedim(dim, -1)
    top = rows.detach().max(-1, keepdim=True)[0]
    e = torch.pow(torch.tensor(math.e, dtype=z.dtype), rows - top)
    return torch.einsum("...k,...->...k", e, 1 / e.sum(-1)).movedim(-1, dim)


# %% wrong="subtracts the mean alone" says="Subtract the largest score first"
def softmax(z, dim=-1):
    e = (z - z.mean(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="clamps far out" says="not nearly 0"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).clamp(min=-80).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="a large negative number for −inf" says="(−inf, −3·10⁹)"
def softmax(z, dim=-1):
    z = z.masked_fill(z == -math.inf, -1e9)
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% wrong="computes in float32" says="Only the digits of float32"
def softmax(z, dim=-1):
    x = z.float()
    e = (x - x.amax(dim, keepdim=True)).exp()
    return (e / e.sum(dim, keepdim=True)).to(z.dtype)


# %% wrong="clamps, −inf apart" says="clamp no score"
def softmax(z, dim=-1):
    x = z - z.amax(dim, keepdim=True)
    e = torch.where(x == -math.inf, torch.zeros_like(x), x.clamp(min=-100).exp())
    return e / e.sum(dim, keepdim=True)


# %% wrong="an ε in the sum" says="a small ε added"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / (e.sum(dim, keepdim=True) + 1e-6)


# %% wrong="the sum detached" says="cut off by `.detach()`"
def softmax(z, dim=-1):
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True).detach()
