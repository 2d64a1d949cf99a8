# %% right="copied, the weight filled in place"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% right="layers built anew, einsum"
def fuse(layer, norm):
    g = (norm.weight * torch.rsqrt(norm.running_var + norm.eps)).detach()
    if isinstance(layer, nn.Linear):
        new = nn.Linear(layer.in_features, layer.out_features, bias=True)
        weight = torch.einsum("o,oi->oi", g, layer.weight.detach())
    else:
        new = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            padding_mode=layer.padding_mode,
        )
        weight = torch.einsum("o,oihw->oihw", g, layer.weight.detach())
    bias = g * (0 - norm.running_mean) + norm.bias.detach()
    if layer.bias is not None:
        bias = bias + g * layer.bias.detach()
    new.weight = nn.Parameter(weight)
    new.bias = nn.Parameter(bias)
    return new


# %% right="channel by channel, frozen parameters"
@torch.no_grad()
def fuse(layer, norm):
    new = copy.deepcopy(layer)
    new.bias = nn.Parameter(torch.zeros_like(norm.running_mean), requires_grad=False)
    new.weight.requires_grad = False
    for c in range(len(norm.running_mean)):
        k = norm.weight[c] / torch.sqrt(norm.running_var[c] + norm.eps)
        new.weight[c] *= k
        b = layer.bias[c] if layer.bias is not None else 0.0
        new.bias[c] = k * (b - norm.running_mean[c]) + norm.bias[c]
    return new


# %% right="torch's own functions"
def fuse(layer, norm):
    from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

    twin = copy.deepcopy(norm).eval()
    f = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
    return f(copy.deepcopy(layer).eval(), twin)


# %% wrong="the variance for σ" says="divide by its root"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps)
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="eps left out" says="you left eps out"
def fuse(layer, norm):
    sigma = norm.running_var.sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="eps 1e-5 assumed" says="or assumed 1e-5"
def fuse(layer, norm):
    sigma = (norm.running_var + 1e-5).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="eps added to σ" says="under the root"
def fuse(layer, norm):
    sigma = norm.running_var.sqrt() + norm.eps
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="γ forgotten" says="γ is missing in W"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = 1 / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="γ forgotten in the bias only" says="γ is missing in b"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) / sigma + norm.bias).detach())
    return new


# %% wrong="mean forgotten" says="running mean is missing in b"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else torch.tensor(0.0)
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter((bias * scale + norm.bias).detach())
    return new


# %% wrong="the layer's bias forgotten" says="own bias is missing"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((-norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="the layer's bias not scaled" says="needs the factor γ/σ as well"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter((bias - norm.running_mean * scale + norm.bias).detach())
    return new


# %% wrong="β forgotten" says="β is missing"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale).detach())
    return new


# %% wrong="sign of the mean" says="sign of the running mean"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((norm.running_mean - bias) * scale + norm.bias).detach())
    return new


# %% wrong="a layer without bias crashes" says="NoneType"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="the layer itself is changed" says="must not change"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = layer
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias.detach().clone() if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="a shallow copy" says="has changed"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.copy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="factors on the inputs" says="W′ = (1, −2)"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.flip(0).view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="no reshape, so linear layers broadcast along the inputs" says="match the broadcast shape"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale)
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="a Sequential instead of a layer" says="This should give a Linear"
def fuse(layer, norm):
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return nn.Sequential(new)


# %% wrong="stride and padding forgotten" says="stride and the padding"
def fuse(layer, norm):
    g = (norm.weight * torch.rsqrt(norm.running_var + norm.eps)).detach()
    if isinstance(layer, nn.Linear):
        new = nn.Linear(layer.in_features, layer.out_features, bias=True)
    else:
        new = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, groups=layer.groups)
    bias = torch.zeros_like(g) if layer.bias is None else layer.bias.detach()
    new.weight = nn.Parameter(g.view(-1, *[1] * (layer.weight.dim() - 1)) * layer.weight.detach())
    new.bias = nn.Parameter(g * (bias - norm.running_mean) + norm.bias.detach())
    return new


# %% wrong="padding mode forgotten" says="fused Conv2d differs"
def fuse(layer, norm):
    g = (norm.weight * torch.rsqrt(norm.running_var + norm.eps)).detach()
    if isinstance(layer, nn.Linear):
        new = nn.Linear(layer.in_features, layer.out_features, bias=True)
    else:
        new = nn.Conv2d(
            layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
            layer.groups,
        )
    bias = torch.zeros_like(g) if layer.bias is None else layer.bias.detach()
    new.weight = nn.Parameter(g.view(-1, *[1] * (layer.weight.dim() - 1)) * layer.weight.detach())
    new.bias = nn.Parameter(g * (bias - norm.running_mean) + norm.bias.detach())
    return new


# %% wrong="sets the norm to eval" says="mode of `norm` was changed"
def fuse(layer, norm):
    norm.eval()
    sigma = (norm.running_var + norm.eps).sqrt()
    scale = norm.weight / sigma
    new = copy.deepcopy(layer)
    shape = [-1] + [1] * (layer.weight.dim() - 1)
    bias = layer.bias if layer.bias is not None else 0
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale.view(shape))
    new.bias = nn.Parameter(((bias - norm.running_mean) * scale + norm.bias).detach())
    return new


# %% wrong="one stride for both axes" says="lacks an option of the old one"
def fuse(layer, norm):
    f = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride[0], layer.padding, layer.dilation, layer.groups, True, layer.padding_mode) if isinstance(layer, nn.Conv2d) else nn.Linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(sc * (b - norm.running_mean) + norm.bias)
    return f


# %% wrong="a square kernel assumed" says="`kernel_size` is not"
def fuse(layer, norm):
    f = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride, layer.padding, layer.dilation, layer.groups, True, layer.padding_mode) if isinstance(layer, nn.Conv2d) else nn.Linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(sc * (b - norm.running_mean) + norm.bias)
    return f


# %% wrong="sets the layer to eval" says="mode of `layer` was changed"
def fuse(layer, norm):
    layer.eval()
    f = copy.deepcopy(layer)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(sc * (b - norm.running_mean) + norm.bias)
    return f


# %% wrong="freezes the layer" says="were frozen"
def fuse(layer, norm):
    layer.requires_grad_(False)
    f = copy.deepcopy(layer)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(sc * (b - norm.running_mean) + norm.bias)
    return f


# %% wrong="the norm as a hook of the copy" says="W′ is still W"
def fuse(layer, norm):
    f = copy.deepcopy(layer); n = copy.deepcopy(norm).eval()
    if f.bias is None: f.bias = nn.Parameter(torch.zeros_like(norm.running_mean))
    f.register_forward_hook(lambda m, i, o: n(o))
    return f


# %% wrong="the mean not scaled" says="running mean needs the factor"
def fuse(layer, norm):
    f = copy.deepcopy(layer)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(sc * b - norm.running_mean + norm.bias)
    return f


# %% wrong="no bias, no mean" says="still has −μ̂·γ/σ"
def fuse(layer, norm):
    f = copy.deepcopy(layer)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter((sc * (b - norm.running_mean) + norm.bias) if layer.bias is not None else norm.bias.clone())
    return f


# %% wrong="σ forgotten in the bias only" says="σ is missing in b′"
def fuse(layer, norm):
    f = copy.deepcopy(layer)
    with torch.no_grad():
        sc = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        b = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = sc.reshape(-1, *[1]*(layer.weight.dim()-1))
        f.weight = nn.Parameter(rows * layer.weight)
        f.bias = nn.Parameter(norm.weight * (b - norm.running_mean) + norm.bias)
    return f
