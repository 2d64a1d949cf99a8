# %% right="plain"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% right="torch.max of two"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u.copy_(torch.max(u * b2, abs(gradient) + group["eps"]))
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% right="where"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        b1, b2 = group["betas"]
        t = state["n"] = state.get("n", 0) + 1
        m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * gradient
        faded, new = b2 * state.get("u", torch.zeros_like(gradient)), gradient.abs() + group["eps"]
        state["u"] = torch.where(faded > new, faded, new)
        parameter.sub_(group["lr"] * (m / (1 - b1**t)) / state["u"])


# %% right="stack and amax"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        state["u"] = u = torch.stack([u * b2, gradient.abs().add(group["eps"])]).amax(0)
        parameter.data.addcdiv_(m, u, value=-group["lr"] / (1 - b1**t))


# %% wrong="m not corrected" says="m is not corrected"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * m / u


# %% wrong="u corrected" says="u is corrected, too"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / (u / (1 - b2**t))


# %% wrong="Adam's root with v uncorrected" says="You divide by √v"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u.mul_(b2).add_((1 - b2) * gradient**2)
        parameter -= group["lr"] / (1 - b1**t) * m / (u.sqrt() + group["eps"])


# %% wrong="one maximum for the tensor" says="There is one maximum for the whole tensor"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs().max() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="uphill" says="uphill"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter += group["lr"] / (1 - b1**t) * m / u


# %% wrong="does not fade" says="u does not fade"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(u, gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="adds" says="are added"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u.mul_(b2).add_(gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="u not stored" says="u is just |g|"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="does not count" says="t should count"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        t = 1
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="epsilon outside" says="ε is added to the maximum"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs())
        parameter -= group["lr"] / (1 - b1**t) * m / (u + group["eps"])


# %% wrong="epsilon fixed" says="ε is not heeded"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + 1e-8)
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="no absolute value" says="is it |g|"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient)
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="a new tensor" says="Nothing moved"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter = parameter - group["lr"] / (1 - b1**t) * m / u


# %% wrong="one count a group" says="belongs to each parameter"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        t = group["t"] = group.get("t", 0) + 1
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="absolute value in place" says="The gradient was changed"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs_() + group["eps"])
        parameter -= group["lr"] / (1 - b1**t) * m / u


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
AdaMax = torch.optim.Adamax


# %% wrong="memory in the class" says="keep all memory in `state`"
class AdaMax(Rule):
    memory = {}

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        state = self.memory.setdefault(parameter, {})
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% wrong="float32 memory" says="Gradients too large for float32"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros(parameter.shape), torch.zeros(parameter.shape)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% wrong="skips gradients of 0" says="A gradient of 0 is not a missing one"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not gradient.any():
            return
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% wrong="u fades by beta 1" says="u fades by β₁"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b1 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% wrong="fades the new one, too" says="fades at once"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = b2 * torch.maximum(u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% wrong="steps with the gradient" says="The step takes the gradient"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * gradient / u


# %% wrong="shares of m exchanged" says="The shares of m"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(1 - b1).add_(b1 * gradient)
        u = state["u"] = torch.maximum(b2 * u, gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% right="clamp"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["t"], state["m"], state["u"] = 0, torch.zeros_like(parameter), torch.zeros_like(parameter)
        m, u, (b1, b2) = state["m"], state["u"], group["betas"]
        state["t"] += 1
        t = state["t"]
        m.mul_(b1).add_((1 - b1) * gradient)
        u = state["u"] = (b2 * u).clamp(min=gradient.abs() + group["eps"])
        parameter -= group["lr"] * (m / (1 - b1**t)) / u


# %% right="from all past gradients"
class AdaMax(Rule):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def update(self, parameter, gradient, state, group):
        b1, b2 = group["betas"]
        past = state.setdefault("past", [])
        past.append(gradient.clone())
        n = len(past)
        m = sum((1 - b1) * b1 ** (n - 1 - k) * g for k, g in enumerate(past))
        u = torch.stack([b2 ** (n - 1 - k) * (g.abs() + group["eps"]) for k, g in enumerate(past)]).amax(0)
        parameter -= group["lr"] / (1 - b1**n) * m / u
