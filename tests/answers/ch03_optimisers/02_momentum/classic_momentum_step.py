# %% right="torch's functions"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    step = torch.sub(torch.mul(m, beta), gradient, alpha=lr)
    return torch.add(theta, step), step


# %% right="in place on copies"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    theta, m = theta.clone(), m.clone()
    m.mul_(beta).add_(gradient, alpha=-lr)
    theta += m
    return theta, m


# %% right="through PyTorch's velocity"
def classic_momentum_step(
    theta: torch.Tensor, m: torch.Tensor, gradient: torch.Tensor, lr: float, beta: float = 0.9
):
    new = -(lr * gradient - beta * m)
    return (theta - (-new), new)


# %% right="a list"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    new_m = m * beta - gradient * lr
    return [theta + new_m, new_m]


# %% wrong="in place" says="changes its arguments"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m *= beta
    m -= lr * gradient
    return theta + m, m


# %% wrong="theta in place" says="changes its arguments"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    theta += m
    return theta, m


# %% wrong="PyTorch's form" says="That is PyTorch's form"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m + gradient
    return theta - lr * m, m


# %% wrong="sign" says="The sign of the gradient"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m + lr * gradient
    return theta - m, m


# %% wrong="an average" says="damped by 1 − β"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - (1 - beta) * lr * gradient
    return theta + m, m


# %% wrong="beta on both" says="β multiplies the old m only"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * (m - lr * gradient)
    return theta + m, m


# %% wrong="the old m moves" says="θ moved by the old m"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    return theta + m, beta * m - lr * gradient


# %% wrong="subtracts m" says="add it to θ"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return theta - m, m


# %% wrong="rate twice" says="The rate is in m already"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return theta + lr * m, m


# %% wrong="rate twice and sign" says="and so is the sign"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return theta - lr * m, m


# %% wrong="Nesterov" says="That is Nesterov's form"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return theta + beta * m - lr * gradient, m


# %% wrong="swapped" says="return (θ, m), in this order"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return m, theta + m


# %% wrong="returns theta only" says="This should give a tuple"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    return theta + beta * m - lr * gradient


# %% wrong="rate of zero left out" says="With a rate of 0"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    if lr == 0:
        return theta.clone(), m.clone()
    m = beta * m - lr * gradient
    return theta + m, m


# %% right="namedtuple"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    from collections import namedtuple
    m = beta * m - lr * gradient
    return namedtuple('Step', 'theta m')(theta + m, m)


# %% right="unbind of a stack"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - lr * gradient
    return torch.stack([theta + m, m]).unbind()


# %% wrong="rate outside, minus inside" says="rate is missing in m"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - gradient
    return theta + lr * m, m


# %% wrong="rate on both" says="η multiplies the gradient only"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = lr * (beta * m - gradient)
    return theta + m, m


# %% wrong="beta fixed" says="do not fix it"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = 0.9 * m - lr * gradient
    return theta + m, m


# %% wrong="rate fixed" says="those of the call"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = beta * m - 0.1 * gradient
    return theta + m, m


# %% wrong="theta by the gradient alone" says="without memory"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    return theta - lr * gradient, beta * m - lr * gradient


# %% wrong="no friction" says="counts in full"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    m = m - lr * gradient
    return theta + m, m


# %% wrong="float64 scalars promote" says="dtype should stay"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    lr, beta = (torch.tensor(x, dtype=torch.float64) for x in (lr, beta))
    m = beta * m - lr * gradient
    return theta + m, m


# %% wrong="returns the old m" says="old m: return the new"
def classic_momentum_step(theta, m, gradient, lr, beta=0.9):
    return theta + beta * m - lr * gradient, m
