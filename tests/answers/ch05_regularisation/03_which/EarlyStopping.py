# %% right="counts the looks in vain"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = float("inf")
        self.best_look = 0
        self.best_state = None
        self.look = 0
        self.in_vain = 0

    def update(self, loss, state):
        self.look += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss = loss
            self.best_look = self.look
            self.best_state = copy.deepcopy(state)
            self.in_vain = 0
        else:
            self.in_vain += 1
        return self.in_vain >= self.patience


# %% right="keeps the history"
class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0):
        self.patience, self.min_delta, self.history = patience, min_delta, []
        self.best_loss, self.best_look, self.best_state = math.inf, 0, None

    def update(self, loss: float, state: dict) -> bool:
        self.history.append(loss)
        if self.best_loss - loss > self.min_delta:
            self.best_loss, self.best_look = loss, len(self.history)
            self.best_state = {k: v.detach().clone() for k, v in state.items()}
            return False
        return len(self.history) >= self.best_look + self.patience


# %% right="counts patience down"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience = self.left = patience
        self.min_delta = min_delta
        self.best_loss, self.best_look, self.best_state, self.n = math.inf, 0, None, 0

    def update(self, loss, state):
        self.n += 1
        if math.isnan(loss) or loss >= self.best_loss - self.min_delta:
            self.left -= 1
            return self.left <= 0
        self.left = self.patience
        self.best_loss, self.best_look = float(loss), self.n
        self.best_state = {name: torch.clone(value) for name, value in state.items()}
        return False


# %% right="as a dataclass"
from dataclasses import dataclass


@dataclass
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    best_loss: float = math.inf
    best_look: int = 0
    best_state: dict | None = None
    seen: int = 0

    def update(self, loss, state):
        self.seen = self.seen + 1
        better = loss + self.min_delta < self.best_loss
        if better:
            self.best_loss, self.best_look, self.best_state = loss, self.seen, copy.deepcopy(state)
        return bool(self.seen - self.best_look >= self.patience)


# %% wrong="keeps the state itself" says="share the memory of the weights"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look, self.best_state = loss, self.looks, state
        return self.looks - self.best_look >= self.patience


# %% wrong="copies the dict only" says="share the memory of the weights"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look, self.best_state = loss, self.looks, state.copy()
        return self.looks - self.best_look >= self.patience


# %% wrong="detach is no copy" says="share the memory of the weights"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = {k: v.detach() for k, v in state.items()}
        return self.looks - self.best_look >= self.patience


# %% wrong="compares with the loss before" says="the last two looks are both worse than the best"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state = math.inf, 0, None
        self.last, self.bad, self.looks = math.inf, 0, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        self.bad = 0 if loss < self.last - self.min_delta else self.bad + 1
        self.last = loss
        return self.bad >= self.patience


# %% wrong="an equal loss is an improvement" says="only equals the best is no improvement"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss <= self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="never counts anew" says="Start to count anew"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks, self.bad = math.inf, 0, None, 0, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="more than patience" says="stop when `patience` is reached"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look > self.patience


# %% wrong="stops at the first worse look" says="should not stop the training yet"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
            return False
        return True


# %% wrong="keeps the last weights" says="holds the last weights"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        self.best_state = copy.deepcopy(state)
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
        return self.looks - self.best_look >= self.patience


# %% wrong="looks for the largest" says="After losses of 1.0 and 0.8"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if self.best_state is None or loss > self.best_loss + self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="returns nothing until it stops" says="Is a `return` missing"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        elif self.looks - self.best_look >= self.patience:
            return True


# %% wrong="counts from 0" says="looks count from 1"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, -1

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="ignores min_delta" says="With `min_delta=0.1`"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience = patience
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="the wrong sign of min_delta" says="With `min_delta=0.1`"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss + self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look > max(self.patience - 1, 0)


# %% wrong="the best loss follows every gain" says="With `min_delta=0.1`"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_look, self.best_state = self.looks, copy.deepcopy(state)
        self.best_loss = min(self.best_loss, loss)
        return self.looks - self.best_look >= self.patience


# %% wrong="a relative min_delta" says="min_delta is measured from the best"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss * (1 - self.min_delta):
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="nan counts as better" says="nan is no improvement"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss >= self.best_loss - self.min_delta:
            return self.looks - self.best_look >= self.patience
        self.best_loss, self.best_look = loss, self.looks
        self.best_state = copy.deepcopy(state)
        return False


# %% wrong="remembers in the class" says="Two stoppers at once disturb each other"
class EarlyStopping:
    memory = {}

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.memory.clear()
        self.memory.update(loss=math.inf, look=0, state=None, looks=0)

    best_loss = property(lambda self: self.memory["loss"])
    best_look = property(lambda self: self.memory["look"])
    best_state = property(lambda self: self.memory["state"])

    def update(self, loss, state):
        self.memory["looks"] += 1
        if loss < self.best_loss - self.min_delta:
            self.memory.update(loss=loss, look=self.memory["looks"], state=copy.deepcopy(state))
        return self.memory["looks"] - self.best_look >= self.patience


# %% wrong="rounds the counters to floats" says="in its own dtype"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = {k: v.clone().float() for k, v in state.items()}
        return self.looks - self.best_look >= self.patience


# %% wrong="another name for min_delta" says="unexpected keyword argument 'min_delta'"
class EarlyStopping:
    def __init__(self, patience, delta=0.0):
        self.patience, self.min_delta = patience, delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% wrong="forgets a nan before the first improvement" says="nan is no improvement"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        if math.isnan(loss):
            return False
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks - self.best_look >= self.patience


# %% right="numpy's truth values"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = np.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if np.less(loss, np.subtract(self.best_loss, self.min_delta)):
            self.best_loss, self.best_look = np.float64(loss), self.looks
            self.best_state = copy.deepcopy(dict(state))
        return np.greater_equal(self.looks - self.best_look, self.patience)


# %% wrong="patience from the first look on" says="While the loss falls"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = copy.deepcopy(state)
        return self.looks >= self.patience


# %% wrong="numpy copies instead of tensors" says="gives a ndarray"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state, self.looks = math.inf, 0, None, 0

    def update(self, loss, state):
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = {k: v.numpy().copy() for k, v in state.items()}
        return self.looks - self.best_look >= self.patience
