# %% right="the last boosted epoch, compared with last_epoch"
class BoostOnPlateau(LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.settings = [patience, boost, length, threshold]
        self.best = None
        self.count = 0
        self.end = -1
        super().__init__(optimizer, last_epoch=-1)

    def get_lr(self):
        high = self.last_epoch <= self.end
        return [b * self.settings[1] if high else b for b in self.base_lrs]

    def step(self, loss=None):
        patience, _, length, threshold = self.settings
        if loss is not None:
            loss, epoch = float(loss), self.last_epoch + 1
            better = self.best is None or loss < self.best - threshold * self.best
            self.best = loss if better else self.best
            self.count = 0 if better or epoch - 1 <= self.end else self.count + 1
            if self.count > patience:
                self.count, self.end = 0, epoch + length - 1
        super().step()


# %% right="class attributes as defaults"
class BoostOnPlateau(LRScheduler):
    best, bad, left = float("inf"), 0, 0

    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience = patience
        self.factor = boost
        self.length = length
        self.threshold = threshold
        super().__init__(optimizer)

    def get_lr(self):
        if self.left > 0:
            return [self.factor * lr for lr in self.base_lrs]
        return list(self.base_lrs)

    def step(self, loss=None):
        if loss is None:
            return super().step()
        loss = loss.item() if torch.is_tensor(loss) else loss
        if loss < (1 - self.threshold) * self.best:
            self.best = loss
            self.bad = -1
        self.bad += 1
        if self.left > 0:
            self.left -= 1
            self.bad = 0
        elif self.bad >= self.patience + 1:
            self.left = self.length
            self.bad = 0
        super().step()


# %% right="a private method that listens"
class BoostOnPlateau(LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost, self.length, self.threshold = patience, boost, length, threshold
        self.state = {"best": math.inf, "bad": 0, "left": 0}
        LRScheduler.__init__(self, optimizer)

    def get_lr(self):
        return [rate * (self.boost ** (self.state["left"] > 0)) for rate in self.base_lrs]

    def _listen(self, loss):
        s = self.state
        improved = loss < s["best"] * (1.0 - self.threshold)
        if improved:
            s["best"] = loss
        if s["left"]:
            s["left"] -= 1
            s["bad"] = 0
            return
        s["bad"] = 0 if improved else s["bad"] + 1
        if s["bad"] > self.patience:
            s["bad"], s["left"] = 0, self.length

    def step(self, loss=None):
        if loss is not None:
            self._listen(float(loss))
        LRScheduler.step(self)


# %% wrong="one epoch too early" says="One epoch too early"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs >= self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="attributes after super" says="does that work, and does everything exist"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        super().__init__(optimizer)
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="no default for the loss" says="does that work, and does everything exist"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="first call counts as an epoch" says="does that work, and does everything exist"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if True:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="never calls super().step" says="`last_epoch` should be 0"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0


# %% wrong="sets the groups itself" says="last_epoch"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        for group, lr in zip(self.optimizer.param_groups, self.get_lr() if loss is not None else []):
            group["lr"] = lr


# %% wrong="no super().__init__" says="last_epoch"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        self.optimizer = optimizer
        self.base_lrs = [g["lr"] for g in optimizer.param_groups]

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="not a subclass" says="subclass of LRScheduler"
class BoostOnPlateau:
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        self.optimizer, self.base_lrs = optimizer, [g["lr"] for g in optimizer.param_groups]

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        pass


# %% wrong="divides" says="multiplied by `boost`, not divided"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate / factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="piles up" says="The boosts pile up"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted == self.length else 1.0
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="multiplies the present rate" says="the present rate is multiplied once more"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="never ends" says="The boost never ends"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="too short" says="one epoch too short"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length - 1
                self.bad_epochs = 0
        super().step()


# %% wrong="too long" says="one epoch too long"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length + 1
                self.bad_epochs = 0
        super().step()


# %% wrong="counts during the boost" says="Bad epochs of the boost are counted"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="count not reset when the boost begins, nor in it" says="Bad epochs of the boost are counted"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
        super().step()


# %% wrong="no threshold" says="no improvements on 1"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss:
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="compares with the previous loss" says="the rates of a long run"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
                self.best_loss = loss
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="deaf during the boost" says="the rates of a long run"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if not self.boosted and loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="better does not reset" says="the rates of a long run"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss = loss
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="one rate only" says="zip()"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs[:1]]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="returns a number" says="TypeError"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return self.base_lrs[0] * factor

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="keeps the tensor" says="keep its number"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="state out of reach of state_dict" says="Saved and resumed"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def state_dict(self):
        return {"last_epoch": self.last_epoch}

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()


# %% wrong="keeps a lambda" says="only plain numbers"
class BoostOnPlateau(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, patience=5, boost=10.0, length=3, threshold=1e-3):
        self.patience, self.boost = patience, boost
        self.worse = lambda new: new >= self.best_loss
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad_epochs = self.boosted = 0
        super().__init__(optimizer)

    def get_lr(self):
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]

    def step(self, loss=None):
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad_epochs = loss, 0
            else:
                self.bad_epochs += 1
            if self.boosted:
                self.boosted -= 1
                self.bad_epochs = 0
            elif self.bad_epochs > self.patience:
                self.boosted = self.length
                self.bad_epochs = 0
        super().step()
