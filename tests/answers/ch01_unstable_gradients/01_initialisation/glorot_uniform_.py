# %% right="a double loop and Python's random numbers"
import random


def glorot_uniform_(weight):
    fan_out = len(weight)
    fan_in = len(weight[0])
    average = (fan_in + fan_out) / 2
    r = (3 / average) ** 0.5
    with torch.no_grad():
        for i in range(fan_out):
            for j in range(fan_in):
                weight[i, j] = random.uniform(-r, r)
    return weight


# %% right="nn.init"
def glorot_uniform_(weight: torch.Tensor) -> torch.Tensor:
    return nn.init.xavier_uniform_(weight)


# %% right="fills .data, returns the tensor itself"
def glorot_uniform_(weight):
    variance = 2 / sum(weight.shape)
    weight.data.uniform_(-math.sqrt(3 * variance), math.sqrt(3 * variance))
    return weight


# %% right="stretches and shifts torch.rand, with prints left in"
def glorot_uniform_(weight):
    r = torch.sqrt(torch.tensor(6.0 / (weight.size(0) + weight.size(1))))
    print("bound", r)
    with torch.no_grad():
        weight[:] = torch.rand(weight.shape) * 2 * r - r
    print(weight)
    return weight


# %% right="a distribution object, copied, under a decorator"
@torch.no_grad()
def glorot_uniform_(weight):
    r = math.sqrt(3 / np.mean(weight.shape))
    return weight.copy_(torch.distributions.Uniform(-r, r).sample(weight.shape))


# %% right="NumPy, row by row, with a warning"
import warnings


def glorot_uniform_(weight):
    warnings.warn("about to overwrite a weight")
    f_out, f_in = weight.shape
    r = np.sqrt(3 / ((f_in + f_out) / 2))
    rng = np.random.default_rng()
    for row in weight.detach():
        row.copy_(torch.from_numpy(rng.uniform(-r, r, f_in)))
    return weight


# %% right="the normal draw's own probability is uniform"
def glorot_uniform_(weight):
    r = math.sqrt(6 / sum(weight.shape))
    with torch.inference_mode():
        weight.normal_().div_(math.sqrt(2)).erf_().mul_(r)
    return weight


# %% wrong="σ taken for the bound" says="A uniform draw reaches √3 times further"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(1 / ((fan_in + fan_out) / 2))
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="sum of the fans instead of their average" says="should use their average"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(3 / (fan_in + fan_out))
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="fan-in alone" says="uses f_in alone"
def glorot_uniform_(weight):
    r = math.sqrt(3 / weight.shape[1])
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="fan-out alone" says="uses f_out alone"
def glorot_uniform_(weight):
    r = math.sqrt(3 / weight.shape[0])
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="no root" says="its square root is missing"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = 3 / ((fan_in + fan_out) / 2)
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="average rounded down by integer division" says="average"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    f_avg = (fan_in + fan_out) // 2
    r = math.sqrt(3 / f_avg)
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="a precedence slip: only fan-out is halved" says="mind the brackets"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(3 / (fan_in + fan_out / 2))
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="one-sided" says="both sides of 0"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight.copy_(torch.rand(weight.shape) * r)
    return weight


# %% wrong="one-sided downwards, the 2 forgotten" says="both sides of 0"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight.copy_(torch.rand(weight.shape) * r - r)
    return weight


# %% wrong="shifted, but not stretched to r" says="The largest draw should come close to r"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight.copy_(torch.rand(weight.shape) * 2 - r)
    return weight


# %% wrong="added to what was there" says="both sides of 0"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight += torch.empty_like(weight).uniform_(-r, r)
    return weight


# %% wrong="the normal draw" says="normal"
def glorot_uniform_(weight):
    return nn.init.xavier_normal_(weight)


# %% wrong="with tanh's gain" says="gain"
def glorot_uniform_(weight):
    return nn.init.xavier_uniform_(weight, gain=nn.init.calculate_gain("tanh"))


# %% wrong="He's uniform draw" says="He's"
def glorot_uniform_(weight):
    return nn.init.kaiming_uniform_(weight, nonlinearity="relu")


# %% wrong="no no_grad" says="a leaf Variable that requires grad"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    return weight.uniform_(-r, r)


# %% wrong="a new tensor under the old name" says="fill it in place"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    weight = torch.empty(fan_out, fan_in).uniform_(-r, r)
    return weight


# %% wrong="a new parameter" says="fill it in place"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    return nn.Parameter(torch.rand_like(weight) * 2 * r - r)


# %% wrong="no return" says="Is the `return` missing?"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight.uniform_(-r, r)


# %% wrong="returns a copy" says="Return the tensor that was passed in"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight.uniform_(-r, r)
    return weight.clone()


# %% wrong="returns .data, which is another object" says="Return the tensor that was passed in"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    return weight.data.uniform_(-r, r)


# %% wrong="memory swapped instead of filled" says="in place"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    weight.data = torch.empty_like(weight).uniform_(-r, r).detach()
    return weight


# %% wrong="the last row forgotten" says="still holds its old values"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        for i in range(fan_out - 1):
            weight[i].uniform_(-r, r)
    return weight


# %% wrong="one row for all" says="a draw of its own"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        weight[:] = torch.empty(1, fan_in).uniform_(-r, r)
    return weight


# %% wrong="evenly spaced, not drawn" says="a draw of its own"
def glorot_uniform_(weight):
    r = math.sqrt(6 / sum(weight.shape))
    with torch.no_grad():
        for row in weight:
            row.copy_(torch.linspace(-r, r, len(row)))
    return weight


# %% wrong="the seed fixed inside" says="do not fix the seed"
def glorot_uniform_(weight):
    torch.manual_seed(42)
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="left without gradients" says="trainable"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    weight.requires_grad = False
    return weight.uniform_(-r, r)


# %% wrong="gradients switched on for whatever comes" says="requires_grad"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    weight.requires_grad = False
    weight.uniform_(-r, r)
    weight.requires_grad = True
    return weight


# %% wrong="autograd switched off for good" says="switched off"
def glorot_uniform_(weight):
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    torch.set_grad_enabled(False)
    weight.uniform_(-r, r)
    return weight


# %% wrong="the check's shape written in" says="lie outside ±r"
def glorot_uniform_(weight):
    r = math.sqrt(6 / 800)
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="renamed: the underscore is gone" says="'glorot_uniform_' is not defined"
def glorot_uniform(weight):
    return nn.init.xavier_uniform_(weight)


# %% wrong="left the stub's last line" says="not done yet"
def glorot_uniform_(weight):
    r = math.sqrt(6 / sum(weight.shape))
    with torch.no_grad():
        weight.uniform_(-r, r)
    raise NotImplementedError
    return weight


# %% wrong="a rejection loop that never accepts" says="never returns"
def glorot_uniform_(weight):
    r = math.sqrt(6 / sum(weight.shape))
    with torch.no_grad():
        while weight.abs().max() > r:
            draw = torch.randn_like(weight)
    return weight
