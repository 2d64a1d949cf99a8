# %% right="one long vector"
def clip_by_norm_(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return 0.0
    norm = torch.cat([g.flatten() for g in grads]).norm()
    for g in grads:
        g *= min(1, max_norm / (norm.item() + 1e-12))
    return norm


# %% right="PyTorch's own"
def clip_by_norm_(parameters, max_norm: float) -> float:
    return nn.utils.clip_grad_norm_(list(parameters), max_norm)


# %% right="norm of the norms, with torch.where"
def clip_by_norm_(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    if len(parameters) == 0:
        return torch.tensor(0.0)
    total = torch.stack([torch.linalg.vector_norm(p.grad.double()) for p in parameters]).norm()
    with torch.no_grad():
        factor = torch.where(total > max_norm, max_norm / total, 1.0)
        for p in parameters:
            p.grad.copy_(p.grad * factor)
    return total


# %% right="the norm after clipping is max_norm, in plain Python"
def clip_by_norm_(parameters, max_norm: float) -> float:
    total, kept = 0.0, []
    for p in parameters:
        if p.grad is None:
            continue
        kept.append(p)
        total += float((p.grad.double() ** 2).sum())
    total = total**0.5
    if total <= max_norm:
        return total
    for p in kept:
        p.grad.div_(total / max_norm)
    return total


# %% wrong="each parameter by its own norm" says="Each parameter was clipped by its own norm"
def clip_by_norm_(parameters, max_norm: float) -> float:
    squares = 0.0
    for p in parameters:
        if p.grad is None:
            continue
        norm = p.grad.norm().item()
        squares += norm**2
        if norm > max_norm:
            p.grad.mul_(max_norm / norm)
    return squares**0.5


# %% wrong="generator used up by the first loop" says="Was the generator used up"
def clip_by_norm_(parameters, max_norm: float) -> float:
    norm = math.sqrt(sum(p.grad.norm().item() ** 2 for p in parameters if p.grad is not None))
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


# %% wrong="stretches short gradients" says="Clipping only shortens"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    for g in grads:
        g.mul_(max_norm / (norm + 1e-6))
    return norm


# %% wrong="the squared norm" says="its square root is missing"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(g.square().sum().item() for g in grads)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# %% wrong="the sum of absolute values" says="The norm is the root of the sum of squares"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum(g.abs().sum().item() for g in grads)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# %% wrong="by value" says="That is clipping by value"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    for g in grads:
        g.clamp_(-max_norm, max_norm)
    return norm


# %% wrong="returns the norm after clipping" says="You return the norm after clipping"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return min(norm, max_norm)


# %% wrong="returns nothing" says="Is the `return` missing?"
def clip_by_norm_(parameters, max_norm: float):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)


# %% wrong="a new tensor in .grad" says="There is a new tensor in `.grad`"
def clip_by_norm_(parameters, max_norm: float) -> float:
    parameters = [p for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in parameters))
    for p in parameters:
        p.grad = p.grad * min(1.0, max_norm / (norm + 1e-12))
    return norm


# %% wrong="scales the weights" says="The weights themselves changed"
def clip_by_norm_(parameters, max_norm: float) -> float:
    parameters = list(parameters)
    norm = math.sqrt(sum(p.data.square().sum().item() for p in parameters))
    for p in parameters:
        p.data.mul_(min(1.0, max_norm / norm))
    return norm


# %% wrong="divides by a norm of zero" says="do not divide by its norm"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = torch.sqrt(sum((g.square().sum() for g in grads), torch.tensor(0.0)))
    for g in grads:
        g.mul_(torch.clamp(max_norm / norm, max=torch.inf) if norm == 0 else min(1.0, max_norm / norm.item()))
        if norm == 0:
            g.mul_(0.0 / norm)
    return norm


# %% wrong="trips over no gradients at all" says="RuntimeError"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack([g.norm() for g in grads]).norm().item()
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# %% wrong="the root mean square" says="compare the norm of the whole"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return 0.0
    flat = torch.cat([g.flatten() for g in grads])
    if flat.square().mean().sqrt() > max_norm:
        for g in grads:
            g.mul_(max_norm / flat.norm().item())
    return flat.norm().item()


# %% wrong="sum of the norms" says="You add up the norms"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = sum((g.norm().item() for g in grads), 0.0)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# %% wrong="largest entry" says="largest entry"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = max((g.abs().max().item() for g in grads), default=0.0)
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# %% wrong="running total" says="complete the norm before"
def clip_by_norm_(parameters, max_norm: float) -> float:
    total = 0.0
    for p in parameters:
        if p.grad is not None:
            total += p.grad.square().sum().item()
            if total ** .5 > max_norm:
                p.grad.mul_(max_norm / total ** .5)
    return total ** .5


# %% wrong="returns a vector of one" says="one number, but it is a tensor"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return torch.tensor([norm])


# %% wrong="new memory through data" says="`.grad` was given new memory"
def clip_by_norm_(parameters, max_norm: float) -> float:
    ps = [p for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in ps))
    if norm > max_norm:
        for p in ps:
            p.grad.data = p.grad.data * (max_norm / norm)
    return norm


# %% wrong="returns the norm only when clipped" says="also where nothing had to be clipped"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
        return norm


# %% right="numpy's norm, and a plain 0"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad.numpy() for p in parameters if p.grad is not None]
    if not grads:
        return 0
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
    if norm > max_norm:
        for g in grads:
            g *= max_norm / norm
    return norm


# %% wrong="nothing for no gradients" says="return that, not None"
def clip_by_norm_(parameters, max_norm: float) -> float:
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return
    norm = math.sqrt(sum(g.square().sum().item() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm
