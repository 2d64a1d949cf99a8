# %% right="forward over reverse"
def hessian_vector(loss, w, v):
    return torch.func.jvp(torch.func.grad(loss), (w.detach(),), (v.detach(),))[1]


# %% right="gradient of a number"
def hessian_vector(loss, w, v):
    x = w.clone().detach().requires_grad_(True)
    g = torch.autograd.grad(loss(x), x, create_graph=True)[0]
    (g * v.detach()).sum().backward()
    # the second derivative is what backward leaves in .grad
    return x.grad.detach()


# %% right="autograd.functional"
def hessian_vector(loss, w, v):
    return torch.autograd.functional.hvp(loss, w.detach(), v.detach())[1]


# %% right="vjp of grad"
def hessian_vector(loss, w, v):
    _, pull = torch.func.vjp(torch.func.grad(loss), w.detach())
    return pull(v.detach())[0]


# %% right="derivative along a line"
def hessian_vector(loss, w, v):
    x, d = w.detach(), v.detach()
    return torch.func.grad(lambda z: (torch.func.grad(loss)(z) * d).sum())(x)


# %% wrong="the whole Hessian" says="is the whole of H formed"
def hessian_vector(loss, w, v):
    x, n = w.detach(), w.numel()
    H = torch.func.hessian(loss)(x).reshape(n, n)
    return (H @ v.detach().flatten()).reshape(w.shape)


# %% wrong="row by row" says="are the rows of H taken one by one"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    d = v.detach()
    rows = [(torch.autograd.grad(e, x, retain_graph=True)[0] * d).sum() for e in g.flatten()]
    return torch.stack(rows).reshape(w.shape)


# %% wrong="forgets v" says="where is v"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    return torch.autograd.grad(g.sum(), x)[0]


# %% wrong="v outside" says="You sum the rows of H first"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    return torch.autograd.grad(g.sum(), x)[0] * v


# %% wrong="diagonal" says="diagonal of H times v"
def hessian_vector(loss, w, v):
    n = w.numel()
    H = torch.func.hessian(loss)(w.detach()).reshape(n, n)
    return H.diagonal().reshape(w.shape) * v.detach()


# %% wrong="gradient times v" says="That is the gradient times v"
def hessian_vector(loss, w, v):
    return torch.func.grad(loss)(w.detach()) * v.detach()


# %% wrong="vᵀHv" says="The shape should be (2,)"
def hessian_vector(loss, w, v):
    x = w.detach()
    Hv = torch.func.jvp(torch.func.grad(loss), (x,), (v.detach(),))[1]
    return (Hv * v.detach()).sum()


# %% wrong="finite differences in float64" says="close, not exact"
def hessian_vector(loss, w, v):
    x, d, h = w.detach().double(), v.detach().double(), 1e-5
    slope = torch.func.grad(loss)
    return ((slope(x + h * d) - slope(x - h * d)) / (2 * h)).to(w.dtype)


# %% wrong="float32 on the way" says="The dtype of `w` should be kept"
def hessian_vector(loss, w, v):
    return torch.func.jvp(torch.func.grad(loss), (w.detach().float(),), (v.detach().float(),))[1]


# %% wrong="create_graph twice" says="still hangs on a graph"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    return torch.autograd.grad((g * v).sum(), x, create_graph=True)[0]


# %% wrong="requires_grad_ on the argument" says="its `requires_grad`"
def hessian_vector(loss, w, v):
    w.requires_grad_()
    (g,) = torch.autograd.grad(loss(w), w, create_graph=True)
    return torch.autograd.grad((g * v).sum(), w)[0]


# %% wrong="backward into w" says="its `.grad` has changed"
def hessian_vector(loss, w, v):
    x = w if w.requires_grad else w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    (g * v).sum().backward()
    return x.grad.clone()


# %% wrong="graph forgotten" says="your code raised RuntimeError"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x)
    return torch.autograd.grad((g * v).sum(), x)[0]


# %% wrong="the tuple" says="This should give a Tensor"
def hessian_vector(loss, w, v):
    x = w.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    return torch.autograd.grad(g, x, grad_outputs=v.detach())


# %% right="grad of jvp"
def hessian_vector(loss, w, v):
    v = v.detach()
    return torch.func.grad(lambda z: torch.func.jvp(loss, (z,), (v,))[1])(w.detach())


# %% right="a unit direction, scaled back"
def hessian_vector(loss, w, v):
    w, v = w.detach().contiguous(), v.detach().contiguous()
    size = v.norm().clamp(min=1e-30)
    return size * torch.func.linearize(torch.func.grad(loss), w)[1](v / size)


# %% right="vhp"
def hessian_vector(loss, w, v):
    return torch.autograd.functional.vhp(loss, w.detach(), v.detach())[1].detach()


# %% wrong="differences of eighth order" says="close, not exact"
def hessian_vector(loss, w, v):
    w, v, h = w.detach(), v.detach(), 5e-3
    x, d, slope = w.double(), v.double(), torch.func.grad(loss)
    weights = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
    pairs = ((c, k * h * d) for k, c in enumerate(weights, 1))
    return sum(c * (slope(x + e) - slope(x - e)) for c, e in pairs).div(h).to(w.dtype)


# %% wrong="H for few weights, nothing for many" says="With 1,000 weights the product is not H v"
def hessian_vector(loss, w, v):
    n = w.numel()
    if n > 100:
        return torch.zeros_like(w)
    H = torch.func.hessian(loss)(w.detach()).reshape(n, n)
    return (H @ v.detach().flatten()).reshape(w.shape)


# %% wrong="cleans w.grad up" says="the `.grad` that it came with has changed"
def hessian_vector(loss, w, v):
    needed = w.requires_grad
    w.requires_grad_()
    w.grad = None
    (g,) = torch.autograd.grad(loss(w), w, create_graph=True)
    (g * v.detach()).sum().backward()
    result, w.grad = w.grad, None
    w.requires_grad_(needed)
    return result


# %% wrong="rows by the twenty" says="rows of H"
def hessian_vector(loss, w, v):
    x, n = w.detach().requires_grad_(), w.numel()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    parts = []
    for i in range(0, n, 20):
        k = min(20, n - i)
        pick = torch.zeros(k, n, dtype=w.dtype)
        pick[torch.arange(k), i + torch.arange(k)] = 1
        rows = torch.autograd.grad(g, x, pick.view(k, *w.shape), retain_graph=True, is_grads_batched=True)[0]
        parts.append(rows.reshape(k, n) @ v.detach().flatten())
    return torch.cat(parts).view(w.shape)
