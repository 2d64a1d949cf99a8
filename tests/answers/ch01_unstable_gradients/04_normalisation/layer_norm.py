# %% right="var_mean over the last dimensions"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = list(range(x.dim() - len(normalized_shape), x.dim()))
    var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(var + eps) * weight + bias


# %% right="flattened to rows, a loop"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    n = math.prod(normalized_shape)
    rows = []
    for row in x.reshape(-1, n):
        centred = row - row.sum() / n
        rows.append(centred / ((centred @ centred) / n + eps) ** 0.5)
    return torch.stack(rows).reshape(x.shape) * weight + bias


# %% right="F.layer_norm"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    return F.layer_norm(x, tuple(normalized_shape), weight, bias, eps)


# %% right="flatten, own copy in place, addcmul"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    k = len(normalized_shape)
    y = x.flatten(-k).clone()
    y = y - y.mean(-1, keepdim=True)
    y = y / torch.sqrt(y.pow(2).mean(-1, keepdim=True).add(eps))
    return torch.addcmul(bias, weight, y.unflatten(-1, tuple(normalized_shape)))


# %% wrong="over the batch" says="normalise over the batch"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    return weight * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + bias


# %% wrong="last dimension only" says="only the last dimension was normalised"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    var, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="everything but the batch" says="more than the last 2 dimensions"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(1, x.dim()))
    var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="unbiased variance" says="unbiased variance"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    var, mean = torch.var_mean(x, dim=dims, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="eps added to σ" says="added to the standard deviation"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    std, mean = torch.std_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / (std + eps) + bias


# %% wrong="eps ignored" says="`eps` makes no difference"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    std, mean = torch.std_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / std + bias


# %% wrong="the wrong end" says="normalise over the batch"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(len(normalized_shape)))
    var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="all numbers" says="All numbers share one mean"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    return weight * (x - x.mean()) / torch.sqrt(x.var(correction=0) + eps) + bias


# %% wrong="RMSNorm" says="[[1, 3], [20, 40]] should become"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    return weight * x / torch.sqrt(x.square().mean(dims, keepdim=True) + eps) + bias


# %% wrong="divides by the variance" says="take its root"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / (var + eps) + bias


# %% wrong="no bias" says="`bias` makes no difference"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps)


# %% wrong="no keepdim" says="keep the averaged dimension"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    var, mean = torch.var_mean(x, dim=dims, correction=0)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="the school formula" says="the digits are lost"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    mean = x.mean(dims, keepdim=True)
    var = x.square().mean(dims, keepdim=True) - mean.square()
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="statistics under no_grad" says="mean and variance depend on x too"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    with torch.no_grad():
        var, mean = torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias


# %% wrong="in place" says="changes `x` itself"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    dims = tuple(range(-len(normalized_shape), 0))
    x -= x.mean(dims, keepdim=True)
    return weight * x / torch.sqrt(x.square().mean(dims, keepdim=True) + eps) + bias


# %% wrong="shift before scale" says="Scale first, then shift"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    k=len(normalized_shape); d=tuple(range(-k,0))
    m=x.mean(d,keepdim=True)
    v=x.var(d,correction=0,keepdim=True)
    return weight*((x-m)/torch.sqrt(v+eps)+bias)


# %% wrong="weight and bias swapped" says="weight and bias are swapped"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    k=len(normalized_shape); d=tuple(range(-k,0))
    m=x.mean(d,keepdim=True)
    v=x.var(d,correction=0,keepdim=True)
    return bias*(x-m)/torch.sqrt(v+eps)+weight


# %% wrong="a list of sizes crashes" says="can only concatenate list"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    k=len(normalized_shape+()); d=tuple(range(-k,0))
    m=x.mean(d,keepdim=True)
    v=x.var(d,correction=0,keepdim=True)
    return weight*(x-m)/torch.sqrt(v+eps)+bias


# %% right="group norm of one group"
def layer_norm(x, normalized_shape, weight, bias, eps=1e-5):
    n=math.prod(normalized_shape)
    f=F.group_norm(x.reshape(-1,1,n),1,eps=eps)
    return f.reshape(x.shape)*weight+bias
