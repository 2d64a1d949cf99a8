# %% right="decorator, enable_grad for the closure, first v is a clone"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        defaults = dict(lr=lr, momentum=momentum)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                if "velocity" not in self.state[p]:
                    self.state[p]["velocity"] = torch.clone(g).detach()
                else:
                    self.state[p]["velocity"].mul_(group["momentum"]).add_(g)
                v = self.state[p]["velocity"]
                p.add_(g.add(v, alpha=group["momentum"]), alpha=-group["lr"])
        return loss


# %% right="through .data, a new v at each step"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr: float, momentum: float = 0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            eta, mu = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is not None:
                    g = p.grad.data
                    old = self.state[p].get("v", 0.0)
                    v = mu * old + g
                    self.state[p]["v"] = v.clone()
                    p.data -= eta * (g + mu * v)
        return loss


# %% right="by torch's functional foreach operations"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        result = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                live = [p for p in group["params"] if p.grad is not None]
                if not live:
                    continue
                for p in live:
                    self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                buffers = [self.state[p]["momentum_buffer"] for p in live]
                grads = [p.grad for p in live]
                torch._foreach_mul_(buffers, group["momentum"])
                torch._foreach_add_(buffers, grads)
                grads = torch._foreach_add(grads, buffers, alpha=group["momentum"])
                torch._foreach_add_(live, grads, alpha=-group["lr"])
        return result


# %% right="state made in the constructor"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["v"] = torch.zeros_like(p)

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = self.state[p]["v"]
                    v.copy_(group["momentum"] * v + p.grad)
                    p.copy_(p - group["lr"] * (p.grad + group["momentum"] * v))
        return loss


# %% wrong="v is the gradient itself" says="is the tensor `.grad` itself"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "v" not in state:
                    state["v"] = p.grad
                else:
                    state["v"].mul_(group["momentum"]).add_(p.grad)
                p.sub_(group["lr"] * (p.grad + group["momentum"] * state["v"]))
        return loss


# %% wrong="forgets the old v" says="knows no v"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    v = mu * state["v"] + p.grad
                    p.sub_(lr * (p.grad + mu * v))
        return loss


# %% wrong="velocities in a list of its own" says="keep each v in self.state[parameter]"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))
        self.v = {}

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = group["momentum"] * self.v.get(p, torch.zeros_like(p)) + p.grad
                    self.v[p] = v
                    p -= group["lr"] * (p.grad + group["momentum"] * v)
        return loss


# %% wrong="rate and momentum kept from the constructor" says="old rate"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))
        self.lr, self.mu = lr, momentum

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = self.mu * self.state[p].get("v", torch.zeros_like(p)) + p.grad
                    self.state[p]["v"] = v
                    p -= self.lr * (p.grad + self.mu * v)
        return loss


# %% wrong="the rate from the group, the momentum from the constructor" says="Two groups"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr))
        self.mu = momentum

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = self.mu * self.state[p].get("v", torch.zeros_like(p)) + p.grad
                    self.state[p]["v"] = v
                    p -= group["lr"] * (p.grad + self.mu * v)
        return loss


# %% wrong="classic form, rate inside the memory" says="old rate"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).sub_(lr * p.grad)
                    p.add_(mu * state["v"] - lr * p.grad)
        return loss


# %% wrong="plain momentum" says="The first step is ηg"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="with the old v" says="taken with the old v"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    p.sub_(lr * (p.grad + mu * state["v"]))
                    state["v"].mul_(mu).add_(p.grad)
        return loss


# %% wrong="forgets mu in the step" says="v is to be multiplied by μ"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + state["v"]))
        return loss


# %% wrong="adds into the gradient" says="The gradient was changed"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * p.grad.add_(mu * state["v"]))
        return loss


# %% wrong="stores the step" says="Store v, and make the step from it"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    v = mu * state["v"] + p.grad
                    state["v"] = p.grad + mu * v
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="without the gradient" says="the gradient itself is missing"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * mu * state["v"])
        return loss


# %% wrong="no test for None" says="raised"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return loss


# %% wrong="new memory through .data" says="given new memory"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.data = p - lr * (p.grad + mu * state["v"])
        return loss


# %% wrong="a new tensor in a local name" says="has not moved"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p = p - lr * (p.grad + mu * state["v"])
        return loss


# %% wrong="under no_grad, without the closure's gradients" says="raised RuntimeError"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                v = group["momentum"] * self.state[p].get("v", torch.zeros_like(p)) + p.grad
                self.state[p]["v"] = v
                p -= group["lr"] * (p.grad + group["momentum"] * v)
        return loss


# %% wrong="closure ignored" says="should return the closure's loss"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return loss


# %% wrong="closure called after the update" says="call it first"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        pass
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return closure() if closure is not None else None


# %% wrong="loss not returned" says="should return the closure's loss"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return None


# %% wrong="clears the gradients" says="The gradient was changed"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
                    p.grad.zero_()
        return loss


# %% wrong="stops at the first parameter without a gradient" says="has not moved"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        break
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return loss


# %% wrong="skips gradients of zero" says="third step"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None or not p.grad.any():
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * state["v"]))
        return loss


# %% right="step counter, copy_ and addcmul"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    s = self.state[p]
                    s['n'] = s.get('n', 0) + 1
                    if s['n'] == 1:
                        s['v'] = torch.empty_like(p).copy_(p.grad)
                    else:
                        s['v'] = torch.add(p.grad, s['v'], alpha=mu)
                    v = s['v']
                    torch.sub(p, (p.grad + mu * v), alpha=lr, out=p)
        return loss


# %% wrong="rule on top of first v = g" says="the rule was applied on top"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = p.grad.clone()
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * v))
        return loss


# %% wrong="v in single precision" says="the digits of float32"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros(p.shape)
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * v))
        return loss


# %% wrong="the loss as a Python number" says="as it is"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros_like(p)
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * v))
        return None if loss is None else float(loss)


# %% wrong="velocities in the group" says="not in the group"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    vs = group.setdefault('velocities', [None] * len(group['params']))
                    i = [q is p for q in group['params']].index(True)
                    v = p.grad.clone() if vs[i] is None else mu * vs[i] + p.grad
                    vs[i] = v
                    p.sub_(lr * (p.grad + mu * v))
        return loss


# %% wrong="scales v itself by mu" says="What is stored is μv"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros_like(p)
                    v = state['v']
                    v.mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + v.mul_(mu)))
        return loss


# %% wrong="mu on the gradient" says="μ belongs to v"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros_like(p)
                    v = state['v']
                    v.mul_(mu).add_(p.grad)
                    p.sub_(lr * (mu * p.grad + v))
        return loss


# %% wrong="first step plain" says="too, is g + μv"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = p.grad.clone()
                        p.sub_(lr * p.grad)
                        continue
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * v))
        return loss


# %% wrong="autograd left off" says="leaves autograd"
class Nesterov(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        torch.set_grad_enabled(False)
        if True:
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros_like(p)
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * (p.grad + mu * v))
        return loss
