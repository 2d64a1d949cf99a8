# %% right="two ifs, everything written out"
def init_he(module):
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.constant_(module.bias, 0)
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.constant_(module.bias, 0)


# %% right="number by number, as before nn.init"
import random


def init_he(module):
    if type(module) == nn.Linear or type(module) == nn.Conv2d:
        fan_in = 1
        for size in module.weight.shape[1:]:
            fan_in = fan_in * size
        with torch.no_grad():
            numbers = module.weight.view(-1)
            for i in range(len(numbers)):
                numbers[i] = random.gauss(0, (2 / fan_in) ** 0.5)
            if module.bias is not None:
                for i in range(len(module.bias)):
                    module.bias[i] = 0


# %% right="the default of kaiming_normal_ is He's rule; returns the module"
def init_he(module: nn.Module):
    match module:
        case nn.Linear() | nn.Conv2d():
            nn.init.kaiming_normal_(module.weight)
            if isinstance(module.bias, torch.Tensor):
                module.bias.data.zero_()
    return module


# %% right=".data by hand, with prints"
def init_he(module):
    print("visiting", type(module).__name__)
    if not isinstance(module, nn.Linear | nn.Conv2d):
        return
    fan_in = module.weight[0].numel()
    module.weight.data = torch.randn(module.weight.shape) * np.sqrt(2 / fan_in)
    if getattr(module, "bias", None) is not None:
        module.bias.data = torch.zeros_like(module.bias)


# %% right="by the parameters' names, with a warning"
import warnings


@torch.no_grad()
def init_he(module):
    if not isinstance(module, (nn.Conv2d, nn.Linear)):
        warnings.warn(f"{type(module).__name__} is left alone")
        return
    for name, parameter in module.named_parameters(recurse=False):
        if name == "weight":
            parameter.normal_(0, 1).mul_(math.sqrt(2 / parameter[0].numel()))
        else:
            parameter *= 0


# %% right="a layer without bias raises, and is forgiven"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.normal_(module.weight, std=math.sqrt(2 / module.weight[0].numel()))
        try:
            module.bias.data.fill_(0)
        except AttributeError:
            pass


# %% right="the deprecated names without underscore, which warn"
def init_he(m):
    if isinstance(m, nn.Linear) or isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal(m.weight, nonlinearity="relu")
        if m.bias is not None:
            nn.init.constant(m.bias, 0.0)


# %% wrong="crash without bias" says="NoneType"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


# %% wrong="asks a tensor whether it is true" says="ambiguous"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias:
            nn.init.zeros_(module.bias)


# %% wrong="an `or` between the classes" says="convolution still has"
def init_he(module):
    if isinstance(module, nn.Linear or nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="an `and` between the classes" says="linear weight still has"
def init_he(module):
    if isinstance(module, nn.Linear) and isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


# %% wrong="biases forgotten" says="bias of the linear layer should be zero"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


# %% wrong="zero bias for linear layers only" says="A Conv2d's bias is not zero"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


# %% wrong="small positive biases against dead units" says="bias of the linear layer should be zero"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.constant_(module.bias, 0.01)


# %% wrong="throws the biases away" says="lost its bias"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        module.bias = None


# %% wrong="everything that has a weight" says="fewer than 2 dimensions"
def init_he(module):
    if hasattr(module, "weight"):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="everything that has a matrix" says="Embedding was touched"
def init_he(module):
    weight = getattr(module, "weight", None)
    if weight is not None and weight.dim() > 1:
        nn.init.kaiming_normal_(weight, nonlinearity="relu")
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


# %% wrong="zero bias for normalisation layers too" says="BatchNorm2d was touched"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)


# %% wrong="batch norm reset on the way" says="batch norm's weight was touched"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)


# %% wrong="every class with Conv in its name" says="was touched"
def init_he(module):
    name = module.__class__.__name__
    if name.find("Conv") != -1 or name.find("Linear") != -1:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="LeCun's rule" says="LeCun's variance"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="fan-out mode" says="drawn by fan-out"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="fan-out mode for convolutions, as in torchvision's ResNet" says="drawn by fan-out"
def init_he(module):
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


# %% wrong="the slope √5 copied from PyTorch" says="variance of PyTorch's default"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, a=math.sqrt(5))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="uniform" says="is not normal"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="Glorot's rule" says="standard deviation is not √(2/f_in)"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="input channels for the fan-in" says="kernel's positions"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.normal_(module.weight, 0, math.sqrt(2 / module.weight.shape[1]))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="counts the channels of all groups" says="sees only its own group's channels"
def init_he(module):
    if isinstance(module, nn.Linear):
        fan_in = module.in_features
    elif isinstance(module, nn.Conv2d):
        fan_in = module.in_channels * math.prod(module.kernel_size)
    else:
        return
    nn.init.normal_(module.weight, 0, math.sqrt(2 / fan_in))
    if module.bias is not None:
        nn.init.zeros_(module.bias)


# %% wrong="the variance for σ" says="variance 2/f_in was passed"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.normal_(module.weight, 0, 2 / module.weight[0].numel())
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="new parameters" says="in place"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        sigma = math.sqrt(2 / module.weight[0].numel())
        module.weight = nn.Parameter(torch.randn_like(module.weight) * sigma)
        if module.bias is not None:
            module.bias = nn.Parameter(torch.zeros_like(module.bias))


# %% wrong="a tensor assigned to a parameter" says="cannot assign 'torch.FloatTensor' as parameter 'weight'"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        module.weight = torch.randn(module.weight.shape) * math.sqrt(2 / module.weight[0].numel())


# %% wrong="no no_grad" says="leaf Variable that requires grad"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        module.weight.normal_(0, math.sqrt(2 / module.weight[0].numel()))
        if module.bias is not None:
            module.bias.zero_()


# %% wrong="frozen on the way" says="Change the parameters in place"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        for parameter in module.parameters():
            parameter.requires_grad = False
        module.weight.normal_(0, math.sqrt(2 / module.weight[0].numel()))
        if module.bias is not None:
            module.bias.zero_()


# %% wrong="the seed fixed, so equal layers start equal" says="do not fix the seed"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        torch.manual_seed(0)
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="one filter for all outputs" says="a draw of its own"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        one = torch.randn_like(module.weight[0]) * math.sqrt(2 / module.weight[0].numel())
        module.weight.data[:] = one
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="autograd switched off for good" says="switched off"
def init_he(module):
    torch.set_grad_enabled(False)
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        module.weight.normal_(0, math.sqrt(2 / module.weight[0].numel()))
        if module.bias is not None:
            module.bias.zero_()


# %% wrong="looks into the children, so a bare layer is missed" says="linear weight still has"
def init_he(module):
    for layer in module.children():
        if isinstance(layer, nn.Sequential):
            init_he(layer)
    if isinstance(module, nn.Sequential):
        for layer in module.children():
            if layer is nn.Linear or layer is nn.Conv2d:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


# %% wrong="takes the whole model, children one level deep" says="variance of PyTorch's default"
def init_he(model):
    if not isinstance(model, nn.Sequential):
        return
    for layer in model:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


# %% wrong="renamed the function" says="'init_he' is not defined"
def init_weights(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


# %% wrong="a typo in a name" says="name 'modul' is not defined"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(modul.bias)


# %% wrong="a name bound in one branch only" says="your code raised UnboundLocalError"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        weight, bias = module.weight, module.bias
    nn.init.kaiming_normal_(weight, nonlinearity="relu")
    if bias is not None:
        nn.init.zeros_(bias)


# %% wrong="leaves with exit() when there is nothing to do" says="SystemExit"
def init_he(module):
    if not isinstance(module, (nn.Linear, nn.Conv2d)):
        raise SystemExit
    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)


# %% wrong="left the stub's last line" says="not done yet"
def init_he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    raise NotImplementedError
