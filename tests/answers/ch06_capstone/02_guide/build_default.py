# %% right="block by block"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    norm = None
    if deep:
        norm = nn.BatchNorm1d if spec.batch_size >= SMALL_BATCH else nn.LayerNorm

    def linear(n_in, n_out, bias=True, factor=1.0):
        layer = nn.Linear(n_in, n_out, bias=bias)
        nn.init.normal_(layer.weight, std=factor * math.sqrt(2 / n_in))
        if bias:
            layer.bias.data.zero_()
        return layer

    layers = []
    for n_in, n_out in zip((spec.inputs, *spec.hidden), spec.hidden):
        layers.append(linear(n_in, n_out, bias=norm is not nn.BatchNorm1d))
        if norm:
            layers.append(norm(n_out))
        layers.append(nn.SiLU() if deep else nn.ReLU())
        if spec.dropout > 0:
            layers.append(nn.Dropout(spec.dropout))
    return nn.Sequential(*layers, linear(spec.hidden[-1], spec.outputs, factor=0.1))


# %% right="with apply"
def build_default(spec):
    def he(module):
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    deep, large = len(spec.hidden) > 5, spec.batch_size > 15
    sizes = [spec.inputs, *spec.hidden]
    net = nn.Sequential()
    for a, b in itertools.pairwise(sizes):
        net.append(nn.Linear(a, b, bias=not (deep and large)))
        if deep and large:
            net.append(nn.BatchNorm1d(b))
        elif deep:
            net.append(nn.LayerNorm(b))
        net.append(nn.SiLU() if deep else nn.ReLU())
        if spec.dropout:
            net.append(nn.Dropout(p=spec.dropout))
    net.append(nn.Linear(sizes[-1], spec.outputs))
    net.apply(he)
    net[-1].weight.data /= 10
    return net


# %% right="three cases, three functions"
def build_default(spec):
    def drop():
        return [nn.Dropout(spec.dropout)] if spec.dropout else []

    def shallow(a, b):
        return [nn.Linear(a, b), nn.ReLU(), *drop()]

    def batched(a, b):
        return [nn.Linear(a, b, bias=False), nn.BatchNorm1d(b), nn.SiLU(), *drop()]

    def layered(a, b):
        return [nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU(), *drop()]

    block = shallow
    if len(spec.hidden) >= 6:
        block = batched if spec.batch_size >= 16 else layered
    sizes = [spec.inputs] + list(spec.hidden)
    layers = sum((block(a, b) for a, b in zip(sizes, sizes[1:])), [])
    layers += [nn.Linear(sizes[-1], spec.outputs)]
    with torch.no_grad():
        for layer in layers:
            if type(layer) is nn.Linear:
                layer.weight.normal_(0, (2 / layer.in_features) ** 0.5)
                if layer.bias is not None:
                    layer.bias.fill_(0)
        layers[-1].weight.mul_(0.1)
    return nn.Sequential(*layers)


# %% wrong="deep from five hidden layers on" says="the layers should be"
def build_default(spec):
    deep = len(spec.hidden) >= 5
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="counts the head as a layer" says="the layers should be"
def build_default(spec):
    deep = len(spec.hidden) + 1 >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="batch norm only above 16" says="the layers should be"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size > 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="always a norm" says="should give Linear, ReLU"
def build_default(spec):
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, spec.outputs))


# %% wrong="activation behind the head" says="should give Linear, ReLU"
def build_default(spec):
    sizes = [spec.inputs, *spec.hidden, spec.outputs]
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers)


# %% wrong="PyTorch's own draw" says="bias that starts at 0"
def build_default(spec):
    sizes = [spec.inputs, *spec.hidden, spec.outputs]
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong="the variance for the deviation" says="wants its square root"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=2 / layer.in_features)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="forgets the head" says="a tenth of He's"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


# %% wrong="divides the head, then draws it anew" says="a tenth of He's"
def build_default(spec):
    sizes = [spec.inputs, *spec.hidden, spec.outputs]
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    net[-1].weight.data /= 10
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


# %% wrong="one norm for all places" says="a layer stands in two places"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    act = nn.SiLU() if deep else nn.ReLU()
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [act]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="norm behind the activation" says="six times Linear, BatchNorm1d, SiLU, Dropout"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="a bias in front of batch norm" says="needs no bias"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="no bias in front of layer norm either" says="In front of layer norm the bias stays"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not deep)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="forgets dropout" says="six times Linear, BatchNorm1d, SiLU, Dropout"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="all layers as wide as the first" says="sizes of the linear layers"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    width, n = spec.hidden[0], len(spec.hidden)
    layers = []
    for i in range(n):
        layers += [nn.Linear(width if i else spec.inputs, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
    layers += [nn.Linear(spec.hidden[-1] if n == 2 else width, spec.outputs)]
    if n == 2:
        layers[2] = nn.Linear(spec.hidden[0], spec.hidden[1])
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="He, uniform" says="normally distributed"
def build_default(spec):
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="a seed inside" says="do not set a seed"
def build_default(spec):
    torch.manual_seed(42)
    deep = len(spec.hidden) >= DEEP
    batch_norm = deep and spec.batch_size >= 16
    layers, size = [], spec.inputs
    for width in spec.hidden:
        layers += [nn.Linear(size, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width) if batch_norm else nn.LayerNorm(width)] if deep else []
        layers += [nn.SiLU() if deep else nn.ReLU()]
        layers += [nn.Dropout(spec.dropout)] if spec.dropout else []
        size = width
    layers += [nn.Linear(size, spec.outputs)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    layers[-1].weight.data /= 10
    return nn.Sequential(*layers)


# %% wrong="returns a list" says="This should give a Sequential"
def build_default(spec):
    sizes = [spec.inputs, *spec.hidden, spec.outputs]
    return [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
