# %% right="two lists"
def autoencoder(sizes):
    down, up = [], []
    for k in range(len(sizes) - 1):
        down += [nn.Linear(sizes[k], sizes[k + 1]), nn.ReLU()]
    for k in range(len(sizes) - 1, 0, -1):
        up.append(nn.Linear(sizes[k], sizes[k - 1]))
        if k > 1:
            up.append(nn.ReLU())
    return nn.Sequential(nn.Sequential(*down), nn.Sequential(*up))


# %% right="one list, cut in two"
def autoencoder(sizes: list[int]) -> nn.Sequential:
    way = list(sizes) + list(reversed(sizes))[1:]
    layers = [f for a, b in zip(way, way[1:]) for f in (nn.Linear(a, b), nn.ReLU())][:-1]
    middle = 2 * (len(sizes) - 1)
    return nn.Sequential(nn.Sequential(*layers[:middle]), nn.Sequential(*layers[middle:]))


# %% right="a helper for both halves"
def autoencoder(sizes):
    def half(widths):
        net = nn.Sequential()
        for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):
            net.append(nn.Linear(n_in, n_out))
            net.append(nn.ReLU())
        return net

    encoder, decoder = half(tuple(sizes)), half(tuple(sizes)[::-1])
    del decoder[len(decoder) - 1]
    return nn.Sequential(encoder, decoder)


# %% right="built from the middle outwards"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder = [*encoder, nn.Linear(n_in, n_out), nn.ReLU()]
        decoder = [nn.Linear(n_out, n_in), *([nn.ReLU()] if decoder else []), *decoder]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder))


# %% right="with names for the halves"
def autoencoder(sizes):
    from collections import OrderedDict

    n = len(sizes) - 1
    down = [m for k in range(n) for m in (nn.Linear(sizes[k], sizes[k + 1]), nn.ReLU())]
    up = [m for k in range(n, 0, -1) for m in (nn.Linear(sizes[k], sizes[k - 1]), nn.ReLU())]
    up.pop()
    halves = {"encoder": nn.Sequential(*down), "decoder": nn.Sequential(*up)}
    return nn.Sequential(OrderedDict(halves))


# %% wrong="a ReLU at the end" says="the last one bare"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder))


# %% wrong="a sigmoid at the end" says="the last one bare"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    decoder[-1] = nn.Sigmoid()
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder))


# %% wrong="no ReLU at the code" says="the encoder should be Linear, ReLU, Linear, ReLU"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*encoder[:-1]), nn.Sequential(*decoder[:-1]))


# %% wrong="one flat net" says="two parts"
def autoencoder(sizes):
    way = [*sizes, *sizes[::-1][1:]]
    layers = [f for a, b in itertools.pairwise(way) for f in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


# %% wrong="turns the caller's list round" says="changes the list"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    sizes.reverse()
    for n_in, n_out in itertools.pairwise(sizes):
        decoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


# %% wrong="eats the caller's list" says="changes the list"
def autoencoder(sizes):
    encoder, decoder = [], []
    while len(sizes) > 1:
        n_in = sizes.pop(0)
        encoder += [nn.Linear(n_in, sizes[0]), nn.ReLU()]
        decoder = [nn.Linear(sizes[0], n_in), nn.ReLU(), *decoder]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


# %% wrong="decoder not mirrored" says="The linear layers should be 6→5"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
        decoder += [nn.Linear(n_out, n_in), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


# %% wrong="decoder in one leap" says="the decoder should be Linear, ReLU, Linear"
def autoencoder(sizes):
    encoder = []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    decoder = nn.Sequential(nn.Linear(sizes[-1], sizes[0]))
    return nn.Sequential(nn.Sequential(*encoder), decoder)


# %% wrong="tied weights" says="The linear layers should be 6→5"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for layer in reversed(encoder[::2]):
        back = nn.Linear(layer.out_features, layer.in_features)
        back.weight = layer.weight
        decoder += [back, nn.ReLU()]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


# %% wrong="no activations at all" says="the encoder should be Linear, ReLU"
def autoencoder(sizes):
    encoder = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    decoder = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes[::-1])]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder))


# %% wrong="returns the halves as a pair" says="Sequential"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*encoder), nn.Sequential(*decoder[:-1])


# %% wrong="the module's own list is not unpacked" says="list"
def autoencoder(sizes):
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    return nn.Sequential(layers)


# %% wrong="always three sizes" says="ReLU behind each linear layer"
def autoencoder(sizes):
    a, b, c = sizes[0], sizes[1], sizes[-1]
    encoder = nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Linear(b, c), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(c, b), nn.ReLU(), nn.Linear(b, a))
    return nn.Sequential(encoder, decoder)


# %% wrong="layers of equal size are made once" says="weights of its own"
def autoencoder(sizes):
    made = {}

    def layer(a, b):
        return made.setdefault((a, b), nn.Linear(a, b))

    encoder = [f for a, b in itertools.pairwise(sizes) for f in (layer(a, b), nn.ReLU())]
    decoder = [f for a, b in itertools.pairwise(sizes[::-1]) for f in (layer(a, b), nn.ReLU())]
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


# %% wrong="no bias" says="should have a bias"
def autoencoder(sizes):
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out, bias=False), nn.ReLU()])
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder.extend([nn.Linear(n_in, n_out, bias=False), nn.ReLU()])
    return nn.Sequential(encoder, decoder[:-1])


# %% wrong="sets a seed" says="set no seed"
def autoencoder(sizes):
    torch.manual_seed(0)
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    return nn.Sequential(encoder, decoder[:-1])


# %% wrong="forgets to return" says="Is the `return` missing"
def autoencoder(sizes):
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
        decoder.extend([nn.Linear(n_out, n_in), nn.ReLU()])


# %% wrong="He's initialisation" says="initialised as nn.Linear"
def autoencoder(sizes):
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for layer in [*encoder, *decoder]:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(encoder, decoder[:-1])


# %% wrong="biases at zero" says="The biases are not initialised"
def autoencoder(sizes):
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for layer in [*encoder, *decoder]:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return nn.Sequential(encoder, decoder[:-1])


# %% wrong="the activation before the layer" says="the encoder should be Linear, ReLU, Linear, ReLU"
def autoencoder(sizes):
    encoder, decoder = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        encoder += [nn.Linear(n_in, n_out), nn.ReLU()]
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder += [nn.ReLU(), nn.Linear(n_in, n_out)]
    return nn.Sequential(nn.Sequential(*encoder[:-1]), nn.Sequential(*decoder))
