# %% right="a loop over every number and Python's random.gauss"
import random


def lecun_normal_(weight):
    fan_in = 1
    for size in weight.shape[1:]:
        fan_in = fan_in * size
    sigma = (1 / fan_in) ** 0.5
    with torch.no_grad():
        numbers = weight.view(-1)
        for i in range(len(numbers)):
            numbers[i] = random.gauss(0, sigma)
    return weight


# %% right="nn.init, told that nothing follows"
def lecun_normal_(weight: torch.Tensor) -> torch.Tensor:
    return nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="linear")


# %% right="He's rule for the slope 1"
def lecun_normal_(weight):
    return torch.nn.init.kaiming_normal_(weight, a=1)


# %% right="randn over the root, into .data, with a print"
def lecun_normal_(weight):
    fan_in = weight.numel() / weight.shape[0]
    weight.data[:] = torch.randn(weight.shape) / math.sqrt(fan_in)
    print(weight.std(), "should be", fan_in**-0.5)
    return weight


# %% right="a case for each kind of layer"
def lecun_normal_(weight):
    if weight.dim() == 2:
        fan_in = weight.shape[1]
    elif weight.dim() == 3:
        fan_in = weight.shape[1] * weight.shape[2]
    elif weight.dim() == 4:
        fan_in = weight.shape[1] * weight.shape[2] * weight.shape[3]
    else:
        fan_in = weight.shape[1] * weight.shape[2] * weight.shape[3] * weight.shape[4]
    with torch.no_grad():
        nn.init.normal_(weight, mean=0.0, std=math.sqrt(1 / fan_in))
    return weight


# %% right="one NumPy filter after the other, with a log record"
import logging


def lecun_normal_(weight):
    logging.warning("filling %s", tuple(weight.shape))
    for one in weight.detach():
        one.copy_(torch.as_tensor(np.random.normal(0, np.sqrt(1 / np.prod(one.shape)), one.shape)))
    return weight


# %% right="quantiles of uniform draws"
@torch.no_grad()
def lecun_normal_(weight):
    u = torch.rand(weight.shape, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    return weight.copy_(torch.special.ndtri(u) * weight[0].numel() ** -0.5)


# %% wrong="the variance where σ belongs" says="passed the variance"
def lecun_normal_(weight):
    with torch.no_grad():
        return weight.normal_(0, 1 / weight[0].numel())


# %% wrong="the first dimension for the fan-in" says="PyTorch's shape is (fan_out, fan_in)"
def lecun_normal_(weight):
    fan_in = weight.shape[0]
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))


# %% wrong="fan-out mode" says="PyTorch's shape is (fan_out, fan_in)"
def lecun_normal_(weight):
    return nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="linear")


# %% wrong="He's rule, the default of nn.init" says="That is He's"
def lecun_normal_(weight):
    return nn.init.kaiming_normal_(weight)


# %% wrong="Glorot's rule" says="That is Glorot's average"
def lecun_normal_(weight):
    return nn.init.xavier_normal_(weight)


# %% wrong="input channels only" says="the kernel's positions add up too"
def lecun_normal_(weight):
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / weight.shape[1]))


# %% wrong="the last dimension" says="you used the last dimension only"
def lecun_normal_(weight):
    fan_in = weight.shape[-1]
    with torch.no_grad():
        weight.normal_(0, math.sqrt(1 / fan_in))
    return weight


# %% wrong="the kernel without the channels" says="input channels add up"
def lecun_normal_(weight):
    fan_in = weight.shape[1] if weight.dim() == 2 else weight[0, 0].numel()
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))


# %% wrong="takes every kernel for a square" says="height and width"
def lecun_normal_(weight):
    fan_in = weight.shape[1]
    if weight.dim() > 2:
        fan_in *= weight.shape[-1] ** 2
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))


# %% wrong="knows no other convolution than the 2-d one" says="tuple index out of range"
def lecun_normal_(weight):
    fan_in = weight.shape[1]
    if weight.dim() > 2:
        fan_in = weight.shape[1] * weight.shape[2] * weight.shape[3]
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))


# %% wrong="unpacks two sizes" says="too many values to unpack"
def lecun_normal_(weight):
    fan_out, fan_in = weight.shape
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))


# %% wrong="a uniform draw of the right variance" says="is the draw normal"
def lecun_normal_(weight):
    r = math.sqrt(3 / weight[0].numel())
    with torch.no_grad():
        return weight.uniform_(-r, r)


# %% wrong="truncated at two σ" says="normal, untruncated"
def lecun_normal_(weight):
    sigma = math.sqrt(1 / weight[0].numel()) / 0.87962566
    return nn.init.trunc_normal_(weight, std=sigma, a=-2 * sigma, b=2 * sigma)


# %% wrong="truncated at ±2, which bites for a fan-in of one" says="truncated"
def lecun_normal_(weight):
    return nn.init.trunc_normal_(weight, std=math.sqrt(1 / weight[0].numel()))


# %% wrong="no no_grad" says="a leaf Variable that requires grad"
def lecun_normal_(weight):
    return weight.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="a new tensor" says="fill it in place"
def lecun_normal_(weight):
    weight = torch.randn_like(weight) / math.sqrt(weight[0].numel())
    return weight


# %% wrong="scales what is there" says="a draw of its own"
def lecun_normal_(weight):
    with torch.no_grad():
        weight *= torch.randn(1) / math.sqrt(weight[0].numel())
    return weight


# %% wrong="no return" says="Is the `return` missing?"
def lecun_normal_(weight):
    with torch.no_grad():
        weight.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="returns .data, which is another object" says="Return the tensor that was passed in"
def lecun_normal_(weight):
    return weight.data.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="memory swapped instead of filled" says="in place"
def lecun_normal_(weight):
    weight.data = torch.randn(weight.shape, dtype=weight.dtype) / math.sqrt(weight[0].numel())
    return weight


# %% wrong="the same filter for every output" says="a draw of its own"
def lecun_normal_(weight):
    row = torch.randn(weight.shape[1:]) / math.sqrt(weight[0].numel())
    with torch.no_grad():
        for i in range(len(weight)):
            weight[i] = row
    return weight


# %% wrong="one number for all positions of a kernel" says="a draw of its own"
def lecun_normal_(weight):
    shape = list(weight.shape[:2]) + [1] * (weight.dim() - 2)
    with torch.no_grad():
        weight.copy_(torch.randn(shape) / math.sqrt(weight[0].numel()))
    return weight


# %% wrong="the seed fixed inside" says="do not fix the seed"
def lecun_normal_(weight):
    torch.manual_seed(0)
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="left without gradients" says="trainable"
def lecun_normal_(weight):
    weight.requires_grad_(False)
    return weight.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="gradients switched on for whatever comes" says="requires_grad"
def lecun_normal_(weight):
    weight.requires_grad_(False)
    weight.normal_(0, math.sqrt(1 / weight[0].numel()))
    return weight.requires_grad_(True)


# %% wrong="autograd switched off for good" says="switched off"
def lecun_normal_(weight):
    torch.set_grad_enabled(False)
    return weight.normal_(0, math.sqrt(1 / weight[0].numel()))


# %% wrong="Keras's spelling of the name" says="'lecun_normal_' is not defined"
def lecun_normal(weight):
    return nn.init.kaiming_normal_(weight, nonlinearity="linear")


# %% wrong="left the stub's last line" says="not done yet"
def lecun_normal_(weight):
    with torch.no_grad():
        weight.normal_(0, math.sqrt(1 / weight[0].numel()))
    raise NotImplementedError
