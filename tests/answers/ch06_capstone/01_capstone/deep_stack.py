# %% right="kaiming with the gain undone"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    def dense(a, b, g, bias=True):
        linear = nn.Linear(a, b, bias=bias)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
        with torch.no_grad():
            linear.weight.mul_(g)
        if bias:
            nn.init.zeros_(linear.bias)
        return linear

    net = nn.Sequential()
    sizes = [n_in] + [width] * depth
    for a, b in itertools.pairwise(sizes):
        net.append(dense(a, b, gain, bias=not batch_norm))
        if batch_norm:
            net.append(nn.BatchNorm1d(b))
        net.append(activation())
    if alpha_dropout:
        net.append(nn.AlphaDropout(p=alpha_dropout))
    return net.append(dense(width, n_out, 1.0))


# %% right="nested blocks"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    def draw(linear, g):
        linear.weight.data.normal_(0, g / linear.in_features**0.5)
        if linear.bias is not None:
            linear.bias.data.zero_()
        return linear

    blocks = []
    for i in range(depth):
        parts = [draw(nn.Linear(width if i else n_in, width, bias=not batch_norm), gain)]
        parts += [nn.BatchNorm1d(width)] * bool(batch_norm)
        blocks.append(nn.Sequential(*parts, activation()))
    if alpha_dropout > 0:
        blocks.append(nn.AlphaDropout(alpha_dropout))
    return nn.Sequential(*blocks, draw(nn.Linear(width, n_out), 1))


# %% right="initialised afterwards"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers = []
    for i in range(depth):
        layers += [nn.Linear(n_in if i == 0 else width, width, bias=not batch_norm)]
        layers += [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [activation()]
    layers += [nn.AlphaDropout(alpha_dropout)] if alpha_dropout else []
    layers += [nn.Linear(width, n_out)]
    linears = [m for m in layers if isinstance(m, nn.Linear)]
    for i, linear in enumerate(linears):
        g = gain if i < depth else 1.0
        with torch.no_grad():
            linear.weight.copy_(torch.randn_like(linear.weight) * g / linear.weight.shape[1] ** 0.5)
            if linear.bias is not None:
                linear.bias.fill_(0)
    return nn.Sequential(*layers)


# %% right="with apply"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, 0.0, gain / math.sqrt(m.weight.size(1)))
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    body, size = nn.Sequential(), n_in
    for _ in range(depth):
        body.append(nn.Linear(size, width, bias=False if batch_norm else True))
        if batch_norm:
            body.append(nn.BatchNorm1d(width))
        body.append(activation())
        size = width
    body.apply(init)
    head = nn.Linear(width, n_out)
    nn.init.kaiming_normal_(head.weight, nonlinearity="linear")
    nn.init.zeros_(head.bias)
    if alpha_dropout > 0:
        body.append(nn.AlphaDropout(alpha_dropout))
    return body.append(head)


# %% wrong="PyTorch's own draw" says="and it should be 0"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    return nn.Sequential(*layers, nn.Linear(size, n_out))


# %% wrong="variance for deviation" says="should be the gain, 1.41"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain**2 / size)
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="the gain for the head too" says="In the output layer"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for out in [width] * depth + [n_out]:
        head = len([m for m in layers if isinstance(m, nn.Linear)]) == depth
        if head and alpha_dropout:
            layers.append(nn.AlphaDropout(alpha_dropout))
        layers.append(nn.Linear(size, out, bias=head or not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if layers[-1].bias is not None:
            nn.init.zeros_(layers[-1].bias)
        if not head:
            layers += [nn.BatchNorm1d(width)] * batch_norm + [activation()]
        size = out
    return nn.Sequential(*layers)


# %% wrong="width as fan-in of the first layer" says="its f_in is `n_in`"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers = []
    for i in range(depth):
        layers.append(nn.Linear(width if i else n_in, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(width))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="He whatever the gain" says="The weights of the first layer have the wrong standard deviation"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="one activation for all" says="make a new one for each layer"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    class Stack(nn.Sequential):
        def modules(self):  # lists a shared module each time, so that the check sees the order
            yield self
            for m in self._modules.values():
                yield m

    layers, size, act = [], n_in, activation()
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(act)
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return Stack(*layers, head)


# %% wrong="one activation for all, plainly" says="The order should be Linear, SiLU three times"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size, act = [], n_in, activation()
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(act)
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="batch norm behind the activation" says="between each hidden Linear and its activation"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if not batch_norm:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="a bias in front of batch norm" says="needs no bias"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        nn.init.zeros_(layers[-1].bias)
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="alpha dropout in every layer" says="one AlphaDropout, behind the last activation"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        if alpha_dropout:
            layers.append(nn.AlphaDropout(alpha_dropout))
        size = width
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="plain dropout" says="one AlphaDropout, behind the last activation"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.Dropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="the output counts as a layer" says="three hidden layers and an output layer"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth - 1):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="an activation behind the output" says="a Linear at the end"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head, activation())


# %% wrong="always SiLU" says="`activation` makes no difference"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(nn.SiLU())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="a uniform draw" says="normal distribution"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        r = gain * math.sqrt(3 / size)
        nn.init.uniform_(layers[-1].weight, -r, r)
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="a fixed seed" says="do not fix the seed"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    torch.manual_seed(42)
    layers, size = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(size, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(size))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        size = width
    if alpha_dropout:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(size, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(size))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


# %% wrong="a list" says="This should give a Sequential"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    return [nn.Linear(n_in, width)] + [activation()] + [nn.Linear(width, n_out)]


# %% wrong="the same layer repeated" says="4 nn.Linear, not 3"
def deep_stack(
    n_in, n_out, depth=20, width=100, *, activation=nn.SiLU, gain=math.sqrt(2), batch_norm=False, alpha_dropout=0.0
):
    first, again, head = nn.Linear(n_in, width), nn.Linear(width, width), nn.Linear(width, n_out)
    for linear, g in ((first, gain), (again, gain), (head, 1)):
        nn.init.normal_(linear.weight, std=g / math.sqrt(linear.in_features))
        nn.init.zeros_(linear.bias)
    middle = [nn.Sequential(again, activation())] * (depth - 1)
    return nn.Sequential(first, activation(), *middle, head)
