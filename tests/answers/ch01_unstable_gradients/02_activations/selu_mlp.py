# %% right="normal_ by hand, appended one by one"
def selu_mlp(sizes):
    model = nn.Sequential()
    last = len(sizes) - 2
    for i in range(len(sizes) - 1):
        layer = nn.Linear(sizes[i], sizes[i + 1])
        with torch.no_grad():
            layer.weight.normal_(0.0, 1 / math.sqrt(sizes[i]))
            layer.bias.fill_(0.0)
        model.append(layer)
        if i < last:
            model.append(nn.SELU())
    return model


# %% right="apply afterwards"
def selu_mlp(sizes):
    def lecun(module):
        if isinstance(module, nn.Linear):
            fan_in = module.weight.shape[1]
            module.weight.data = torch.randn_like(module.weight) / fan_in**0.5
            module.bias.data.zero_()

    stack = [nn.Linear(sizes[0], sizes[1])]
    for a, b in zip(sizes[1:-1], sizes[2:], strict=True):
        stack.extend((nn.SELU(), nn.Linear(a, b)))
    return nn.Sequential(*stack).apply(lecun)


# %% right="new parameters, an ordered dict"
from collections import OrderedDict


def selu_mlp(sizes):
    names = OrderedDict()
    for k in range(1, len(sizes)):
        layer = nn.Linear(sizes[k - 1], sizes[k])
        layer.weight = nn.Parameter(torch.randn(sizes[k], sizes[k - 1]) * sizes[k - 1] ** -0.5)
        layer.bias = nn.Parameter(torch.zeros(sizes[k]))
        names[f"dense{k}"] = layer
        if k + 1 < len(sizes):
            names[f"selu{k}"] = nn.SELU(inplace=False)
    return nn.Sequential(names)


# %% right="one by one, the rest as a slice of itself"
def selu_mlp(sizes):
    layer = nn.Linear(sizes[0], sizes[1])
    nn.init.normal_(layer.weight, std=sizes[0] ** -0.5)
    nn.init.constant_(layer.bias, 0)
    if len(sizes) == 2:
        return nn.Sequential(layer)
    return nn.Sequential(layer, nn.SELU(), *selu_mlp(sizes[1:]))


# %% wrong="SELU behind the last layer" says="output should stay linear"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers)


# %% wrong="PyTorch's default draw" says="PyTorch's default draw"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="He's draw" says="That is He's draw"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="kaiming_normal_ with its default" says="That is He's draw"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="PyTorch's gain for SELU" says="A gain of 3/4"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="selu")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="Glorot" says="Glorot's average"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="fan-out" says="drawn by fan-out"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="linear")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="variance for standard deviation" says="where a standard deviation belongs"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, 1 / a)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="uniform" says="no tails beyond 3σ"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="truncated" says="not normal"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        s = a**-0.5 / 0.8796
        nn.init.trunc_normal_(layer.weight, 0, s, -2 * s, 2 * s)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="the last layer forgotten" says="200 to 10 units"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes[:-1]):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    out = nn.Linear(sizes[-2], sizes[-1])
    nn.init.zeros_(out.bias)
    return nn.Sequential(*layers, out)


# %% wrong="biases as they come" says="The biases should be 0"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="no biases" says="The biases should be there"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b, bias=False)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="ELU" says="it is Linear, ELU"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="a list" says="This should give a Sequential"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return layers[:-1]


# %% wrong="the seed fixed" says="do not fix the seed"
def selu_mlp(sizes):
    torch.manual_seed(0)
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="frozen" says="trainable leaves"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b).requires_grad_(False)
        layer.weight.normal_(0, a**-0.5)
        layer.bias.zero_()
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="empties the list" says="leave it as it is"
def selu_mlp(sizes):
    sizes = sizes if isinstance(sizes, list) else list(sizes)
    layers = []
    while len(sizes) > 1:
        a = sizes.pop(0)
        layer = nn.Linear(a, sizes[0])
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="two sizes are not foreseen" says="sizes should give"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes[:-1]):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    if len(sizes) > 2:
        out = nn.Linear(*sizes[-2:])
        nn.init.normal_(out.weight, 0, sizes[-2] ** -0.5)
        nn.init.zeros_(out.bias)
        layers.append(out)
    return nn.Sequential(*layers)


# %% wrong="no return" says="Is the `return` missing?"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    model = nn.Sequential(*layers[:-1])


# %% right="one SELU instance for all"
def selu_mlp(sizes):
    selu = nn.SELU()
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layer = nn.Linear(a, b)
        layer.weight.data = torch.distributions.Normal(0.0, a**-0.5).sample((b, a))
        layer.bias.data *= 0
        layers += [layer, selu]
    layers.pop()
    return nn.Sequential(*layers)


# %% right="lists only"
def selu_mlp(sizes):
    rest = sizes.copy()
    model = nn.Sequential()
    a = rest.pop(0)
    while rest:
        b = rest.pop(0)
        layer = nn.Linear(a, b)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(b, a) / math.sqrt(a))
            layer.bias.fill_(0)
        model.add_module(f"lin{len(model)}", layer)
        if rest:
            model.add_module(f"act{len(model)}", nn.SELU(inplace=True))
        a = b
    return model


# %% wrong="orthogonal" says="rows or columns have the same length"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="equal shapes share a layer" says="Two layers have the same weights"
def selu_mlp(sizes):
    made = {}
    layers = []
    for a, b in pairwise(sizes):
        if (a, b) not in made:
            layer = nn.Linear(a, b)
            nn.init.normal_(layer.weight, 0, a**-0.5)
            nn.init.zeros_(layer.bias)
            made[a, b] = layer
        layers += [made[a, b], nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="a list kept between calls" says="but they give"
def selu_mlp(sizes, layers=[]):
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="the biases frozen" says="trainable leaves"
def selu_mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layer = nn.Linear(a, b)
        nn.init.normal_(layer.weight, 0, a**-0.5)
        layer.bias = nn.Parameter(torch.zeros(b), requires_grad=False)
        layers += [layer, nn.SELU()]
    return nn.Sequential(*layers[:-1])
