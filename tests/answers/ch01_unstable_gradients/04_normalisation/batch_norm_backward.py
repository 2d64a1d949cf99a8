# %% right="term by term, as the chain rule gives it"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    B = x.shape[0]
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    std = (var + eps) ** 0.5
    x_hat = (x - mu) / std
    d_hat = grad_y * gamma
    d_var = (d_hat * (x - mu)).sum(0) * -0.5 * (var + eps) ** -1.5
    d_mu = (-d_hat / std).sum(0) + d_var * (-2 * (x - mu)).mean(0)
    d_x = d_hat / std + d_var * 2 * (x - mu) / B + d_mu / B
    return d_x, (grad_y * x_hat).sum(0), grad_y.sum(0)


# %% right="the Jacobian of each feature"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    B, n = x.shape
    grad_x = torch.zeros_like(x)
    grad_gamma = torch.zeros_like(gamma)
    for f in range(n):
        v = x[:, f] - x[:, f].mean()
        sigma = torch.sqrt(v.dot(v) / B + eps)
        h = v / sigma
        jacobian = torch.eye(B, dtype=x.dtype) - 1 / B - torch.outer(h, h) / B
        grad_x[:, f] = gamma[f] / sigma * jacobian @ grad_y[:, f]
        grad_gamma[f] = grad_y[:, f].dot(h)
    return [grad_x, grad_gamma, grad_y.sum(0)]


# %% right="compact, with einsum"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    dgamma = torch.einsum("bf,bf->f", grad_y, hat)
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * dgamma / x.size(0))
    return dx, dgamma, grad_y.sum(0)


# %% right="projections on a copy of its own, by keyword"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    hat = x - x.mean(dim=0, keepdim=True)
    scale = 1 / torch.sqrt(torch.mean(hat * hat, dim=0) + eps)
    hat *= scale
    g = grad_y.clone()
    g -= g.mean(dim=0)
    g -= hat * (grad_y * hat).mean(dim=0)
    g *= gamma * scale
    return g, torch.sum(grad_y * hat, dim=0), torch.sum(grad_y, dim=0)


# %% wrong="mean and variance as constants" says="mean and variance as constants"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    return gamma / sigma * grad_y, (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="variance as a constant" says="treat the variance as a constant"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    return gamma / sigma * (grad_y - grad_y.mean(0)), (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="mean as a constant" says="term with the mean of g is missing"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).sum(0)
    return gamma / sigma * (grad_y - hat * gh / len(x)), gh, grad_y.sum(0)


# %% wrong="plus for minus" says="Check the sign"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).sum(0)
    return gamma / sigma * (grad_y - grad_y.mean(0) + hat * gh / len(x)), gh, grad_y.sum(0)


# %% wrong="sums for the bars" says="you subtract sums"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).sum(0)
    return gamma / sigma * (grad_y - grad_y.sum(0) - hat * gh), gh, grad_y.sum(0)


# %% wrong="γ forgotten" says="γ is missing"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).sum(0)
    return (grad_y - grad_y.mean(0) - hat * gh / len(x)) / sigma, gh, grad_y.sum(0)


# %% wrong="means for γ and β" says="is the sum over the batch"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).mean(0)
    return gamma / sigma * (grad_y - grad_y.mean(0) - hat * gh), gh, grad_y.mean(0)


# %% wrong="mean for γ only" says="∂L/∂γ is the sum"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    gh = (grad_y * hat).mean(0)
    return gamma / sigma * (grad_y - grad_y.mean(0) - hat * gh), gh, grad_y.sum(0)


# %% wrong="x for x̂ in γ's gradient" says="needs the normalised x̂"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, (grad_y * x).sum(0), grad_y.sum(0)


# %% wrong="γ and β swapped" says="swapped"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, grad_y.sum(0), (grad_y * hat).sum(0)


# %% wrong="unbiased variance" says="unbiased variance"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="with autograd" says="does not require grad"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    x, gamma = x.clone().requires_grad_(), gamma.clone().requires_grad_()
    beta = torch.zeros_like(gamma, requires_grad=True)
    y = F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    return torch.autograd.grad(y, (x, gamma, beta), grad_y)


# %% wrong="eps left out" says="`eps` makes no difference"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var)
    hat = (x - mean) / sigma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="eps fixed" says="`eps` makes no difference"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + 1e-5)
    hat = (x - mean) / sigma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="only grad_x" says="gives a Tensor of shape"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    return gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))


# %% wrong="divides by γ, so γ = 0 gives nan" says="not finite"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    y = gamma * (x - mean) / sigma
    hat = y / gamma
    dx = gamma / sigma * (grad_y - grad_y.mean(0) - hat * (grad_y * hat).mean(0))
    return dx, (grad_y * hat).sum(0), grad_y.sum(0)


# %% wrong="changes grad_y in place" says="changes one of its arguments"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    var, mean = torch.var_mean(x, 0, correction=0)
    sigma = torch.sqrt(var + eps)
    hat = (x - mean) / sigma
    dgamma, dbeta = (grad_y * hat).sum(0), grad_y.sum(0)
    grad_y -= grad_y.mean(0)
    return gamma / sigma * (grad_y - hat * dgamma / len(x)), dgamma, dbeta


# %% wrong="the school formula" says="the digits are lost"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    mu = x.mean(0)
    var = (x*x).mean(0) - mu*mu
    inv = 1 / torch.sqrt(var + eps)
    xh = (x - mu) * inv
    gg = (grad_y * xh).sum(0)
    gb = grad_y.sum(0)
    gx = gamma * inv * (grad_y - grad_y.mean(0) - xh * (grad_y * xh).mean(0))
    return gx, gg, gb


# %% wrong="backward through the arguments themselves" says="changes one of its arguments"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    with torch.enable_grad():
        x.requires_grad_(); gamma.requires_grad_()
        b = torch.zeros_like(gamma).requires_grad_()
        y = F.batch_norm(x, None, None, gamma, b, True, 0.1, eps)
        y.backward(grad_y)
    return x.grad, gamma.grad, b.grad


# %% wrong="1/σ forgotten" says="factor 1/σ is missing"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    inv = 1 / torch.sqrt(var + eps)
    xh = (x - mu) * inv
    gg = (grad_y * xh).sum(0)
    gb = grad_y.sum(0)
    gx = gamma * (grad_y - grad_y.mean(0) - xh * (grad_y * xh).mean(0))
    return gx, gg, gb


# %% wrong="x − μ for x̂ in the third term" says="divide by σ"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    inv = 1 / torch.sqrt(var + eps)
    xh = (x - mu) * inv
    gg = (grad_y * xh).sum(0)
    gb = grad_y.sum(0)
    gx = gamma * inv * (grad_y - grad_y.mean(0) - (x-mu) * (grad_y * (x-mu)).mean(0))
    return gx, gg, gb


# %% wrong="γ in its own gradient" says="only ∂L/∂x is"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    inv = 1 / torch.sqrt(var + eps)
    xh = (x - mu) * inv
    gg = gamma*(grad_y * xh).sum(0)
    gb = grad_y.sum(0)
    gx = gamma * inv * (grad_y - grad_y.mean(0) - xh * (grad_y * xh).mean(0))
    return gx, gg, gb


# %% wrong="the product of the means" says="instead of the mean of g·x̂"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    inv = 1 / torch.sqrt(var + eps)
    xh = (x - mu) * inv
    gg = (grad_y * xh).sum(0)
    gb = grad_y.sum(0)
    gx = gamma * inv * (grad_y - grad_y.mean(0) - xh * grad_y.mean(0) * xh.mean(0))
    return gx, gg, gb


# %% right="staged through the variance and the mean"
def batch_norm_backward(grad_y, x, gamma, eps=1e-5):
    B = x.shape[0]
    mu = x.mean(0); xc = x - mu; var = (xc*xc).mean(0); std = (var+eps).sqrt()
    dxh = grad_y * gamma
    dvar = (dxh * xc).sum(0) * -0.5 * std**-3
    dmu = -(dxh/std).sum(0) + dvar * (-2*xc).mean(0)
    return dxh/std + dvar*2*xc/B + dmu/B, (grad_y*xc/std).sum(0), grad_y.sum(0)
