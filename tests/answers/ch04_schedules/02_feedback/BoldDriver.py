# %% right="early returns"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def scale(self, factor):
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] * factor

    def step(self, loss):
        loss = loss.item() if hasattr(loss, "item") else loss
        if math.isnan(loss) or math.isinf(loss):
            return self.scale(self.down)
        before, self.before = self.before, loss
        if before is None or before == loss:
            return None
        self.scale(self.up if loss < before else self.down)


# %% right="the sign of the change"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        value = torch.as_tensor(loss, dtype=torch.float64).item()
        finite = bool(np.isfinite(value))
        change = np.sign(value - self.before) if finite and self.before is not None else 0.0
        if not finite:
            change = 1.0
        power = {-1.0: self.up, 0.0: 1.0, 1.0: self.down}[float(change)]
        for i, _ in enumerate(self.optimizer.param_groups):
            self.optimizer.param_groups[i]["lr"] = power * self.optimizer.param_groups[i]["lr"]
        if finite:
            self.before = value


# %% right="nan as infinity, and a last finite loss"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.groups = optimizer.param_groups
        self.up, self.down = up, down
        self.last = None

    def step(self, loss):
        loss = float(loss)
        bad = loss != loss or abs(loss) == math.inf
        if bad or (self.last is not None and loss > self.last):
            for g in self.groups:
                g["lr"] *= self.down
        elif self.last is not None and loss < self.last:
            for g in self.groups:
                g["lr"] *= self.up
        if not bad:
            self.last = loss


# %% wrong="compares with the best" says="not the best one"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss if self.before is None else min(self.before, loss)
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="remembers falls only" says="not the best one"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
                self.before = loss
            elif self.before is not None and loss > self.before:
                factor = self.down
            elif self.before is None:
                self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="upside down" says="the other way round"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.down
            elif self.before is not None and loss > self.before:
                factor = self.up
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="adds" says="multiplied, by 1.05"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = None
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] + 0.05 if factor is None else group["lr"] * factor


# %% wrong="first call counts as lower" says="first call has nothing"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is None or loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="equal counts as higher" says="counts as higher with you"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss >= self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="equal counts as lower" says="counts as lower with you"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss <= self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="fixed factors" says="`up` and `down` make no difference"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = 0.5
        else:
            if self.before is not None and loss < self.before:
                factor = 1.05
            elif self.before is not None and loss > self.before:
                factor = 0.5
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="the first group only" says="With two groups"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups[:1]:
            group["lr"] *= factor


# %% wrong="nan not asked for" says="nan is neither lower nor higher"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if self.before is not None:
            if loss < self.before:
                factor = self.up
            elif loss > self.before:
                factor = self.down
        self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="nan ignored altogether" says="nan should count as higher"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            return
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="nan remembered" says="nan should not be remembered"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
            self.before = None
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="nan only, not inf" says="A first loss of inf should brake"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if math.isnan(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="truth instead of None" says="ask `is None`"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before and loss < self.before:
                factor = self.up
            elif self.before and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="keeps the tensor" says="keep its number"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="rate not put back" says="put it back into"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            lr = group["lr"]
            lr *= factor


# %% wrong="always from the first rate" says="rate as it is now"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] = group.setdefault("first", group["lr"]) * factor


# %% wrong="inf is remembered" says="inf should not be remembered"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
            if math.isinf(loss):
                self.before = loss
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="minus infinity passes" says="−inf too"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if math.isnan(loss) or loss == math.inf:
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor


# %% wrong="returns the rate" says="should return None"
class BoldDriver:
    def __init__(self, optimizer, up=1.05, down=0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss):
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor

        return self.optimizer.param_groups[0]["lr"]
