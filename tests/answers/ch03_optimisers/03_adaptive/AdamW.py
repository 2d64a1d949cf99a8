# %% right="decay, then Adam"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]
        Adam.update(self, parameter, gradient, state, group)


# %% right="written out"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% right="decay from the old value, in one move"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * (mh / (vh.sqrt() + group["eps"]) + group["weight_decay"] * parameter)


# %% right="the old value kept"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        old = parameter.clone()
        Adam.update(self, parameter, gradient, state, group)
        parameter.sub_(old, alpha=group["lr"] * group["weight_decay"])


# %% wrong="L2" says="that is L2"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        Adam.update(self, parameter, gradient + group["weight_decay"] * parameter, state, group)


# %% wrong="no decay" says="There is no decay"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="decay after the step" says="The decay came after"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        Adam.update(self, parameter, gradient, state, group)
        parameter *= 1 - group["lr"] * group["weight_decay"]


# %% wrong="without the rate" says="The factor is 1 − λ. It"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["weight_decay"]
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="without the rate, after" says="and after the step"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        Adam.update(self, parameter, gradient, state, group)
        parameter *= 1 - group["weight_decay"]


# %% wrong="grows" says="The parameter grows"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 + group["lr"] * group["weight_decay"]
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="a new tensor for the decay" says="Nothing moved"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter = parameter * (1 - group["lr"] * group["weight_decay"])
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="forgets Adam" says="the decay without Adam"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]


# %% wrong="decays in the first step only" says="no decay in the second"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            parameter *= 1 - group["lr"] * group["weight_decay"]
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="decay fixed" says="From (2, 2)"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * 0.01
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="L2 and decay both" says="λ acts twice"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]
        Adam.update(self, parameter, gradient + group["weight_decay"] * parameter, state, group)


# %% wrong="changes the gradient" says="that is L2"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        gradient += group["weight_decay"] * parameter
        Adam.update(self, parameter, gradient, state, group)


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
AdamW = torch.optim.AdamW


# %% wrong="memory in the class" says="keep all memory in `state`"
class AdamW(Rule):
    memory = {}

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]
        state = self.memory.setdefault(parameter, {})
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="float32 memory" says="Gradients too large for float32"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros(parameter.shape), torch.zeros(parameter.shape)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="L2 in m alone" says="Adam's mill"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * (gradient + group["weight_decay"] * parameter))
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="single numbers do not decay" says="of whatever shape"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        if parameter.dim() > 0:
            parameter *= 1 - group["lr"] * group["weight_decay"]
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="shrinks the whole group" says="changes its own `parameter` alone"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        for p in group["params"]:
            p *= 1 - group["lr"] * group["weight_decay"]
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="decays at the first rate" says="A change of the learning rate"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        lr0 = state.setdefault("lr0", group["lr"])
        parameter *= 1 - lr0 * group["weight_decay"]
        if "t" not in state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="a new memory each time" says="Adam's step is missing"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter *= 1 - group["lr"] * group["weight_decay"]
        Adam.update(self, parameter, gradient, {}, group)


# %% right="inherits from Adam"
class AdamW(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.defaults["weight_decay"] = weight_decay
        for group in self.param_groups:
            group.setdefault("weight_decay", weight_decay)

    def update(self, parameter, gradient, state, group):
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        super().update(parameter, gradient, state, group)


# %% right="lerp"
class AdamW(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, parameter, gradient, state, group):
        parameter.lerp_(torch.zeros_like(parameter), group["lr"] * group["weight_decay"])
        Adam.update(self, parameter, gradient, state, group)
