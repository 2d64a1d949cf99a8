# %% right="with var_mean"
def batch_norm(x, gamma, beta, eps=1e-5):
    var, mu = torch.var_mean(x, dim=0, correction=0)
    return (x - mu) * torch.rsqrt(var + eps) * gamma + beta


# %% right="feature by feature, with a print"
def batch_norm(x, gamma, beta, eps=1e-5):
    columns = []
    for j in range(x.shape[1]):
        column = x[:, j]
        mean = column.sum() / len(column)
        deviations = column - mean
        variance = (deviations**2).sum() / len(column)
        columns.append(gamma[j] * deviations / (variance + eps) ** 0.5 + beta[j])
    print("normalised", len(columns), "features")
    return torch.stack(columns, dim=1)


# %% right="einsum, on a copy of its own"
def batch_norm(x, gamma, beta, eps=1e-5):
    y = x.clone()
    y -= x.mean(0, keepdim=True)
    var = torch.einsum("bf,bf->f", y, y) / x.size(0)
    return torch.addcmul(beta, y / torch.sqrt(var + eps), gamma)


# %% right="the library call, which the card asks not to use"
def batch_norm(x, gamma, beta, eps=1e-5):
    return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)


# %% right="transposed, keepdim"
def batch_norm(x, gamma, beta, eps=1e-5):
    rows = x.T
    centred = rows - rows.mean(dim=1, keepdim=True)
    sigma = (centred.pow(2).mean(dim=1, keepdim=True) + eps).sqrt()
    return (gamma[:, None] * (centred / sigma) + beta[:, None]).T


# %% wrong="unbiased variance" says="unbiased variance"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0) + eps) + beta


# %% wrong="over the features" says="each sample over its features"
def batch_norm(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


# %% wrong="one mean of all numbers" says="one mean and one variance of all numbers"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean()) / torch.sqrt(x.var(correction=0) + eps) + beta


# %% wrong="eps added to σ" says="added to the standard deviation"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / (x.std(0, correction=0) + eps) + beta


# %% wrong="eps ignored" says="`eps` makes no difference"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / x.std(0, correction=0) + beta


# %% wrong="divides by the variance" says="divide by its square root"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / (x.var(0, correction=0) + eps) + beta


# %% wrong="γ and β forgotten" says="should give [[8, 23], [12, 17]]"
def batch_norm(x, gamma, beta, eps=1e-5):
    return (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps)


# %% wrong="β forgotten" says="β makes no difference"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps)


# %% wrong="shift before scale" says="Scale first, then shift"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * ((x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + beta)


# %% wrong="the school formula" says="the digits are lost"
def batch_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(0)
    var = (x * x).mean(0) - mean**2
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


# %% wrong="in place" says="changes `x` itself"
def batch_norm(x, gamma, beta, eps=1e-5):
    var = x.var(0, correction=0)
    x -= x.mean(0)
    x /= torch.sqrt(var + eps)
    return gamma * x + beta


# %% wrong="statistics under no_grad" says="gradient with respect to `x` is wrong"
def batch_norm(x, gamma, beta, eps=1e-5):
    with torch.no_grad():
        mean, var = x.mean(0), x.var(0, correction=0)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


# %% wrong="all under no_grad" says="No gradient flows"
@torch.no_grad()
def batch_norm(x, gamma, beta, eps=1e-5):
    var, mu = torch.var_mean(x, dim=0, correction=0)
    return (x - mu) * torch.rsqrt(var + eps) * gamma + beta


# %% wrong="always float32" says="dtype of `x`"
def batch_norm(x, gamma, beta, eps=1e-5):
    x, gamma, beta = x.float(), gamma.float(), beta.float()
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + beta


# %% wrong="no return" says="Is the `return` missing?"
def batch_norm(x, gamma, beta, eps=1e-5):
    y = gamma * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + beta


# %% wrong="eps renamed" says="unexpected keyword argument 'eps'"
def batch_norm(x, gamma, beta, epsilon=1e-5):
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + epsilon) + beta


# %% wrong="half the range for σ" says="For 256 samples the result is wrong"
def batch_norm(x, gamma, beta, eps=1e-5):
    r = (x.max(0).values - x.min(0).values) / 2
    return gamma * (x - (x.max(0).values + x.min(0).values) / 2) / torch.sqrt(r * r + eps) + beta


# %% wrong="B = 2 written into the variance" says="For 256 samples the result is wrong"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(0)) / torch.sqrt(x.var(0) / 2 + eps) + beta


# %% wrong="over dim 1, no keepdim" says="run over dim 1"
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(1)) / torch.sqrt(x.var(1, correction=0) + eps) + beta


# %% wrong="γ and β swapped" says="γ and β are swapped"
def batch_norm(x, gamma, beta, eps=1e-5):
    return beta * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + gamma


# %% right="folded into one scale and shift"
def batch_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(0)
    var = ((x - mean) ** 2).mean(0)
    a = gamma / torch.sqrt(var + eps)
    return a * x + (beta - a * mean)


# %% right="vmap over the features"
def batch_norm(x, gamma, beta, eps=1e-5):
    def one(c, g, b):
        return g * (c - c.mean()) / (c.var(correction=0) + eps).sqrt() + b
    return torch.vmap(one, in_dims=(1, 0, 0), out_dims=1)(x, gamma, beta)
