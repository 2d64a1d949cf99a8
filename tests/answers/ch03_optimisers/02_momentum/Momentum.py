# %% right="decorator, enable_grad for the closure, first v is a clone"
class Momentum(torch.optim.Optimizer):
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
                p.add_(v, alpha=-group["lr"])
        return loss


# %% right="through .data, a new v at each step"
class Momentum(torch.optim.Optimizer):
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
                    p.data -= eta * (v)
        return loss


# %% right="by torch's functional foreach operations"
class Momentum(torch.optim.Optimizer):
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
                grads = buffers
                torch._foreach_add_(live, grads, alpha=-group["lr"])
        return result


# %% right="state made in the constructor"
class Momentum(torch.optim.Optimizer):
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
                    p.copy_(p - group["lr"] * (v))
        return loss


# %% wrong="v is the gradient itself" says="is the tensor `.grad` itself"
class Momentum(torch.optim.Optimizer):
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
                p.sub_(group["lr"] * (state["v"]))
        return loss


# %% wrong="forgets the old v" says="the old v is forgotten"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (v))
        return loss


# %% wrong="velocities in a list of its own" says="keep each v in self.state[parameter]"
class Momentum(torch.optim.Optimizer):
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
                    p -= group["lr"] * (v)
        return loss


# %% wrong="rate and momentum kept from the constructor" says="old rate"
class Momentum(torch.optim.Optimizer):
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
                    p -= self.lr * (v)
        return loss


# %% wrong="the rate from the group, the momentum from the constructor" says="Two groups"
class Momentum(torch.optim.Optimizer):
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
                    p -= group["lr"] * (v)
        return loss


# %% wrong="classic form, rate inside the memory" says="a sum of gradients, not of steps"
class Momentum(torch.optim.Optimizer):
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
                    p.add_(state["v"])
        return loss


# %% wrong="an average" says="is there a factor 1 − μ"
class Momentum(torch.optim.Optimizer):
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
                    state["v"].mul_(mu).add_((1 - mu) * p.grad)
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="damped from the second step on" says="From the second step on the gradient is damped"
class Momentum(torch.optim.Optimizer):
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
                        state["v"] = None
                    state["v"] = p.grad.clone() if state["v"] is None else mu * state["v"] + (1 - mu) * p.grad
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="mu on both" says="μ multiplies the old v only"
class Momentum(torch.optim.Optimizer):
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
                    state["v"].add_(p.grad).mul_(mu)
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="no friction" says="The old v counts in full"
class Momentum(torch.optim.Optimizer):
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
                    state["v"].add_(p.grad)
                    p.sub_(lr * state["v"])
        return loss


# %% wrong="Nesterov" says="which is Nesterov's"
class Momentum(torch.optim.Optimizer):
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
        return loss


# %% wrong="uphill" says="The step goes uphill"
class Momentum(torch.optim.Optimizer):
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
                    p.add_(lr * state["v"])
        return loss


# %% wrong="no test for None" says="raised"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return loss


# %% wrong="new memory through .data" says="given new memory"
class Momentum(torch.optim.Optimizer):
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
                    p.data = p - lr * (state["v"])
        return loss


# %% wrong="a new tensor in a local name" says="has not moved"
class Momentum(torch.optim.Optimizer):
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
                    p = p - lr * (state["v"])
        return loss


# %% wrong="under no_grad, without the closure's gradients" says="raised RuntimeError"
class Momentum(torch.optim.Optimizer):
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
                p -= group["lr"] * (v)
        return loss


# %% wrong="closure ignored" says="should return the closure's loss"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return loss


# %% wrong="closure called after the update" says="call it first"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return closure() if closure is not None else None


# %% wrong="loss not returned" says="should return the closure's loss"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return None


# %% wrong="clears the gradients" says="The gradient was changed"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
                    p.grad.zero_()
        return loss


# %% wrong="stops at the first parameter without a gradient" says="has not moved"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return loss


# %% wrong="skips gradients of zero" says="rolls on"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * (state["v"]))
        return loss


# %% right="the state is the velocity itself"
class Momentum(torch.optim.Optimizer):
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
                    v = mu * self.state[p] + p.grad if p in self.state else p.grad.clone()
                    self.state[p] = v
                    p.sub_(lr * v)
        return loss


# %% right="inference mode for the update"
class Momentum(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.inference_mode():
            for group in self.param_groups:
                lr, mu = group["lr"], group["momentum"]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if 'v' not in state:
                        state['v'] = torch.zeros_like(p)
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * v)
        return loss


# %% wrong="rule on top of first v = g" says="the rule was applied on top"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
        return loss


# %% wrong="rule on top of first v = grad alias" says="1.8 g"
class Momentum(torch.optim.Optimizer):
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
                        state['v'] = p.grad
                    v = state['v'].mul_(mu).add_(p.grad)
                    p.sub_(lr * v)
        return loss


# %% wrong="moves by the old v" says="rather than the old"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
                    state['v'] = mu * v + p.grad
        return loss


# %% wrong="v in single precision" says="the digits of float32"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
        return loss


# %% wrong="the loss as a Python number" says="as it is"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
        return None if loss is None else float(loss)


# %% wrong="velocities in the group" says="not in the group"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
        return loss


# %% wrong="scales v itself by the rate" says="has got into v"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(v.mul_(lr))
        return loss


# %% wrong="autograd left off" says="leaves autograd"
class Momentum(torch.optim.Optimizer):
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
                    p.sub_(lr * v)
        return loss
