# %% right="by hand, phase by phase"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        k, t = 0.45 * self.total_steps - 1, min(self.last_epoch, self.total_steps - 1)
        if t <= k:
            s = t / k
            share, m = 0.1 + 0.9 * s, self.high + (self.low - self.high) * s
        elif t <= 2 * k:
            s = (t - k) / k
            share, m = 1 - 0.9 * s, self.low + (self.high - self.low) * s
        else:
            s = (t - 2 * k) / (self.total_steps - 1 - 2 * k)
            share, m = 0.1 - 0.099 * s, self.high
        for g in self.optimizer.param_groups:
            if "betas" in g:
                g["betas"] = (m, g["betas"][1])
            elif "momentum" in g:
                g["momentum"] = m
        return [b * share for b in self.base_lrs]


# %% right="momentum in step, rates in get_lr"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def at(self, values):
        k = 0.45 * self.total_steps - 1
        return np.interp(self.last_epoch, [0, k, 2 * k, self.total_steps - 1], values).item()

    def step(self, epoch=None):
        super().step()
        m = self.at([self.high, self.low, self.high, self.high])
        for g in self.optimizer.param_groups:
            if g.get("momentum") is not None:
                g["momentum"] = m
            if "betas" in g:
                g["betas"] = (m, *g["betas"][1:])

    def get_lr(self):
        return [self.at([b / 10, b, b / 10, b / 1000]) for b in self.base_lrs]


# %% right="the tables drawn up in advance"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        k = 0.45 * total_steps - 1
        knots = [0, k, 2 * k, total_steps - 1]
        t = range(total_steps)
        self.shares = np.interp(t, knots, [0.1, 1.0, 0.1, 0.001]).tolist()
        self.momenta = np.interp(t, knots, [high, low, high, high]).tolist()
        super().__init__(optimizer)

    def get_lr(self):
        t = min(self.last_epoch, len(self.shares) - 1)
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = self.momenta[t]
            elif "betas" in group:
                group["betas"] = (self.momenta[t], group["betas"][1])
        return [self.shares[t] * lr for lr in self.base_lrs]


# %% right="initial_lr of the groups"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps: int, low: float = 0.85, high: float = 0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = self.total_steps * 0.45 - 1
        height = max(0.0, 1 - abs(self.last_epoch - turn) / turn)
        tail = (self.total_steps - 1 - self.last_epoch) / (self.total_steps - 1 - 2 * turn)
        share = 0.1 + 0.9 * height if self.last_epoch <= 2 * turn else 0.001 + 0.099 * max(0.0, tail)
        momentum = self.high - (self.high - self.low) * height
        rates = []
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = momentum
            elif "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            rates.append(group["initial_lr"] * share)
        return rates


# %% wrong="the share alone" says="That is the share"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share for peak in self.base_lrs]


# %% wrong="chains from the group's rate" says="share of the rate before"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * group["lr"] for group in self.optimizer.param_groups]


# %% wrong="peak one step late" says="0.45 T = 9"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="second phase longer than the first" says="as long as the first"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 0.9 * self.total_steps, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="no third phase" says="third phase"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.1]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="ends at a hundredth of the peak" says="third phase"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.01]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="starts at a 25th" says="not a 25th"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.04, 1, 0.04, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="rates only" says="momentum is not set"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                pass
            elif "betas" in group:
                pass
        return [share * peak for peak in self.base_lrs]


# %% wrong="momentum the wrong way round" says="wrong way"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.low, self.high, self.low, self.low]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="momentum of the first group only" says="Every group"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups[:1]:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="one peak for all" says="a peak of its own"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * self.base_lrs[0] for _ in self.base_lrs]


# %% wrong="momentum falls in the last phase" says="Momentum at steps"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.low]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="betas in momentum's place" says="Adam's β₁ is not moved"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            else:
                group["momentum"] = m
        return [share * peak for peak in self.base_lrs]


# %% wrong="a KeyError with Adam" says="KeyError"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            group["momentum"] = group["momentum"] * 0 + m
        return [share * peak for peak in self.base_lrs]


# %% wrong="both betas" says="what it was"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, m)
        return [share * peak for peak in self.base_lrs]


# %% wrong="betas as a list" says="tuple"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = [m, group["betas"][1]]
        return [share * peak for peak in self.base_lrs]


# %% wrong="goes on falling" says="stay where it is"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001])) * 0.9 ** max(
            0, self.last_epoch - self.total_steps + 1
        )
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="an error after the end" says="raised"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        if self.last_epoch >= self.total_steps:
            raise ValueError("too many steps")
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="rounds k" says="is highest at step 8"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = round(0.45 * self.total_steps) - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="cuts k off" says="is highest at step 8"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = int(0.45 * self.total_steps) - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="rounds k up" says="is highest at step 9"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = math.ceil(0.45 * self.total_steps - 1)
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="rounds the turn, not the end of the fall" says="(not rounded)"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = round(0.45 * self.total_steps) - 1
        knots = [0, turn, 0.9 * self.total_steps - 2, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="a bare number" says="a list with one rate for each group"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return share * self.base_lrs[0]


# %% wrong="forgets to return" says="is the `return` missing"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        [share * peak for peak in self.base_lrs]


# %% wrong="momentum invented for Adagrad" says="leave such groups alone"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
            else:
                group["momentum"] = m
        return [share * peak for peak in self.base_lrs]


# %% wrong="counts its own calls in a class variable" says="A second schedule goes on"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    calls = -1

    def get_lr(self):
        OneCycle.calls += 1
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(OneCycle.calls, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(OneCycle.calls, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="defaults instead of groups" says="a peak of its own"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * self.optimizer.defaults["lr"] for _ in self.base_lrs]


# %% wrong="numbers fixed" says="are arguments"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [0.95, 0.85, 0.95, 0.95]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="cosine" says="should have 0.275"
class OneCycle(LRScheduler):
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        s = float(np.interp(self.last_epoch, knots[:3], [0, 1, 2]))
        share = 0.1 + 0.9 * (1 - math.cos(math.pi * s * 1.1)) / 2
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]


# %% wrong="a plain class" says="subclass of LRScheduler"
class OneCycle:
    def __init__(self, optimizer, total_steps, low=0.85, high=0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        self.optimizer, self.last_epoch = optimizer, 0
        self.base_lrs = [g["lr"] for g in optimizer.param_groups]

    def get_lr(self):
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        m = float(np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high]))
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = m
            elif "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]

    def step(self):
        self.last_epoch += 1
        for g, lr in zip(self.optimizer.param_groups, self.get_lr()):
            g["lr"] = lr
