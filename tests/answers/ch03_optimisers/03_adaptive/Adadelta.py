# %% right="two roots"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% right="moves before it remembers"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        parameter -= group["lr"] * d
        a.mul_(rho).add_((1 - rho) * d**2)


# %% right="new tensors"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        rho, eps = group["rho"], group["eps"]
        state["s"] = rho * state.get("s", 0) + (1 - rho) * gradient**2
        a = state.get("a", torch.zeros_like(gradient))
        step = -torch.sqrt(a + eps) * torch.rsqrt(state["s"] + eps) * gradient
        state["a"] = rho * a + (1 - rho) * step**2
        parameter.add_(step, alpha=group["lr"])


# %% right="addcmul and data"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if len(state) == 0:
            state["avg"] = torch.zeros_like(parameter)
            state["delta"] = torch.zeros_like(parameter)
        r, e = group["rho"], group["eps"]
        state["avg"].mul_(r).addcmul_(gradient, gradient, value=1 - r)
        d = state["delta"].add(e).sqrt_().div_(state["avg"].add(e).sqrt_()).mul_(gradient)
        state["delta"].mul_(r).addcmul_(d, d, value=1 - r)
        parameter.data.add_(d, alpha=-group["lr"])


# %% wrong="no learning rate" says="The factor η"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= d


# %% wrong="RMSProp" says="The upper root"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = gradient / (s + eps).sqrt()
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% wrong="epsilon outside" says="Your ε is outside the roots"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a.sqrt() + eps) / (s.sqrt() + eps) * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% wrong="no epsilon above" says="is there an ε under the upper root"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = a.sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% wrong="shares exchanged" says="The shares are exchanged"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(1 - rho).add_(rho * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% wrong="a before d is used" says="a comes last"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        parameter -= group["lr"] * d


# %% wrong="uphill" says="uphill"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter += group["lr"] * d


# %% wrong="a of the scaled step" says="a takes in η"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * (group["lr"] * d) ** 2)
        parameter -= group["lr"] * d


# %% wrong="a of the gradients" says="a takes in the squared gradients"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * gradient**2)
        parameter -= group["lr"] * d


# %% wrong="a is a sum" says="a is a sum"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.add_(d**2)
        parameter -= group["lr"] * d


# %% wrong="a stays 0" says="a stays at 0"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a = a * rho + (1 - rho) * d**2
        parameter -= group["lr"] * d


# %% wrong="d not squared" says="a takes in d."
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d)
        parameter -= group["lr"] * d


# %% wrong="a new tensor" says="Nothing moved"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"], group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = (a + eps).sqrt() / (s + eps).sqrt() * gradient
        a.mul_(rho).add_((1 - rho) * d**2)
        parameter = parameter - group["lr"] * d


# %% wrong="one memory under two names" says="The second step should lead to"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"] = state["a"] = torch.zeros_like(parameter)
        s, a, rho, eps = state["s"], state["a"].clone(), group["rho"], group["eps"]
        s.mul_(rho).add_((1 - rho) * gradient**2)
        d = ((a + eps) / (s + eps)).sqrt() * gradient
        state["a"].mul_(rho).add_((1 - rho) * d**2)
        parameter -= group["lr"] * d


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
Adadelta = torch.optim.Adadelta


# %% wrong="memory in the class" says="keep all memory in `state`"
class Adadelta(Rule):
    memory = {}

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s, a = self.memory.setdefault(parameter, (torch.zeros_like(parameter), torch.zeros_like(parameter)))
        s.lerp_(gradient**2, 1 - group["rho"])
        d = ((a + group["eps"]) / (s + group["eps"])).sqrt() * gradient
        a.lerp_(d**2, 1 - group["rho"])
        parameter -= group["lr"] * d


# %% wrong="float32 memory" says="Gradients too large for float32"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["a"] = torch.zeros(parameter.shape), torch.zeros(parameter.shape)
        s, a, r = state["s"], state["a"], group["rho"]
        s.mul_(r).add_((1-r) * gradient**2)
        d = ((a + group["eps"]) / (s + group["eps"])).sqrt() * gradient
        a.mul_(r).add_((1-r) * d**2)
        parameter -= group["lr"] * d


# %% wrong="upside down" says="upside down"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        s.lerp_(gradient**2, 1 - group["rho"])
        d = (s + group["eps"]).sqrt() / (a + group["eps"]).sqrt() * gradient
        a.lerp_(d**2, 1 - group["rho"])
        parameter -= group["lr"] * d


# %% wrong="no roots" says="Both roots are missing"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        s.lerp_(gradient**2, 1 - group["rho"])
        d = (a + group["eps"]) / (s + group["eps"]) * gradient
        a.lerp_(d**2, 1 - group["rho"])
        parameter -= group["lr"] * d


# %% wrong="s renewed after the step" says="d takes the old s"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        d = ((a + group["eps"]) / (s + group["eps"])).sqrt() * gradient
        s.lerp_(gradient**2, 1 - group["rho"])
        a.lerp_(d**2, 1 - group["rho"])
        parameter -= group["lr"] * d


# %% wrong="whole squares" says="The whole square was added"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        s.mul_(group["rho"]).add_(gradient**2)
        d = ((a + group["eps"]) / (s + group["eps"])).sqrt() * gradient
        a.mul_(group["rho"]).add_(d**2)
        parameter -= group["lr"] * d


# %% wrong="no epsilon below" says="The lower root has no ε"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        s.lerp_(gradient**2, 1 - group["rho"])
        d = ((a + group["eps"]) / s).sqrt() * gradient
        a.lerp_(d**2, 1 - group["rho"])
        parameter -= group["lr"] * d


# %% right="rsqrt"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        a = state.setdefault("a", torch.zeros_like(parameter))
        r, e = group["rho"], group["eps"]
        s.mul_(r).addcmul_(gradient, gradient, value=1 - r)
        d = (a + e).sqrt() * (s + e).rsqrt() * gradient
        a.mul_(r).addcmul_(d, d, value=1 - r)
        parameter.add_(d, alpha=-group["lr"])


# %% right="both averages in one tensor"
class Adadelta(Rule):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def update(self, parameter, gradient, state, group):
        m = state.setdefault("m", torch.zeros(2, *parameter.shape, dtype=parameter.dtype))
        r, e = group["rho"], group["eps"]
        m[0] = r * m[0] + (1 - r) * gradient**2
        d = ((m[1] + e) / (m[0] + e)) ** 0.5 * gradient
        m[1] = r * m[1] + (1 - r) * d**2
        parameter -= group["lr"] * d
