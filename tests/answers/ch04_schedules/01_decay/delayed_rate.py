# %% right="a def inside"
def delayed_rate(rate, wait):
    def late(step):
        if step < wait:
            return rate(0)
        return rate(step - wait)

    return late


# %% right="the first rate asked for once"
def delayed_rate(rate, wait: int):
    first = rate(0)
    return lambda step: first if step <= wait else rate(step - wait)


# %% right="a class that can be called"
class Delayed:
    def __init__(self, rate, wait):
        self.rate, self.wait = rate, wait

    def __call__(self, step):
        return self.rate(step - self.wait if step > self.wait else 0)


def delayed_rate(rate, wait):
    return Delayed(rate, wait)


# %% right="partial"
def _late(rate, wait, step):
    return rate(max(0, step - wait))


def delayed_rate(rate, wait):
    return partial(_late, rate, wait)


# %% right="remembers what it was asked"
def delayed_rate(rate, wait):
    known = {}

    def late(step):
        since = max(step - wait, 0)
        if since not in known:
            known[since] = rate(since)
        return known[since]

    return late


# %% wrong="jumps after the wait" says="After the wait the rate jumps"
def delayed_rate(rate, wait):
    return lambda step: rate(0) if step < wait else rate(step)


# %% wrong="jumps one step later" says="After the wait the rate jumps"
def delayed_rate(rate, wait):
    return lambda step: rate(0) if step <= wait else rate(step)


# %% wrong="a step too soon" says="Step 3 should have the value of `rate` at 0"
def delayed_rate(rate, wait):
    return lambda step: rate(max(step - wait + 1, 0))


# %% wrong="a step too late" says="one step too long"
def delayed_rate(rate, wait):
    return lambda step: rate(max(step - wait - 1, 0))


# %% wrong="asks for negative steps" says="rate knows no step -3"
def delayed_rate(rate, wait):
    return lambda step: rate(step - wait)


# %% wrong="ahead instead of late" says="That is `rate` ahead of time"
def delayed_rate(rate, wait):
    return lambda step: rate(step + wait)


# %% wrong="ignores wait" says="`wait` makes no difference"
def delayed_rate(rate, wait):
    return rate


# %% wrong="zero while waiting" says="it is not 0"
def delayed_rate(rate, wait):
    return lambda step: 0.0 if step < wait else rate(step - wait)


# %% wrong="returns a rate" says="should return a function"
def delayed_rate(rate, wait):
    return rate(wait)


# %% wrong="no return" says="should return a function"
def delayed_rate(rate, wait):
    def late(step):
        return rate(max(step - wait, 0))


# %% wrong="no return inside" says="is a `return` missing inside"
def delayed_rate(rate, wait):
    def late(step):
        rate(max(step - wait, 0))

    return late


# %% wrong="returns rates" says="should return a function"
def delayed_rate(rate, wait):
    return [rate(max(step - wait, 0)) for step in range(100)]


# %% wrong="wants the rate, too" says="missing 1 required positional argument"
def delayed_rate(rate, wait):
    return lambda step, rate: rate(max(step - wait, 0))


# %% wrong="counts its calls" says="not on the calls before"
def delayed_rate(rate, wait):
    calls = -1

    def late(step):
        nonlocal calls
        calls += 1
        return rate(max(calls - wait, 0))

    return late


# %% wrong="one delay for all" says="several delayed schedules side by side"
def delayed_rate(rate, wait):
    global _rate, _wait
    _rate, _wait = rate, wait
    return lambda step: _rate(max(step - _wait, 0))


# %% wrong="the highest rate while waiting" says="Is it right for rates that rise"
def delayed_rate(rate, wait):
    return lambda step: max(rate(i) for i in range(20)) if step < wait else rate(step - wait)


# %% wrong="a wait of 0 is 1" says="With wait = 0 nothing should change"
def delayed_rate(rate, wait):
    wait = wait or 1
    return lambda step: rate(max(step - wait, 0))
