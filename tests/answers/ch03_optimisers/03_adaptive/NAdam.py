# %% right="plain"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% right="product recomputed by a loop"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        P = 1.0
        for k in range(1, t + 1):
            P *= b1 * (1 - 0.5 * 0.96 ** (k * psi))
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% right="the product as a tensor, addcdiv"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] = torch.as_tensor(state["P"], dtype=torch.float64) * mu
        P = float(state["P"])
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]

        parameter.addcdiv_(gradient, root, value=-group["lr"] * (1 - mu) / (1 - P))
        parameter.addcdiv_(m, root, value=-group["lr"] * next_mu / (1 - P * next_mu))


# %% right="a helper, new tensors"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        b1, b2 = group["betas"]
        t = state["t"] = state.get("t", 0) + 1

        def mu(k):
            return b1 - b1 / 2 * math.pow(0.96, k * group["momentum_decay"])

        state["pi"] = state.get("pi", 1) * mu(t)
        state["m"] = b1 * state.get("m", 0) + (1 - b1) * gradient
        state["v"] = b2 * state.get("v", 0) + (1 - b2) * gradient.square()
        look = gradient * (1 - mu(t)) / (1 - state["pi"])
        look = look + state["m"] * mu(t + 1) / (1 - state["pi"] * mu(t + 1))
        parameter.copy_(
            parameter - group["lr"] * look / (torch.sqrt(state["v"] / (1 - b2**t)) + group["eps"])
        )


# %% wrong="Adam" says="That is Adam's step"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = m / (1 - b1**t)
        parameter -= group["lr"] * num / root


# %% wrong="constant momentum" says="μ is constant"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = next_mu = b1
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="this step's mu for m" says="It should be that of the next"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = next_mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="one step behind" says="one step behind"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** ((t - 1) * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="psi not used" says="is not heeded"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96**t)
        next_mu = b1 * (1 - 0.5 * 0.96 ** (t + 1))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="beta to the t in place of the product" says="Π should be the product"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        P = b1**t
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="product without memory" says="Π holds only the last"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        P = mu
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="v not corrected" says="v is not corrected"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = v.sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="both by the same correction" says="one more factor"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = ((1 - mu) * gradient + next_mu * m) / (1 - P)
        parameter -= group["lr"] * num / root


# %% wrong="no corrections of the numerator" says="Neither term"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) * gradient + next_mu * m
        parameter -= group["lr"] * num / root


# %% wrong="weights exchanged" says="The factors are exchanged"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = mu / (1 - P) * gradient + (1 - next_mu) / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="uphill" says="uphill"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter += group["lr"] * num / root


# %% wrong="a new tensor" says="Nothing moved"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter = parameter - group["lr"] * num / root


# %% wrong="one product for all" says="belongs to each parameter"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})
        self.P = 1.0

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        self.P *= mu
        P = self.P
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="epsilon under the root" says="With other options"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t) + group["eps"]).sqrt()
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
NAdam = torch.optim.NAdam


# %% wrong="memory in the class" says="keep all memory in `state`"
class NAdam(Rule):
    memory = {}

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        state = self.memory.setdefault(parameter, {})
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="float32 memory" says="Gradients too large for float32"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros(parameter.shape), torch.zeros(parameter.shape)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="skips gradients of 0" says="A gradient of 0 is not a missing one"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not gradient.any():
            return
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="no half" says="The ½ in μ is missing"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="product starts at beta 1" says="Π is too small by one factor"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, group["betas"][0]
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="m with mu" says="m takes in g with μ"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = state["P"]
        m.mul_(mu).add_((1 - mu) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% wrong="a power of the last mu" says="a power of the last μ"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["P"] *= mu
        P = mu**t
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% right="sum of logarithms"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state["L"] = state.get("L", 0.0) + math.log(mu)
        P = math.exp(state["L"])
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root


# %% right="a list of the mus"
class NAdam(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": momentum_decay})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["P"] = 0, 1.0
            state["m"], state["v"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, v, (b1, b2), psi = state["m"], state["v"], group["betas"], group["momentum_decay"]
        state["t"] += 1
        t = state["t"]
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        state.setdefault("mus", []).append(mu)
        P = math.prod(state["mus"])
        m.mul_(b1).add_((1 - b1) * gradient)
        v.mul_(b2).add_((1 - b2) * gradient**2)
        root = (v / (1 - b2**t)).sqrt() + group["eps"]
        num = (1 - mu) / (1 - P) * gradient + next_mu / (1 - P * next_mu) * m
        parameter -= group["lr"] * num / root
