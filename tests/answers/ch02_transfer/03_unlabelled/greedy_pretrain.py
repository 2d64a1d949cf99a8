# %% right="a list of layers"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    layers, inputs = [], x
    for w in widths:
        m = inputs.size(1)
        linear = nn.Linear(m, w, dtype=x.dtype, device=x.device)
        back = nn.Linear(w, m, dtype=x.dtype, device=x.device)
        model = nn.Sequential(nn.Sequential(linear, activation()), back)
        train(model, inputs)
        layers += list(model[0])
        inputs = model[0](inputs).detach()
    return nn.Sequential(*layers)


# %% right="the codes from the beginning each time"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder = nn.Sequential()
    n_in = x.shape[1]
    for width in widths:
        with torch.no_grad():
            codes = encoder(x)
        stage = nn.Sequential(
            nn.Sequential(nn.Linear(n_in, width), activation()), nn.Linear(width, n_in)
        ).to(dtype=x.dtype, device=x.device)
        train(stage, codes)
        for part in stage[0]:
            encoder.append(part)
        n_in = width
    return encoder


# %% right="recursion"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    m, w = x.shape[1], widths[0]
    layer = nn.Sequential(nn.Linear(m, w), activation()).to(x)
    train(nn.Sequential(layer, nn.Linear(w, m).to(x)), x)
    if len(widths) == 1:
        return layer
    codes = layer(x).detach()
    return nn.Sequential(*layer, *greedy_pretrain(codes, widths[1:], train, activation))


# %% right="copies of the trained layers"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    kept, inputs = [], x.clone()
    for w in widths:
        m = inputs.shape[-1]
        model = nn.Sequential(nn.Sequential(nn.Linear(m, w), activation()), nn.Linear(w, m)).to(x)
        train(model, inputs)
        kept.extend(copy.deepcopy(model[0]))
        with torch.inference_mode():
            inputs = model[0](inputs)
        inputs = inputs.clone()
    return nn.Sequential(*kept)


# %% wrong="trains each stage on x" says="codes of length 5"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, n_in = nn.Sequential(), x.shape[1]
    for width in widths:
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, x)
        encoder.extend(layer)
        n_in = width
    return encoder


# %% wrong="codes before the training" says="**after** their training"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation()).to(x)
        model = nn.Sequential(layer, nn.Linear(width, n_in).to(x))
        with torch.no_grad():
            codes = layer(inputs)
        train(model, inputs)
        encoder.extend(layer)
        inputs = codes
    return encoder


# %% wrong="leaves the graph on the codes" says="drag the graph"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend(layer)
        inputs = layer(inputs)
    return encoder


# %% wrong="no_grad around everything" says="Autograd is switched off"
@torch.no_grad()
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(layer)
        inputs = layer(inputs)
    return encoder


# %% wrong="keeps the decoders" says="without the decoders"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend([*layer, model[1]])
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="the reconstruction goes on, not the code" says="codes of length 5"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = model(inputs)
    return encoder


# %% wrong="the codes without the activation" says="activation included"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer[0](inputs)
    return encoder


# %% wrong="trains the whole stack each time" says="codes of length 5"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, n_in = nn.Sequential(), x.shape[1]
    for width in widths:
        encoder.extend([nn.Linear(n_in, width), activation()])
        decoder = nn.Linear(width, x.shape[1])
        train(nn.Sequential(encoder, decoder).to(x), x)
        n_in = width
    return encoder


# %% wrong="trains the encoder alone" says="no other layer"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        layer = nn.Sequential(nn.Linear(inputs.shape[1], width), activation()).to(x)
        train(layer, inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="frozen layers" says="are frozen"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend(layer.requires_grad_(False))
        inputs = layer(inputs)
    return encoder


# %% wrong="nested" says="three times in a row"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    stages, inputs = [], x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        stages.append(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return nn.Sequential(*stages)


# %% wrong="copies before the training" says="**after** their training"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation()).to(x)
        encoder.extend(copy.deepcopy(layer))
        train(nn.Sequential(layer, nn.Linear(width, n_in).to(x)), inputs)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="expects a trained model back" says="NoneType"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(model[0])
        with torch.no_grad():
            inputs = model[0](inputs)
    return encoder


# %% wrong="arguments of train swapped" says="train(model, inputs)"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(inputs, nn.Sequential(layer, nn.Linear(width, n_in)).to(x))
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="always sigmoid" says="Linear, activation"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), nn.Sigmoid())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="float32 only" says="dtype"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x.float()
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="an activation behind the decoder too" says="the decoder ends bare"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in), activation()).to(x), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="no activation while training" says="Linear, activation, Linear"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Linear(n_in, width)
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend([layer, activation()])
        with torch.no_grad():
            inputs = encoder[-2:](inputs)
    return encoder


# %% wrong="returns the last codes" says="Sequential"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    inputs = x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        inputs = layer(inputs).detach()
    return inputs


# %% wrong="normalises x in place" says="changes `x`"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x.sub_(x.mean(0))
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="trains twice" says="codes of length 5"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        train(model, inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% right="a flat stage"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    kept, z = [], x
    for w in widths:
        stage = nn.Sequential(
            nn.Linear(z.shape[1], w), activation(), nn.Linear(w, z.shape[1])
        ).to(x)
        train(stage, z)
        kept += [stage[0], stage[1]]
        z = stage[:2](z).detach()
    return nn.Sequential(*kept)


# %% right="layers made beforehand, one activation for all"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    sizes, act = [x.shape[1], *widths], activation()
    layers = [nn.Linear(a, b).to(x) for a, b in itertools.pairwise(sizes)]
    z = x
    for layer in layers:
        back = nn.Linear(layer.out_features, layer.in_features).to(x)
        train(nn.Sequential(nn.Sequential(layer, act), back), z)
        with torch.no_grad():
            z = act(layer(z))
    return nn.Sequential(*[m for layer in layers for m in (layer, act)])


# %% wrong="the dtype of x forgotten" says="in the dtype of `x`"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder


# %% wrong="trains by itself" says="three times, not 0"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.mse_loss(model(inputs), inputs).backward()
        optimizer.step()
        encoder.extend(layer)
        inputs = layer(inputs).detach()
    return encoder


# %% wrong="standardises the codes" says="Stage 2 should be trained on what the layers below"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
            inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    return encoder


# %% wrong="sends x through the new layer alone" says="cannot be multiplied"
def greedy_pretrain(x, widths, train, activation=nn.Sigmoid):
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        train(nn.Sequential(layer, nn.Linear(width, n_in)).to(x), inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(x)
    return encoder
