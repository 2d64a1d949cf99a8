# %% right="clip and copy into place"
def clip_by_value_(parameters, clip_value):
    with torch.no_grad():
        for p in parameters:
            if p.grad is None:
                continue
            p.grad.copy_(torch.clip(p.grad, min=-clip_value, max=clip_value))


# %% right="two masks"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        g = p.grad
        if g is not None:
            g[g > clip_value] = clip_value
            g[g < -clip_value] = -clip_value


# %% right="through .data, by PyTorch's minimum and maximum"
def clip_by_value_(parameters, clip_value: float) -> None:
    gradients = (p.grad for p in parameters if p.grad is not None)
    for g in gradients:
        limit = torch.full_like(g, clip_value)
        g.data[...] = torch.maximum(torch.minimum(g, limit), -limit)


# %% right="PyTorch's own"
def clip_by_value_(parameters, clip_value: float) -> None:
    nn.utils.clip_grad_value_(list(parameters), clip_value)


# %% wrong="clips the weights" says="The weights themselves changed"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        p.data.clamp_(-clip_value, clip_value)


# %% wrong="only from above" says="large negative entries are limited too"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(max=clip_value)


# %% wrong="clips by norm" says="That is clipping by norm"
def clip_by_value_(parameters, clip_value: float) -> None:
    nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], clip_value)


# %% wrong="clamp without the underscore" says="nothing was clipped"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp(-clip_value, clip_value)


# %% wrong="a new tensor in .grad" says="There is a new tensor in `.grad`"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad = p.grad.clamp(-clip_value, clip_value)


# %% wrong="trips over None" says="NoneType"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        p.grad.clamp_(-clip_value, clip_value)


# %% wrong="gives the unused ones a gradient" says="should be left without one"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        p.grad.clamp_(-clip_value, clip_value)


# %% wrong="the signs" says="0.9 stays 0.9"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.sign_().mul_(clip_value)


# %% wrong="returns the gradients" says="Nothing should be returned"
def clip_by_value_(parameters, clip_value: float):
    kept = [p.grad for p in parameters if p.grad is not None]
    for g in kept:
        g.clamp_(-clip_value, clip_value)
    return kept


# %% wrong="stops at the first without a gradient" says="only up to a parameter without a gradient"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is None:
            return
        p.grad.clamp_(-clip_value, clip_value)


# %% wrong="walks through twice" says="every parameter"
def clip_by_value_(parameters, clip_value: float) -> None:
    if not any(p.grad is not None for p in parameters):
        return
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(-clip_value, clip_value)


# %% wrong="threshold fixed at 1" says="clipped to 0.5 should be"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(-1, 1)


# %% wrong="removes the gradients" says="The gradient is gone"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None and p.grad.abs().max() > clip_value:
            p.grad = None


# %% wrong="new memory through .data" says="`.grad` was given new memory"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.data = p.grad.data.clamp(-clip_value, clip_value)


# %% wrong="loses the sign" says="it lost its sign"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad[p.grad.abs() > clip_value] = clip_value


# %% wrong="zeroes the large ones" says="not removed"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad[p.grad.abs() > clip_value] = 0


# %% wrong="scales by largest entry" says="scaling by the largest entry"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            m = p.grad.abs().max()
            if m > clip_value:
                p.grad.mul_(clip_value / m)


# %% wrong="only from below" says="only from below"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(min=-clip_value)


# %% wrong="clamps a flattened copy" says="transposed view"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.flatten().clamp_(-clip_value, clip_value)


# %% right="numpy in place"
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in parameters:
        if p.grad is not None:
            g = p.grad.numpy()
            np.clip(g, -clip_value, clip_value, out=g)


# %% right="with out, in inference mode"
@torch.inference_mode()
def clip_by_value_(parameters, clip_value: float) -> None:
    for p in filter(lambda p: p.grad is not None, parameters):
        torch.clamp(p.grad, -clip_value, clip_value, out=p.grad)
