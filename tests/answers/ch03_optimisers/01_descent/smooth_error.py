# %% right="expit, axis -1, unsqueeze"
def smooth_error(x, y, split, width=1.0):
    z = y * (split.unsqueeze(-1) - x) / width
    return torch.special.expit(z).mean(-1)


# %% right="a loop over the splits"
def smooth_error(x, y, split, width=1.0):
    errors = []
    for s in split:
        errors.append(torch.sigmoid((s - x) * y / width).mean())
    return torch.stack(errors)


# %% right="points along the rows, through tanh"
def smooth_error(x, y, split, width: float = 1.0):
    z = (y[:, None] * (split[None, :] - x[:, None])) / width
    return ((1 + torch.tanh(z / 2)) / 2).sum(0) / x.shape[0]


# %% right="softmax over right and wrong"
def smooth_error(x, y, split, width=1.0):
    z = torch.einsum("n,mn->mn", y, split.reshape(-1, 1) - x.reshape(1, -1)) / width
    return F.softmax(torch.stack([z, torch.zeros_like(z)]), dim=0)[0].mean(1)


# %% wrong="sign turned" says="the sign inside the sigmoid is turned"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (x - split[:, None]) / width).mean(1)


# %% wrong="sum" says="That is the sum over the points"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x) / width).sum(1)


# %% wrong="one number for all" says="One error for each split"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x) / width).mean()


# %% wrong="mean over the splits" says="One error for each split"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x) / width).mean(0)


# %% wrong="no broadcasting" says="your code raised RuntimeError"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split - x) / width).mean()


# %% wrong="classes ignored" says="The classes make no difference"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid((split[:, None] - x) / width).mean(1)


# %% wrong="times width" says="You multiply by the width"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x) * width).mean(1)


# %% wrong="width ignored" says="The width makes no difference"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x)).mean(1)


# %% wrong="the staircase" says="That is the staircase itself"
def smooth_error(x, y, split, width=1.0):
    return (y * (split[:, None] - x) > 0).float().mean(1)


# %% wrong="the sigmoid by hand overflows" says="the gradient is nan"
def smooth_error(x, y, split, width=1.0):
    return (1 / (1 + torch.exp(-y * (split[:, None] - x) / width))).mean(1)


# %% wrong="detached" says="through autograd"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split.detach()[:, None] - x) / width).mean(1)


# %% wrong="no return" says="Is the `return` missing?"
def smooth_error(x, y, split, width=1.0):
    error = torch.sigmoid(y * (split[:, None] - x) / width).mean(1)


# %% wrong="clamped, so that far points have no slope" says="should be the staircase"
def smooth_error(x, y, split, width=1.0):
    z = (y * (split[:, None] - x) / width).clamp(-7, 7)
    return torch.sigmoid(z).mean(1)


# %% right="through the logarithm"
def smooth_error(x, y, split, width=1.0):
    z = torch.outer(split, y).sub(x * y).div(width)
    return F.logsigmoid(z).exp().mean(dim=-1)


# %% right="by hand, clamped where float32 is 0 or 1 anyway"
def smooth_error(x, y, split, width=1.0):
    z = (y * (split.view(-1, 1) - x) / width).clamp(-80, 80)
    return (1 / (1 + torch.exp(-z))).mean(1)


# %% right="vmap over the splits"
def smooth_error(x, y, split, width=1.0):
    return torch.vmap(lambda s: torch.sigmoid(y * (s - x) / width).mean())(split)


# %% wrong="two halves: safe, but |z| has no slope at 0" says="not the slopes"
def smooth_error(x, y, split, width=1.0):
    z = torch.vstack([(s - x) * y for s in split.unbind()]) / width
    small = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + small), small / (1 + small)).mean(1)


# %% wrong="float32 inside" says="the digits of float32 are right"
def smooth_error(x, y, split, width=1.0):
    z = (y * (split[:, None] - x) / width).float()
    return torch.sigmoid(z).mean(1).to(x.dtype)


# %% wrong="clamped at 15" says="do not clamp z tightly"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid((y * (split[:, None] - x) / width).clamp(-15, 15)).mean(1)


# %% wrong="squeezes the last split away" says="also if there is only one"
def smooth_error(x, y, split, width=1.0):
    return torch.sigmoid(y * (split[:, None] - x) / width).mean(1).squeeze()


# %% wrong="the check's width" says="not the mean over the points"
def smooth_error(x, y, split, width=1.0):
    width = 0.5 if width > 0.01 else width
    return torch.sigmoid(y * (split[:, None] - x) / width).mean(1)
