# %% right="root of the numerator over the root of the rest"
def he_std(fan_in: int, negative_slope: float = 0.0) -> float:
    return 2**0.5 / ((1 + negative_slope**2) * fan_in) ** 0.5


# %% right="PyTorch's own gain"
def he_std(fan_in, negative_slope=0.0):
    return nn.init.calculate_gain("leaky_relu", negative_slope) / math.sqrt(fan_in)


# %% right="a tensor of no dimensions"
def he_std(fan_in, negative_slope=0.0):
    return torch.sqrt(torch.tensor(2.0) / (fan_in * (1 + negative_slope * negative_slope)))


# %% right="NumPy, with a print left in"
def he_std(fan_in, negative_slope=0.0):
    sigma = np.sqrt(2 / fan_in / (1 + np.square(negative_slope)))
    print("sigma is", sigma)
    return sigma


# %% wrong="the variance" says="square root"
def he_std(fan_in, negative_slope=0.0):
    return 2 / ((1 + negative_slope**2) * fan_in)


# %% wrong="ignores the slope" says="The slope makes no difference"
def he_std(fan_in, negative_slope=0.0):
    return math.sqrt(2 / fan_in)


# %% wrong="LeCun's rule" says="LeCun"
def he_std(fan_in, negative_slope=0.0):
    return math.sqrt(1 / ((1 + negative_slope**2) * fan_in))


# %% wrong="slope not squared" says="1 + α², not 1 + α"
def he_std(fan_in, negative_slope=0.0):
    return math.sqrt(2 / ((1 + negative_slope) * fan_in))


# %% wrong="factor outside the root" says="belongs under the root"
def he_std(fan_in, negative_slope=0.0):
    return math.sqrt(2 / fan_in) / (1 + negative_slope**2)


# %% wrong="no return" says="Is the `return` missing?"
def he_std(fan_in, negative_slope=0.0):
    sigma = math.sqrt(2 / ((1 + negative_slope**2) * fan_in))


# %% wrong="renamed the argument" says="unexpected keyword argument 'negative_slope'"
def he_std(fan_in, alpha=0.0):
    return math.sqrt(2 / ((1 + alpha**2) * fan_in))


# %% wrong="renamed the function" says="'he_std' is not defined"
def he_sigma(fan_in, negative_slope=0.0):
    return math.sqrt(2 / ((1 + negative_slope**2) * fan_in))


# %% wrong="left the stub's last line" says="not done yet"
def he_std(fan_in, negative_slope=0.0):
    sigma = math.sqrt(2 / ((1 + negative_slope**2) * fan_in))
    raise NotImplementedError
    return sigma
