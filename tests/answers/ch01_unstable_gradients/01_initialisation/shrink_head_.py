# %% right="a loop that remembers the last one"
def shrink_head_(model, factor=10.0):
    last = None
    for module in model.modules():
        if isinstance(module, nn.Linear):
            last = module
    if last is None:
        raise ValueError("no linear layer")
    with torch.no_grad():
        for i in range(last.weight.shape[0]):
            for j in range(last.weight.shape[1]):
                last.weight[i, j] = last.weight[i, j] / factor
        if last.bias is not None:
            for i in range(len(last.bias)):
                last.bias[i] = last.bias[i] / factor
    return model


# %% right="backwards through the modules, .data"
def shrink_head_(model: nn.Module, factor: float = 10.0) -> nn.Module:
    for module in reversed(list(model.modules())):
        if isinstance(module, nn.Linear):
            module.weight.data /= factor
            if module.bias is not None:
                module.bias.data /= factor
            return model
    raise ValueError("This model has no nn.Linear.")


# %% right="a deque of one, multiplied, with prints"
from collections import deque


@torch.no_grad()
def shrink_head_(model, factor=10.0):
    head = deque((m for m in model.modules() if type(m) is nn.Linear), maxlen=1)
    try:
        head = head.pop()
    except IndexError:
        raise ValueError("nothing to shrink")
    print("shrinking", head)
    torch._foreach_mul_(list(head.parameters()), 1 / factor)
    return model


# %% right="through the state dict"
def shrink_head_(model, factor=10.0):
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if len(names) == 0:
        raise ValueError(f"{type(model).__name__} has no nn.Linear")
    prefix = names[-1] + "." if names[-1] else ""
    state = model.state_dict()
    for key in (prefix + "weight", prefix + "bias"):
        if key in state:
            state[key] = state[key] / factor
    model.load_state_dict(state)
    return model


# %% right="recursion by hand, new .data, with a warning"
import warnings


def last_linear(module):
    if isinstance(module, nn.Linear):
        return module
    found = None
    for child in module.children():
        found = last_linear(child) or found
    return found


def shrink_head_(model, factor=10.0):
    warnings.warn("the head is about to shrink")
    head = last_linear(model)
    if not head:
        raise ValueError
    head.weight.data = head.weight.data / factor
    if head.bias is not None:
        head.bias.data = head.bias.data / factor
    return model


# %% right="a step of gradient descent towards zero"
def shrink_head_(model, factor=10.0):
    *_, head = [None] + [m for m in model.modules() if isinstance(m, nn.Linear)]
    if head is None:
        raise ValueError("The model has no nn.Linear to shrink.")
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.sub_(parameter, alpha=1 - 1 / factor)
    return model


# %% right="an error of its own kind of ValueError"
class NothingToShrink(ValueError):
    pass


def shrink_head_(model, factor=10.0):
    try:
        head = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
    except IndexError as error:
        raise NothingToShrink("the model has no nn.Linear") from error
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.div_(factor)
    return model


# %% wrong="the last module" says="no attribute 'weight'"
def shrink_head_(model, factor=10.0):
    head = list(model.modules())[-1]
    if not hasattr(head, "weight") and len(list(model.parameters())) == 0:
        raise ValueError("no linear layer")
    with torch.no_grad():
        head.weight /= factor
        if head.bias is not None:
            head.bias /= factor
    return model


# %% wrong="the model's last entry" says="no attribute 'weight'"
def shrink_head_(model, factor=10.0):
    with torch.no_grad():
        model[-1].weight.div_(factor)
        model[-1].bias.div_(factor)
    return model


# %% wrong="children only" says="first layer changed"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.children() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="the model itself is not looked at" says="should raise a ValueError"
def shrink_head_(model, factor=10.0):
    head = None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            head = module
    with torch.no_grad():
        if head is not None:
            for parameter in head.parameters():
                parameter /= factor
    return model


# %% wrong="misses a model that is one linear layer" says="raised ValueError"
def shrink_head_(model, factor=10.0):
    def inside(module):
        for child in module.children():
            yield child
            yield from inside(child)

    linears = [m for m in inside(model) if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="the first linear layer" says="first layer changed"
def shrink_head_(model, factor=10.0):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter /= factor
            return model
    raise ValueError("no nn.Linear")


# %% wrong="every linear layer" says="first layer changed"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for linear in linears:
            for parameter in linear.parameters():
                parameter /= factor
    return model


# %% wrong="the last two parameters, whatever they are" says="other than the last nn.Linear changed"
def shrink_head_(model, factor=10.0):
    if not any(isinstance(m, nn.Linear) for m in model.modules()):
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in list(model.parameters())[-2:]:
            parameter /= factor
    return model


# %% wrong="the last in alphabetical order" says="last nn.Linear"
def shrink_head_(model, factor=10.0):
    linears = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[max(linears)].parameters():
            parameter /= factor
    return model


# %% wrong="the last module that has a weight" says="last nn.Linear"
def shrink_head_(model, factor=10.0):
    found = [m for m in model.modules() if hasattr(m, "weight")]
    if not any(isinstance(m, nn.Linear) for m in found):
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in found[-1].parameters():
            parameter /= factor
    return model


# %% wrong="the last module that has a matrix" says="last nn.Linear"
def shrink_head_(model, factor=10.0):
    found = [m for m in model.modules() if hasattr(m, "weight") and m.weight.dim() == 2]
    if not found:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in found[-1].parameters():
            parameter /= factor
    return model


# %% wrong="weight only" says="bias should be a tenth"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        linears[-1].weight /= factor
    return model


# %% wrong="bias set to zero" says="bias should be a tenth"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        linears[-1].weight /= factor
        if linears[-1].bias is not None:
            linears[-1].bias.zero_()
    return model


# %% wrong="crash without bias" says="NoneType"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        linears[-1].weight /= factor
        linears[-1].bias /= factor
    return model


# %% wrong="asks a tensor whether it is true" says="ambiguous"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        linears[-1].weight /= factor
        if linears[-1].bias:
            linears[-1].bias /= factor
    return model


# %% wrong="new parameters" says="does not know"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    head = linears[-1]
    head.weight = nn.Parameter(head.weight / factor)
    if head.bias is not None:
        head.bias = nn.Parameter(head.bias / factor)
    return model


# %% wrong="a new parameter for the bias only" says="in place"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    head = linears[-1]
    head.weight.data.div_(factor)
    if head.bias is not None:
        head.bias = nn.Parameter(head.bias / factor)
    return model


# %% wrong="a copy is shrunk" says="Return the model that was passed in"
import copy


def shrink_head_(model, factor=10.0):
    model = copy.deepcopy(model)
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="a name bound anew, nothing changed" says="has not changed"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    for parameter in linears[-1].parameters():
        parameter = parameter / factor
    return model


# %% wrong="no no_grad" says="leaf Variable that requires grad"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    for parameter in linears[-1].parameters():
        parameter /= factor
    return model


# %% wrong="a tensor assigned to a parameter" says="cannot assign 'torch.FloatTensor' as parameter 'weight'"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    linears[-1].weight = linears[-1].weight / factor
    return model


# %% wrong="frozen and forgotten" says="requires_grad"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    for parameter in linears[-1].parameters():
        parameter.requires_grad_(False).div_(factor)
    return model


# %% wrong="thaws what was frozen" says="requires_grad"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    for parameter in linears[-1].parameters():
        parameter.requires_grad_(False).div_(factor).requires_grad_(True)
    return model


# %% wrong="autograd switched off for good" says="switched off"
def shrink_head_(model, factor=10.0):
    torch.set_grad_enabled(False)
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    for parameter in linears[-1].parameters():
        parameter /= factor
    return model


# %% wrong="always ten" says="`factor` is ignored"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= 10
    return model


# %% wrong="multiplies" says="was multiplied"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter *= factor
    return model


# %% wrong="divides twice" says="should be a tenth"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    head = linears[-1]
    with torch.no_grad():
        for parameter in head.parameters():
            head.weight /= factor
            if head.bias is not None:
                head.bias /= factor
    return model


# %% wrong="renamed the argument" says="unexpected keyword argument 'factor'"
def shrink_head_(model, scale=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= scale
    return model


# %% wrong="the default lost" says="missing 1 required positional argument: 'factor'"
def shrink_head_(model, factor):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="an index error instead of the ValueError" says="ValueError"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="the ValueError returned, not raised" says="should raise a ValueError"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        return ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="a name that is never bound instead of the ValueError" says="ValueError"
def shrink_head_(model, factor=10.0):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            head = module
    with torch.no_grad():
        for parameter in head.parameters():
            parameter /= factor
    return model


# %% wrong="an assertion instead of the ValueError" says="ValueError"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert linears, "no nn.Linear"
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="no return" says="Return the model that was passed in"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor


# %% wrong="returns the head" says="Return the model that was passed in"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return linears[-1]


# %% wrong="renamed the function" says="'shrink_head_' is not defined"
def shrink_head(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model


# %% wrong="left the stub's last line" says="not done yet"
def shrink_head_(model, factor=10.0):
    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("no nn.Linear")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    raise NotImplementedError
