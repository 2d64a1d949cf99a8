# %% right="with get"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        t = group["lr"] * group.get("l1", 0.0)
        for p in group["params"]:
            if p.grad is not None and t > 0:
                p.copy_(p.sign() * (p.abs() - t).clamp(min=0))


# %% right="torch's own shrinkage, on detached views"
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        if "l1" not in group:
            continue
        for p in group["params"]:
            if p.grad is None:
                continue
            window = p.detach()
            window.copy_(F.softshrink(window, group["lr"] * group["l1"]))


# %% right="subtracts in place"
def proximal_step(optimizer: torch.optim.Optimizer) -> None:
    optimizer.step()
    with torch.no_grad():
        for group in (g for g in optimizer.param_groups if g.get("l1")):
            reach = group["lr"] * group["l1"]
            for p in filter(lambda p: p.grad is not None, group["params"]):
                p.sub_(p.clamp(-reach, reach))


# %% right="with data"
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.data[...] = soft_threshold(p.data, group["lr"] * group["l1"])


# %% right="collects first"
def proximal_step(optimizer):
    optimizer.step()
    work = [
        (p, g["lr"] * g["l1"])
        for g in optimizer.param_groups
        if "l1" in g
        for p in g["params"]
        if p.grad is not None
    ]
    with torch.no_grad():
        for p, t in work:
            p.set_(p) if False else p.copy_(soft_threshold(p.detach(), t))


# %% wrong="no step" says="Only the threshold is there"
@torch.no_grad()
def proximal_step(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="only the step" says="That is the optimiser's own step"
def proximal_step(optimizer):
    optimizer.step()


# %% wrong="threshold first" says="after the step, not before"
def proximal_step(optimizer):
    with torch.no_grad():
        for group in optimizer.param_groups:
            for p in group["params"]:
                if "l1" in group and p.grad is not None:
                    p.copy_(soft_threshold(p, group["lr"] * group["l1"]))
    optimizer.step()


# %% wrong="without the rate" says="the learning rate times l1, not l1 alone"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["l1"]))


# %% wrong="rate alone" says="not the learning rate alone"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"]))


# %% wrong="gives the name another tensor" says="That is the optimiser's own step"
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p = soft_threshold(p, group["lr"] * group["l1"])


# %% wrong="new memory" says="given new memory"
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.data = soft_threshold(p.data, group["lr"] * group["l1"])


# %% wrong="thresholds those without a gradient" says="takes no step"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        if "l1" in group:
            for p in group["params"]:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="l1 of the first group for all" says="A group without l1"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    strength = optimizer.param_groups[0]["l1"]
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * strength))


# %% wrong="key taken for granted" says="KeyError"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="default rate" says="read the rate from the group each time"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, optimizer.defaults["lr"] * group["l1"]))


# %% wrong="rate of the first group" says="a rate of its own"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    lr = optimizer.param_groups[0]["lr"]
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, lr * group["l1"]))


# %% wrong="the subgradient" says="(Or the weight was carried across 0.)"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.sub_(group["lr"] * group["l1"] * p.sign())


# %% wrong="no no_grad" says="your code raised RuntimeError"
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="autograd left off" says="Autograd is left switched off"
def proximal_step(optimizer):
    torch.set_grad_enabled(False)
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="clears the gradient" says="A gradient was changed"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))
                p.grad.zero_()


# %% wrong="first parameter of each group" says="That is the optimiser's own step"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        p = group["params"][0]
        if "l1" in group and p.grad is not None:
            p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="stops at the first without a gradient" says="That is the optimiser's own step"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" not in group or p.grad is None:
                break
            p.copy_(soft_threshold(p, group["lr"] * group["l1"]))


# %% wrong="returns the optimiser" says="should return nothing"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.copy_(soft_threshold(p, group["lr"] * group["l1"]))
    return optimizer


# %% wrong="hard threshold" says="SGD goes to (0.8, 0.02, −0.1)"
@torch.no_grad()
def proximal_step(optimizer):
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if "l1" in group and p.grad is not None:
                p.mul_(p.abs() > group["lr"] * group["l1"])


# %% wrong="plain SGD instead of the optimiser" says="Six steps end elsewhere"
@torch.no_grad()
def proximal_step(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.sub_(group["lr"] * p.grad)
                if "l1" in group:
                    p.copy_(soft_threshold(p, group["lr"] * group["l1"]))
