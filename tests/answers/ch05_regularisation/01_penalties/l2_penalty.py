# %% right="with norms, squared"
def l2_penalty(parameters, strength):
    return strength * torch.stack([p.norm() ** 2 for p in parameters]).sum()


# %% right="one long vector"
def l2_penalty(parameters, strength):
    flat = torch.cat([p.flatten() for p in parameters])
    return strength * flat.dot(flat)


# %% right="a loop that adds up"
def l2_penalty(parameters, strength: float):
    total = 0
    for p in parameters:
        total = total + (p * p).sum()
    return total * strength


# %% right="mse against zeros"
def l2_penalty(parameters, strength):
    zero = lambda p: F.mse_loss(p, torch.zeros_like(p), reduction="sum")  # noqa: E731
    return sum(strength * zero(p) for p in parameters)


# %% right="vdot and pow"
def l2_penalty(parameters, strength):
    parameters = list(parameters)
    total = torch.zeros((), dtype=parameters[0].dtype)
    for p in parameters:
        total = total + p.pow(2).sum()
    return strength * total


# %% right="in-place addition to a fresh zero"
def l2_penalty(parameters, strength):
    parameters = list(parameters)
    total = parameters[0].new_zeros(())
    for p in parameters:
        total += torch.sum(torch.square(p))
    return strength * total


# %% wrong="with a half" says="There is a factor ½"
def l2_penalty(parameters, strength):
    return strength / 2 * sum(p.square().sum() for p in parameters)


# %% wrong="without strength" says="λ is missing"
def l2_penalty(parameters, strength):
    return sum(p.square().sum() for p in parameters)


# %% wrong="norms" says="You add up norms"
def l2_penalty(parameters, strength):
    return strength * sum(p.norm() for p in parameters)


# %% wrong="root of the whole" says="λ times the norm"
def l2_penalty(parameters, strength):
    return strength * torch.cat([p.flatten() for p in parameters]).norm()


# %% wrong="mean of each" says="You take a mean over the numbers of a tensor"
def l2_penalty(parameters, strength):
    return strength * sum(p.square().mean() for p in parameters)


# %% wrong="mean of all" says="You take a mean over all numbers"
def l2_penalty(parameters, strength):
    return strength * torch.cat([p.flatten() for p in parameters]).square().mean()


# %% wrong="absolute values" says="the L1 penalty"
def l2_penalty(parameters, strength):
    return strength * sum(p.abs().sum() for p in parameters)


# %% wrong="square of the sum" says="You square the sum of a tensor"
def l2_penalty(parameters, strength):
    return strength * sum(p.sum() ** 2 for p in parameters)


# %% wrong="square of the whole sum" says="You square the sum of all numbers"
def l2_penalty(parameters, strength):
    return strength * sum(p.sum() for p in parameters) ** 2


# %% wrong="strength under the square" says="λ got under the square"
def l2_penalty(parameters, strength):
    return sum((strength * p).square().sum() for p in parameters)


# %% wrong="only the last" says="Only the last tensor"
def l2_penalty(parameters, strength):
    for p in parameters:
        total = strength * p.square().sum()
    return total


# %% wrong="returns in the loop" says="Only the first tensor"
def l2_penalty(parameters, strength):
    total = 0
    for p in parameters:
        total += strength * p.square().sum()
        return total


# %% wrong="item" says="This should give a Tensor, but it gives a float"
def l2_penalty(parameters, strength):
    return strength * sum(p.square().sum().item() for p in parameters)


# %% wrong="data" says="no graph"
def l2_penalty(parameters, strength):
    return strength * sum(p.data.square().sum() for p in parameters)


# %% wrong="a fresh tensor" says="no graph"
def l2_penalty(parameters, strength):
    return torch.tensor(strength * sum(p.square().sum().item() for p in parameters))


# %% wrong="skips vectors" says="Only the last tensor"
def l2_penalty(parameters, strength):
    return strength * sum(p.square().sum() for p in parameters if p.dim() > 1)


# %% wrong="skips scalars" says="over all numbers of all tensors"
def l2_penalty(parameters, strength):
    return strength * sum(p.square().sum() for p in parameters if p.dim() > 0)


# %% wrong="loops twice" says="your code raised"
def l2_penalty(parameters, strength):
    count = len(parameters)
    return strength * sum(p.square().sum() for p in parameters)


# %% wrong="vector of penalties" says="The shape should be ()"
def l2_penalty(parameters, strength):
    return strength * torch.stack([p.square().sum() for p in parameters])


# %% wrong="always float32" says="dtype"
def l2_penalty(parameters, strength):
    return strength * sum(p.float().square().sum() for p in parameters)


# %% wrong="no return" says="Is the `return` missing"
def l2_penalty(parameters, strength):
    strength * sum(p.square().sum() for p in parameters)


# %% wrong="clears the weights while squaring" says="your code raised"
def l2_penalty(parameters, strength):
    return strength * sum(p.square_().sum() for p in parameters)
