# %% right="floor"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** math.floor(epoch / every)


# %% right="divmod"
def step_rate(epoch: int, initial: float, factor: float, every: int) -> float:
    changes, _ = divmod(epoch, every)
    return initial * math.pow(factor, changes)


# %% right="a loop with the remainder"
def step_rate(epoch, initial, factor, every):
    rate = initial
    for n in range(1, epoch + 1):
        if n % every == 0:
            rate *= factor
    return rate


# %% right="counts the changes"
def step_rate(epoch, initial, factor, every):
    changes = len(range(every, epoch + 1, every))
    return initial * factor**changes


# %% right="int of a quotient"
def step_rate(epoch, initial, factor, every):
    return float(initial * np.power(float(factor), int(epoch / every)))


# %% wrong="true division" says="The rate falls at every epoch"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** (epoch / every)


# %% wrong="an epoch too soon" says="comes an epoch too early"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** ((epoch + 1) // every)


# %% wrong="an epoch too late" says="The changes come too late"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** (max(epoch - 1, 0) // every)


# %% wrong="counts epochs from one" says="take nothing away before you divide"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** ((epoch - 1) // every)


# %% wrong="only at multiples" says="Only the epochs that `every` divides"
def step_rate(epoch, initial, factor, every):
    return initial * factor if epoch % every == 0 else initial


# %% wrong="only at multiples above 0" says="Only the epochs that `every` divides"
def step_rate(epoch, initial, factor, every):
    return initial * factor if epoch and epoch % every == 0 else initial


# %% wrong="changes once" says="The rate changes only once"
def step_rate(epoch, initial, factor, every):
    return initial if epoch < every else initial * factor


# %% wrong="multiplies by the number of changes" says="The factors multiply"
def step_rate(epoch, initial, factor, every):
    changes = epoch // every
    return initial * factor * changes if changes else initial


# %% wrong="the remainder" says="gives what is left over"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** (epoch % every)


# %% wrong="ignores every" says="`every` makes no difference"
def step_rate(epoch, initial, factor, every):
    return initial * factor**epoch


# %% wrong="rounds up" says="0.8 times 0.25 every 4 epochs"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** math.ceil(epoch / every)


# %% wrong="rounds to the nearest" says="comes an epoch too early"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** round(epoch / every)


# %% wrong="subtracts" says="0.8 times 0.25 every 4 epochs"
def step_rate(epoch, initial, factor, every):
    return initial - initial * factor * (epoch // every)


# %% wrong="divides by the factor" says="0.8 times 0.25 every 4 epochs"
def step_rate(epoch, initial, factor, every):
    return initial / factor ** (epoch // every)


# %% wrong="three changes at most" says="rate differs from StepLR's"
def step_rate(epoch, initial, factor, every):
    return initial * factor ** min(epoch // every, 3)


# %% wrong="never above the initial rate" says="rate differs from StepLR's"
def step_rate(epoch, initial, factor, every):
    return min(initial, initial * factor ** (epoch // every))


# %% wrong="prints" says="Is the `return` missing"
def step_rate(epoch, initial, factor, every):
    print(initial * factor ** (epoch // every))


# %% wrong="multiplies by 1 - factor" says="That is 1 − factor each time"
def step_rate(epoch, initial, factor, every):
    return initial * (1 - factor) ** (epoch // every)


# %% right="calls itself"
def step_rate(epoch, initial, factor, every):
    return initial if epoch < every else factor * step_rate(epoch - every, initial, factor, every)
