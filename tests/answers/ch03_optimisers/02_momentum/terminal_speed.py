# %% right="the limit apart"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    full = lr / (1 - momentum) * gradient
    if math.isinf(steps):
        return full
    return full - momentum**steps * full


# %% right="with expm1 in the exponent"
def terminal_speed(lr: float, momentum: float, gradient: torch.Tensor, steps: float = math.inf):
    if momentum == 0:
        return lr * gradient
    return gradient * (-lr * math.expm1(steps * math.log(momentum)) / (1 - momentum))


# %% right="through a tensor"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    mu = torch.tensor(momentum, dtype=torch.float64)
    weight = lr * (1 - mu**steps) / (1 - mu)
    return weight.to(gradient.dtype) * gradient


# %% right="where the loop is short, a sum"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    if steps == math.inf:
        return gradient.mul(lr).div(1 - momentum)
    return gradient * lr * sum(momentum**k for k in range(int(steps)))


# %% wrong="without momentum" says="That is ηg"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient + 0 * steps if steps != math.inf else lr * gradient


# %% wrong="multiplies by 1 - mu" says="You multiply by 1 − μ"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient * (1 - momentum) * (1 - momentum**steps)


# %% wrong="ignores steps" says="`steps` makes no difference"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient / (1 - momentum)


# %% wrong="one step too many" says="That is step 3"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient * (1 - momentum ** (steps + 1)) / (1 - momentum)


# %% wrong="one step too few" says="That is the first step"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient * (1 - momentum ** (steps - 1)) / (1 - momentum)


# %% wrong="newest gradient missing" says="The newest gradient is missing"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient * momentum * (1 - momentum**steps) / (1 - momentum)


# %% wrong="rate missing" says="The learning rate is missing"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return gradient * (1 - momentum**steps) / (1 - momentum)


# %% wrong="the way instead of the step" says="That is the whole way"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    if steps == math.inf:
        return lr * gradient / (1 - momentum)
    return sum(lr * gradient * (1 - momentum**t) / (1 - momentum) for t in range(1, steps + 1))


# %% wrong="downhill" says="Return ηv, which is subtracted"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return -lr * gradient * (1 - momentum**steps) / (1 - momentum)


# %% wrong="in place" says="changes `gradient`"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return gradient.mul_(lr * (1 - momentum**steps) / (1 - momentum)).clone()


# %% wrong="the length as one number" says="The shape should be"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return (lr * gradient * (1 - momentum**steps) / (1 - momentum)).norm()


# %% wrong="forgets to return" says="Is the `return` missing"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    speed = lr * gradient * (1 - momentum**steps) / (1 - momentum)


# %% wrong="always float32" says="dtype of the gradient"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return (lr * gradient * (1 - momentum**steps) / (1 - momentum)).float()


# %% right="torch.tensor float32"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    mu = torch.tensor(momentum)
    return gradient * (lr * (1 - mu**steps) / (1 - mu))


# %% wrong="a thousand steps for infinity" says="very close to 1"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    steps = min(steps, 1000)
    return lr * gradient * (1 - momentum**steps) / (1 - momentum)


# %% wrong="simulates, and stops when it hardly moves" says="very close to 1"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    v, n = 0.0, 0
    while n < steps and n < 20_000:
        v = momentum * v + 1
        n += 1
    return lr * v * gradient


# %% wrong="float64 weights promote a single number" says="dtype of the gradient"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    mu = torch.tensor(momentum, dtype=torch.float64)
    return lr * (1 - mu**steps) / (1 - mu) * gradient


# %% wrong="asks for the very object math.inf" says="steps=float('inf')"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    if steps is math.inf:
        return lr * gradient / (1 - momentum)
    return lr * gradient * sum(momentum**k for k in range(steps))


# %% wrong="log of 0" says="no momentum"
def terminal_speed(lr, momentum, gradient, steps=math.inf):
    return lr * gradient * -math.expm1(steps * math.log(momentum)) / (1 - momentum)
