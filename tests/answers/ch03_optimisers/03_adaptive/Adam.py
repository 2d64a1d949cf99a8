# %% right="plain formulas"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% right="corrections in the rate"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        rate = group["lr"] / (1 - b1**t)
        parameter.addcdiv_(m, v.sqrt() / (1 - b2**t) ** 0.5 + group["eps"], value=-rate)


# %% right="the count as a tensor"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["step"] = torch.tensor(0.0)
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["step"] += 1
        t = state["step"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% right="running products of beta"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["m"], state["v"] = gradient * 0, gradient * 0
            state["p1"], state["p2"] = 1.0, 1.0
        b1, b2 = group["betas"]
        state["p1"] *= b1
        state["p2"] *= b2
        state["m"] = b1 * state["m"] + (1 - b1) * gradient
        state["v"] = b2 * state["v"] + (1 - b2) * gradient * gradient
        mean, square = state["m"] / (1 - state["p1"]), state["v"] / (1 - state["p2"])
        parameter.copy_(parameter - group["lr"] * mean / (square**0.5 + group["eps"]))


# %% wrong="no correction" says="There is no bias correction"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m, v
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="only m corrected" says="v is not"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="only v corrected" says="m is not"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m, v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="corrections exchanged" says="The corrections are exchanged"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b2**t), v / (1 - b1**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="counts from 0" says="Count t from 1"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        t = t - 1
        mh, vh = m / (1 - torch.tensor(b1) ** t), v / (1 - torch.tensor(b2) ** t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="counts from 0, in Python" says="the very first update"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        t = state["t"]
        state["t"] += 1
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        vh = v / (1 - torch.tensor(b2) ** t)
        parameter -= group["lr"] / (1 - b1**t) * m / (vh.sqrt() + group["eps"])


# %% wrong="does not count" says="t should count"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        t = 1
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="stores the corrected averages" says="corrected again"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        m /= 1 - b1**t
        v /= 1 - b2**t
        mh, vh = m, v
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="no momentum in the step" says="The step takes the gradient"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * gradient / (vh.sqrt() + group["eps"])


# %% wrong="no root" says="its square root is missing"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh + group["eps"])


# %% wrong="epsilon under the root" says="Your ε is under the root"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh + group["eps"]).sqrt()


# %% wrong="epsilon before the correction" says="Your ε is added before the correction"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / ((v.sqrt() + group["eps"]) / (1 - b2**t) ** 0.5)


# %% wrong="one count for all" says="belongs to each parameter"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        self.t = 0

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        self.t += 1
        t = self.t
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="one count a group" says="belongs to each parameter"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        group["t"] = group.get("t", 0) + 1
        t = group["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="a count outside state that misses gaps" says="count of steps"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        self.t = {}

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        self.steps = getattr(self, "steps", 0)
        if parameter is self.param_groups[0]["params"][0]:
            self.steps += 1
        t = self.steps
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="counts in a dictionary of its own" says="keep all memory in `state`"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        self.count = {}

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        self.count[parameter] = self.count.get(parameter, 0) + 1
        t = self.count[parameter]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="shares of m exchanged" says="The shares of m are exchanged"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(1 - b1).add_(b1 * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="shares of v exchanged" says="The shares of v are exchanged"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(1 - b2).add_(b2 * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="a new tensor" says="Nothing moved"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter = parameter - group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="uphill" says="uphill"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter += group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="overwrites the gradient" says="The gradient was changed"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient.mul_(gradient))
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        parameter -= group["lr"] * mh / (vh.sqrt() + group["eps"])


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
Adam = torch.optim.Adam


# %% wrong="memory in the class" says="keep all memory in `state`"
class Adam(Rule):
    memory = {}

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
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
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros(parameter.shape), torch.zeros(parameter.shape)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="skips gradients of 0" says="A gradient of 0 is not a missing one"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not gradient.any():
            return
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="one tensor for both averages" says="two tensors"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, *[torch.zeros_like(parameter)] * 2
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="one v for the tensor" says="There is one v"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * (gradient**2).mean())
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="m not kept" says="m is not kept"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m = b1 * m + (1 - b1) * gradient
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% wrong="betas exchanged" says="The two β are exchanged"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["v"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b2, b1) = state["m"], state["v"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])


# %% right="from all past gradients"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        past = state.setdefault("past", [])
        past.append(gradient.clone())
        b1, b2 = group["betas"]
        w1 = [b1**k for k in range(len(past))][::-1]
        w2 = [b2**k for k in range(len(past))][::-1]
        m = sum(w * g for w, g in zip(w1, past)) / sum(w1)
        v = sum(w * g**2 for w, g in zip(w2, past)) / sum(w2)
        parameter -= group["lr"] * m / (v.sqrt() + group["eps"])


# %% right="keeps the corrected averages, with their own shares"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        b1, b2 = group["betas"]
        t = state["t"] = state.get("t", 0) + 1
        a, b = (1 - b1) / (1 - b1**t), (1 - b2) / (1 - b2**t)
        state["m"] = state.get("m", torch.zeros_like(gradient)).lerp(gradient, a)
        state["v"] = state.get("v", torch.zeros_like(gradient)).lerp(gradient.square(), b)
        parameter.addcdiv_(state["m"], state["v"].sqrt().add_(group["eps"]), value=-group["lr"])


# %% right="a tuple in state"
class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        b1, b2 = group["betas"]
        t, m, v = state.get("all", (0, torch.zeros_like(gradient), torch.zeros_like(gradient)))
        t, m, v = t + 1, b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient * gradient
        state["all"] = (t, m, v)
        parameter -= group["lr"] * (m / (1 - b1**t)) / (torch.sqrt(v / (1 - b2**t)) + group["eps"])
