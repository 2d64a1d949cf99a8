# %% right="torch.renorm"
def max_norm_(weight, limit):
    with torch.no_grad():
        return weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=limit))


# %% right="renorm_ in place"
@torch.no_grad()
def max_norm_(weight: torch.Tensor, limit: float) -> torch.Tensor:
    return weight.renorm_(2, 0, limit)


# %% right="keepdim over all other dimensions"
def max_norm_(weight, limit):
    others = tuple(range(1, weight.ndim))
    with torch.no_grad():
        norm = torch.linalg.vector_norm(weight, dim=others, keepdim=True)
        weight *= torch.clamp(limit / (norm + 1e-12), max=1.0)
    return weight


# %% right="row by row"
def max_norm_(weight, limit):
    with torch.no_grad():
        for unit in weight:
            length = unit.norm()
            if length > limit:
                unit.mul_(limit / length)
    return weight


# %% right="through a mask"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.pow(2).flatten(1).sum(1).sqrt()
        long = norms > limit
        shape = (-1,) + (1,) * (weight.dim() - 1)
        weight[long] = weight[long] * (limit / norms[long]).reshape(shape)
    return weight


# %% right="through .data"
def max_norm_(weight, limit):
    data = weight.data
    norms = data.reshape(data.shape[0], -1).norm(dim=1).clamp(min=limit)
    data.div_(norms.reshape(-1, *(1,) * (data.dim() - 1)) / limit)
    return weight


# %% wrong="caps each weight" says="caps each weight by itself"
def max_norm_(weight, limit):
    with torch.no_grad():
        return weight.clamp_(-limit, limit)


# %% wrong="columns" says="That caps the columns"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.norm(dim=0, keepdim=True)
        return weight.mul_((limit / norms.clamp(min=limit)))


# %% wrong="renorm over the other dimension" says="That caps the columns"
def max_norm_(weight, limit):
    with torch.no_grad():
        return weight.copy_(torch.renorm(weight, 2, 1, limit))


# %% wrong="the whole matrix" says="scales the whole matrix"
def max_norm_(weight, limit):
    with torch.no_grad():
        return weight.mul_((limit / weight.norm()).clamp(max=1))


# %% wrong="stretches short rows, but not zeros" says="Short rows were stretched"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.flatten(1).norm(dim=1).clamp(min=1e-12)
        return weight.mul_((limit / norms).view(-1, *[1] * (weight.dim() - 1)))


# %% wrong="nan for zeros" says="There is a nan"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))
        return weight.div_(norms).mul_(norms.clamp(max=limit))


# %% wrong="a new tensor" says="is a new tensor"
def max_norm_(weight, limit):
    with torch.no_grad():
        return torch.renorm(weight, 2, 0, limit)


# %% wrong="returns nothing" says="Is the `return` missing"
def max_norm_(weight, limit):
    with torch.no_grad():
        weight.renorm_(2, 0, limit)


# %% wrong="without no_grad" says="leaf Variable that requires grad"
def max_norm_(weight, limit):
    return weight.renorm_(2, 0, limit)


# %% wrong="linear layers only" says="You sum over dimension 1 only"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.norm(dim=1, keepdim=True)
        return weight.mul_((limit / norms).clamp(max=1))


# %% wrong="kernels only" says="height and width only"
def max_norm_(weight, limit):
    with torch.no_grad():
        dims = 1 if weight.dim() == 2 else (2, 3)
        norms = weight.norm(dim=dims, keepdim=True)
        return weight.mul_((limit / norms).clamp(max=1))


# %% wrong="sum of absolute values" says="norm of absolute values"
def max_norm_(weight, limit):
    with torch.no_grad():
        return weight.renorm_(1, 0, limit)


# %% wrong="the gradient as well" says="The gradient was changed"
def max_norm_(weight, limit):
    with torch.no_grad():
        weight.renorm_(2, 0, limit)
        if weight.grad is not None:
            weight.grad.renorm_(2, 0, limit)
    return weight


# %% wrong="flatten copies a strided weight" says="wherever the numbers lie in memory"
def max_norm_(weight, limit):
    with torch.no_grad():
        rows = weight.flatten(1)
        rows.mul_((limit / rows.norm(dim=1, keepdim=True)).clamp(max=1))
    return weight


# %% wrong="view of a strided weight" says="This was the case: a strided weight"
def max_norm_(weight, limit):
    with torch.no_grad():
        rows = weight.view(len(weight), -1)
        rows.mul_((limit / rows.norm(dim=1, keepdim=True)).clamp(max=1))
    return weight


# %% wrong="new memory through .data" says="is a new tensor"
def max_norm_(weight, limit):
    weight.data = torch.renorm(weight.data, 2, 0, limit)
    return weight


# %% wrong="switches autograd off for good" says="autograd switched off"
def max_norm_(weight, limit):
    torch.set_grad_enabled(False)
    return weight.renorm_(2, 0, limit)


# %% wrong="a large epsilon" says="should be scaled by min"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.flatten(1).norm(dim=1) + 1e-4
        return weight.mul_((limit / norms).clamp(max=1).view(-1, *[1] * (weight.dim() - 1)))


# %% wrong="two or four dimensions" says="This was the case"
def max_norm_(weight, limit):
    with torch.no_grad():
        dims = {2: (1,), 4: (1, 2, 3)}[weight.dim()]
        norms = weight.norm(dim=dims, keepdim=True)
        return weight.mul_((limit / norms).clamp(max=1))


# %% right="einsum"
def max_norm_(weight, limit):
    with torch.no_grad():
        squares = torch.einsum("i...,i...->i...", weight, weight)
        while squares.dim() > 1:
            squares = squares.sum(-1)
        for index, length in enumerate(squares.sqrt().tolist()):
            if length > limit:
                weight[index] *= limit / length
    return weight


# %% wrong="the square of the length" says="should be scaled to length 2"
def max_norm_(weight, limit):
    with torch.no_grad():
        squares = weight.square().flatten(1).sum(1).view(-1, *[1] * (weight.dim() - 1))
        return weight.mul_((limit / squares).clamp(max=1))


# %% wrong="root of the mean square" says="should be scaled to length 2"
def max_norm_(weight, limit):
    with torch.no_grad():
        sizes = weight.square().flatten(1).mean(1).sqrt().view(-1, *[1] * (weight.dim() - 1))
        return weight.mul_((limit / sizes).clamp(max=1))


# %% wrong="only where all rows are too long" says="Nothing has changed"
def max_norm_(weight, limit):
    with torch.no_grad():
        norms = weight.flatten(1).norm(dim=1)
        if (norms > limit).all():
            weight.renorm_(2, 0, limit)
    return weight
