# %% right="setdefault, addcmul and addcdiv"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("sum", torch.zeros_like(parameter))
        s.addcmul_(gradient, gradient)
        parameter.addcdiv_(gradient, s.sqrt().add_(group["eps"]), value=-group["lr"])


# %% right="a new sum each time, copy_"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        old = state.get("s", 0.0)
        state["s"] = old + gradient.pow(2)
        parameter.copy_(parameter - group["lr"] * gradient / (torch.sqrt(state["s"]) + group["eps"]))


# %% right="through data"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if len(state) == 0:
            state["G"] = gradient**2
        else:
            state["G"] = state["G"] + gradient**2
        parameter.data = parameter.data - group["lr"] / (state["G"] ** 0.5 + group["eps"]) * gradient


# %% right="element by element in Python"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros(parameter.numel(), dtype=parameter.dtype))
        step = torch.empty(parameter.numel(), dtype=parameter.dtype)
        for k, g in enumerate(gradient.flatten()):
            s[k] += g * g
            step[k] = g / (s[k].sqrt() + group["eps"])
        parameter.sub_(group["lr"] * step.view(parameter.shape))


# %% wrong="plain SGD" says="That is a step of SGD"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        parameter -= group["lr"] * gradient


# %% wrong="no root" says="its square root is missing"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient * gradient
        parameter -= group["lr"] * gradient / (state["s"] + group["eps"])


# %% wrong="uphill" says="uphill"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient * gradient
        parameter += group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="sum of absolute values" says="You add up |g|"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient.abs()
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="one sum for the tensor" says="There is one s for the whole tensor"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = 0.0
        state["s"] += (gradient**2).sum()
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="forgets" says="the last gradient only"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] = gradient**2
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="mean of the squares" says="the mean of the squares"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        state["t"] = state.get("t", 0) + 1
        state["s"] = state.get("s", 0) + gradient**2
        parameter -= group["lr"] * gradient / ((state["s"] / state["t"]).sqrt() + group["eps"])


# %% wrong="epsilon under the root" says="Your ε is under the root"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient * gradient
        parameter -= group["lr"] * gradient / (state["s"] + group["eps"]).sqrt()


# %% wrong="epsilon fixed" says="ε is not heeded"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient * gradient
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + 1e-10)


# %% wrong="a new tensor" says="Nothing moved"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if "s" not in state:
            state["s"] = torch.zeros_like(parameter)
        state["s"] += gradient * gradient
        parameter = parameter - group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="the sum in self" says="belongs to each parameter"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})
        self.s = 0.0

    def update(self, parameter, gradient, state, group):
        if gradient.shape != getattr(self.s, "shape", None):
            self.s = torch.zeros_like(parameter)
        self.s += gradient**2
        parameter -= group["lr"] * gradient / (self.s.sqrt() + group["eps"])


# %% wrong="memory outside state" says="keep all memory in `state`"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})
        self.sums = {}

    def update(self, parameter, gradient, state, group):
        s = self.sums.setdefault(parameter, torch.zeros_like(parameter))
        s += gradient**2
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="squares the gradient in place" says="The gradient was changed"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        direction = gradient.clone()
        s += gradient.square_()
        parameter -= group["lr"] * direction / (s.sqrt() + group["eps"])


# %% wrong="rate read at the start" says="A change of the learning rate"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"], state["lr"] = torch.zeros_like(parameter), group["lr"]
        state["s"] += gradient**2
        parameter -= state["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="options of the optimiser, not the group" says="Two groups with options of their own"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s += gradient**2
        parameter -= self.param_groups[0]["lr"] * gradient / (s.sqrt() + self.param_groups[0]["eps"])


# %% wrong="PyTorch's own class" says="Write a class with a method `update`"
AdaGrad = torch.optim.Adagrad


# %% wrong="memory in the class" says="keep all memory in `state`"
class AdaGrad(Rule):
    memory = {}

    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = self.memory.setdefault(parameter, torch.zeros_like(parameter))
        s += gradient**2
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="memory on the parameter" says="keep all memory in `state`"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not hasattr(parameter, "s"):
            parameter.s = torch.zeros_like(parameter)
        parameter.s += gradient**2
        parameter -= group["lr"] * gradient / (parameter.s.sqrt() + group["eps"])


# %% wrong="float32 memory" says="Gradients too large for float32"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"] = torch.zeros(parameter.shape)
        state["s"] += gradient**2
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="mean over the tensor" says="s is the mean over the tensor"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        if not state:
            state["s"] = 0.0
        state["s"] += (gradient**2).mean()
        parameter -= group["lr"] * gradient / (state["s"].sqrt() + group["eps"])


# %% wrong="adds up gradients" says="You add up the gradients"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s += gradient
        parameter -= group["lr"] * gradient / ((s**2).sqrt() + group["eps"])


# %% wrong="steps with the squared gradient" says="The gradient was squared in place"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        s = state.setdefault("s", torch.zeros_like(parameter))
        s += gradient.square_()
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% wrong="moves the whole group" says="changes its own `parameter` alone"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        for p in group["params"]:
            if p.grad is None: continue
            st = self.state[p]
            s = st.setdefault("s", torch.zeros_like(p))
            s += p.grad**2
            p -= group["lr"] * p.grad / (s.sqrt() + group["eps"])


# %% right="a list of the past gradients"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        state.setdefault("past", []).append(gradient.clone())
        s = torch.stack(state["past"]).square().sum(0)
        parameter -= group["lr"] * gradient / (s.sqrt() + group["eps"])


# %% right="remembers the root"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        root = state.get("root", torch.zeros_like(gradient))
        state["root"] = torch.hypot(root, gradient)
        parameter.sub_(group["lr"] * gradient / (state["root"] + group["eps"]))


# %% right="a tuple in state"
class AdaGrad(Rule):
    def __init__(self, params, lr=0.01, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})

    def update(self, parameter, gradient, state, group):
        (s,) = state.get("m", (0.0,))
        s = s + gradient * gradient
        state["m"] = (s,)
        parameter.data -= group["lr"] * gradient / (s.sqrt() + group["eps"])
