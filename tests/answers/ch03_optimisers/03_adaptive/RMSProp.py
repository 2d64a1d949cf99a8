# %% right="mul and addcmul"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% right="lerp"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.lerp_(gradient.square(), 1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% right="a new tensor in state"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        a = group["alpha"]
        state["v"] = a * state.get("v", 0) + (1 - a) * gradient * gradient
        parameter.sub_(group["lr"] * gradient / (state["v"] ** 0.5 + group["eps"]))


# %% right="plain formula, data"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "avg" not in state:
            state["avg"] = torch.zeros(parameter.shape, dtype=parameter.dtype)
        state["avg"] = state["avg"] - (1 - group["alpha"]) * (state["avg"] - gradient**2)
        parameter.data.addcdiv_(gradient, state["avg"].sqrt() + group["eps"], value=-group["lr"])


# %% wrong="adds the whole square" says="The whole square was added"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).add_(gradient**2)
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="AdaGrad" says="The whole square was added"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.add_(gradient**2)
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="shares exchanged" says="Your shares are exchanged"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(1 - group["alpha"]).add_(group["alpha"] * gradient**2)
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="no root" says="its square root is missing"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s + group["eps"])


# %% wrong="uphill" says="uphill"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter += group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="the last gradient only" says="the last gradient only"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s = (1 - group["alpha"]) * gradient**2
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="never forgets" says="Nothing is forgotten"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s += (1 - group["alpha"]) * gradient**2
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="epsilon under the root" says="Your ε is under the root"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s + group["eps"]).sqrt()


# %% wrong="no epsilon" says="ε is not heeded"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s.sqrt() + 1e-30)


# %% wrong="plain SGD" says="That is a step of SGD"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        parameter -= group["lr"] * gradient


# %% wrong="a new tensor" says="Nothing moved"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        parameter = parameter - group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="alpha fixed" says="The walk strays"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.lerp_(gradient**2, 0.25)
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="memory in the group" says="belongs to each parameter"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in group or group["s"].shape != parameter.shape:
            group["s"] = torch.zeros_like(parameter)
        group["s"].lerp_(gradient**2, 1 - group["alpha"])
        parameter -= group["lr"] * gradient / (group["s"].sqrt() + group["eps"])


# %% wrong="changes the gradient" says="The gradient was changed"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s.lerp_(gradient**2, 1 - group["alpha"])
        gradient.div_(s.sqrt() + group["eps"])
        parameter.sub_(group["lr"] * gradient)


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
RMSProp = torch.optim.RMSprop


# %% wrong="memory in the class" says="keep all memory in `state`"
class RMSProp(Rule):
    memory = {}

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = self.memory.setdefault(parameter, torch.zeros_like(parameter))
        s.lerp_(gradient**2, 1 - group["alpha"])
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="float32 memory" says="Gradients too large for float32"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"] = torch.zeros(parameter.shape)
        state["s"].mul_(group["alpha"]).add_((1 - group["alpha"]) * gradient**2)
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="starts at the first square" says="s was begun or corrected"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"] = gradient**2
        else:
            state["s"].lerp_(gradient**2, 1 - group["alpha"])
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="bias corrected" says="s was begun or corrected"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        state["t"] = state.get("t", 0) + 1
        s.lerp_(gradient**2, 1 - group["alpha"])
        parameter -= group["lr"] * gradient / ((s / (1 - group["alpha"] ** state["t"])).sqrt() + group["eps"])


# %% wrong="one average for the tensor" says="There is one s for the whole tensor"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state: state["s"] = 0.0
        state["s"] = group["alpha"] * state["s"] + (1 - group["alpha"]) * (gradient**2).mean()
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="skips gradients of 0" says="A gradient of 0 is not a missing one"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        if gradient.any():
            s.lerp_(gradient**2, 1 - group["alpha"])
            parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="divides by the old average" says="The step divides by the old s"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])
        s.lerp_(gradient**2, 1 - group["alpha"])


# %% right="from all past gradients"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        past = state.setdefault("past", [])
        past.append(gradient.clone())
        a = group["alpha"]
        s = sum((1 - a) * a**k * g**2 for k, g in enumerate(reversed(past)))
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% right="remembers the root"
class RMSProp(Rule):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def update(self, parameter, gradient, state, group):
        a = group["alpha"]
        state["r"] = (a * state.get("r", torch.zeros_like(gradient))**2 + (1 - a) * gradient**2).sqrt()
        parameter.add_(-group["lr"] * gradient / (state["r"] + group["eps"]))
