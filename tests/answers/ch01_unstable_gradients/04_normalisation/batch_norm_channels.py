# %% right="channels moved to the end"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    y = x.movedim(1, -1)
    dims = tuple(range(y.dim() - 1))
    y = (y - y.mean(dims)) / torch.sqrt(y.var(dims, correction=0) + eps)
    return (gamma * y + beta).movedim(-1, 1)


# %% right="channel by channel"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    out = []
    for c in range(x.shape[1]):
        part = x[:, c]
        centred = part - part.mean()
        out.append(gamma[c] * centred / (centred.pow(2).mean() + eps) ** 0.5 + beta[c])
    return torch.stack(out, dim=1)


# %% right="one long row a channel"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    rows = x.transpose(0, 1).flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows * torch.rsqrt(rows.square().mean(1, keepdim=True) + eps)
    rows = rows * gamma[:, None] + beta[:, None]
    return rows.unflatten(1, (x.shape[0], *x.shape[2:])).transpose(0, 1)


# %% right="four cases written out"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    if x.dim() == 2:
        m, v = x.mean(0, keepdim=True), x.var(0, unbiased=False, keepdim=True)
        g, b = gamma[None], beta[None]
    elif x.dim() == 3:
        m, v = x.mean((0, 2), keepdim=True), x.var((0, 2), unbiased=False, keepdim=True)
        g, b = gamma[None, :, None], beta[None, :, None]
    elif x.dim() == 4:
        m, v = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        g, b = gamma[None, :, None, None], beta[None, :, None, None]
    else:
        m, v = x.mean((0, 2, 3, 4), keepdim=True), x.var((0, 2, 3, 4), unbiased=False, keepdim=True)
        g, b = gamma[None, :, None, None, None], beta[None, :, None, None, None]
    return g * (x - m) / torch.sqrt(v + eps) + b


# %% right="the library call"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    return F.batch_norm(x, None, None, gamma, beta, True, 0.1, eps)


# %% wrong="over the batch only" says="each position has a mean of its own"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="γ and β broadcast from the right" says="lined up with the last dimension"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = [d for d in range(x.dim()) if d != 1]
    x_hat = (x - x.mean(dims, keepdim=True)) / torch.sqrt(x.var(dims, correction=0, keepdim=True) + eps)
    return gamma * x_hat + beta


# %% wrong="instance norm" says="each image has its own mean"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = list(range(2, x.dim())) or [0]
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(dims, keepdim=True)) / torch.sqrt(x.var(dims, correction=0, keepdim=True) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="layer norm" says="normalise each sample by itself"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = list(range(1, x.dim()))
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(dims, keepdim=True)) / torch.sqrt(x.var(dims, correction=0, keepdim=True) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="all channels together" says="all channels share one mean"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean()) / torch.sqrt(x.var(correction=0) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="unbiased" says="unbiased variance"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = [d for d in range(x.dim()) if d != 1]
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(dims, keepdim=True)) / torch.sqrt(x.var(dims, keepdim=True) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="only for images" says="IndexError"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    m, v = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
    return gamma.view(1, -1, 1, 1) * (x - m) / torch.sqrt(v + eps) + beta.view(1, -1, 1, 1)


# %% wrong="no keepdim" says="see `keepdim`"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = [d for d in range(x.dim()) if d != 1]
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(dims)) / torch.sqrt(x.var(dims, correction=0) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="no γ, no β" says="γ and β make no difference"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = [d for d in range(x.dim()) if d != 1]
    return (x - x.mean(dims, keepdim=True)) / torch.sqrt(x.var(dims, correction=0, keepdim=True) + eps)


# %% wrong="reshaped instead of moved" says="result for shape"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    rows = x.reshape(-1, x.shape[1])
    rows = (rows - rows.mean(0)) / torch.sqrt(rows.var(0, correction=0) + eps)
    return (gamma * rows + beta).reshape(x.shape)


# %% wrong="eps ignored" says="eps 0.5 is wrong"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = [d for d in range(x.dim()) if d != 1]
    shape = (1, -1) + (1,) * (x.dim() - 2)
    x_hat = (x - x.mean(dims, keepdim=True)) / x.std(dims, correction=0, keepdim=True)
    return gamma.view(shape) * x_hat + beta.view(shape)


# %% wrong="mean of means of the positions' variances" says="result for shape"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    dims = list(range(2, x.dim()))
    shape = (1, -1) + (1,) * (x.dim() - 2)
    mean, var = x.mean(0, keepdim=True), x.var(0, correction=0, keepdim=True)
    if dims:
        mean, var = mean.mean(dims, keepdim=True), var.mean(dims, keepdim=True)
    return gamma.view(shape) * (x - mean) / torch.sqrt(var + eps) + beta.view(shape)


# %% wrong="the school formula" says="the digits are lost"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    d=[0,*range(2,x.dim())]; s=(1,-1)+(1,)*(x.dim()-2)
    m=x.mean(d,keepdim=True); v=x.square().mean(d,keepdim=True)-m.square()
    return gamma.reshape(s)*(x-m)/(v+eps).sqrt()+beta.reshape(s)


# %% wrong="γ and β reshaped for good" says="changes `gamma` or `beta`"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    d=[0,*range(2,x.dim())]; s=(1,-1)+(1,)*(x.dim()-2)
    v,m=torch.var_mean(x,d,correction=0,keepdim=True)
    gamma.data=gamma.data.reshape(s); beta.data=beta.data.reshape(s)
    return gamma*(x-m)/(v+eps).sqrt()+beta


# %% wrong="shift before scale" says="Scale first, then shift"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    d=[0,*range(2,x.dim())]; s=(1,-1)+(1,)*(x.dim()-2)
    v,m=torch.var_mean(x,d,correction=0,keepdim=True)
    return gamma.reshape(s)*((x-m)/(v+eps).sqrt()+beta.reshape(s))


# %% wrong="β forgotten" says="β makes no difference"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    d=[0,*range(2,x.dim())]; s=(1,-1)+(1,)*(x.dim()-2)
    v,m=torch.var_mean(x,d,correction=0,keepdim=True)
    return gamma.reshape(s)*(x-m)/(v+eps).sqrt()


# %% wrong="statistics without a graph" says="mean and variance depend on x too"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    d=[0,*range(2,x.dim())]; s=(1,-1)+(1,)*(x.dim()-2)
    v,m=torch.var_mean(x.detach(),d,correction=0,keepdim=True)
    return gamma.reshape(s)*(x-m)/(v+eps).sqrt()+beta.reshape(s)


# %% right="layer norm of the channels' rows"
def batch_norm_channels(x, gamma, beta, eps=1e-5):
    z = x.movedim(1, 0)
    f = F.layer_norm(z, z.shape[1:], eps=eps)
    s = (-1,) + (1,) * (z.dim() - 1)
    return (f * gamma.reshape(s) + beta.reshape(s)).movedim(0, 1)
