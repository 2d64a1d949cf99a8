# %% right="F.relu and a power"
def relu_squared(z):
    return F.relu(z) ** 2


# %% right="clamp times itself"
def relu_squared(z: torch.Tensor) -> torch.Tensor:
    y = z.clamp(min=0)
    return y * y


# %% right="a mask, with a print left in"
def relu_squared(z):
    mask = (z > 0).to(z.dtype)
    print(mask.mean())
    return mask * z**2


# %% right="where"
def relu_squared(z):
    return torch.where(z > 0, z * z, 0.0)


# %% right="z times relu, the gate's view"
def relu_squared(z):
    return z * torch.relu(z)


# %% right="in place on a clone"
def relu_squared(z):
    y = z.clone()
    y[y < 0] = 0
    return y.pow(2)


# %% wrong="the square alone" says="Negative z came through: apply ReLU first"
def relu_squared(z):
    return z**2


# %% wrong="relu of the square" says="Negative z came through: apply ReLU first"
def relu_squared(z):
    return torch.relu(z**2)


# %% wrong="square with a sign" says="with its sign"
def relu_squared(z):
    return z * z.abs()


# %% wrong="ReLU" says="That is ReLU"
def relu_squared(z):
    return torch.relu(z)


# %% wrong="twice" says="Twice is not squared"
def relu_squared(z):
    return 2 * torch.relu(z)


# %% wrong="with a half" says="a factor ½ too many"
def relu_squared(z):
    return 0.5 * torch.relu(z) ** 2


# %% wrong="clamped at 1" says="cut off at 1"
def relu_squared(z):
    return z.clamp(0, 1) ** 2


# %% wrong="in-place relu" says="z itself was changed"
def relu_squared(z):
    return z.data.relu_() ** 2


# %% wrong="in place on a leaf" says="leaf"
def relu_squared(z):
    z[z < 0] = 0
    return z**2


# %% wrong="in place where no gradient is needed" says="z itself was changed"
def relu_squared(z):
    if z.requires_grad:
        return torch.relu(z) ** 2
    return torch.relu_(z) ** 2


# %% wrong="no return" says="Is the `return` missing?"
def relu_squared(z):
    y = torch.relu(z) ** 2


# %% wrong="one factor detached" says="one of the two factors is hidden"
def relu_squared(z):
    return torch.relu(z) * torch.relu(z).detach()


# %% wrong="without gradients" says="Autograd cannot follow"
def relu_squared(z):
    with torch.no_grad():
        return torch.relu(z) ** 2


# %% wrong="always float32" says="The dtype must not change"
def relu_squared(z):
    return torch.relu(z.float()) ** 2


# %% right="logarithm and exponential"
def relu_squared(z):
    return torch.exp(2 * torch.log(torch.relu(z)))


# %% wrong="leaky below" says="not max(0, z)²"
def relu_squared(z):
    return F.leaky_relu(z) ** 2


# %% wrong="ReLU6 squared" says="For a vector the values"
def relu_squared(z):
    return F.relu6(z) ** 2


# %% right="a custom autograd Function"
class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        y = z.clamp(min=0)
        ctx.save_for_backward(y)
        return y * y

    @staticmethod
    def backward(ctx, up):
        (y,) = ctx.saved_tensors
        return up * 2 * y


def relu_squared(z):
    return _Square.apply(z)


# %% right="half of z plus |z|"
def relu_squared(z):
    return ((z + z.abs()) / 2) ** 2


# %% wrong="own backward without the incoming gradient" says="incoming gradient"
class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z.clamp(min=0) ** 2

    @staticmethod
    def backward(ctx, up):
        (z,) = ctx.saved_tensors
        return 2 * z.clamp(min=0)


def relu_squared(z):
    return _Square.apply(z)


# %% wrong="float32 inside, cast back" says="to the accuracy of the dtype"
def relu_squared(z):
    return (torch.relu(z.float()) ** 2).to(z.dtype)


# %% wrong="a fresh leaf of the input" says="does not lead back to z"
def relu_squared(z):
    z = torch.tensor(z, requires_grad=True)
    return torch.relu(z) ** 2


# %% wrong="requires_grad_ on the argument" says="z itself was changed"
def relu_squared(z):
    z.requires_grad_()
    return torch.relu(z) ** 2


# %% wrong="ReLU squared in place" says="modified by an inplace"
def relu_squared(z):
    y = torch.relu(z)
    y *= y
    return y
