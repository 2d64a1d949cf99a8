# %% right="solve with |H|"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    absolute = vectors @ torch.diag(values.abs()) @ vectors.T
    eye = torch.eye(len(x), dtype=x.dtype)
    return x - torch.linalg.solve(absolute + damping * eye, torch.func.grad(loss)(x))


# %% right="one eigenvector after the other"
def saddle_free_step(loss, w, damping=0.001):
    x = w.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    H = torch.stack([torch.autograd.grad(e, x, retain_graph=True, allow_unused=True)[0] for e in g])
    values, vectors = torch.linalg.eigh(H)
    g, new = g.detach(), x.detach().clone()
    for k in range(len(new)):
        q = vectors[:, k]
        new -= (q @ g) / (abs(values[k].item()) + damping) * q
    return new


# %% right="general eigenvectors, in float64"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach().double()
    H = torch.autograd.functional.hessian(loss, x)
    g = torch.autograd.functional.jacobian(loss, x)
    U, S, Vh = torch.linalg.svd(H)
    return (x - Vh.T @ ((Vh @ g) / (S + damping))).to(w.dtype)


# %% wrong="Levenberg: signs kept" says="The signs of the curvatures are still there"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    H = torch.func.hessian(loss)(x) + damping * torch.eye(len(x), dtype=x.dtype)
    return x - torch.linalg.solve(H, torch.func.grad(loss)(x))


# %% wrong="damping inside the bars" says="Damping stands outside"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values + damping).abs())


# %% wrong="negative ones clamped" says="Negative curvatures were cut off"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values.clamp(min=0) + damping))


# %% wrong="no damping" says="The damping makes no difference"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors @ (vectors.T @ torch.func.grad(loss)(x) / values.abs())


# %% wrong="plain Newton" says="That is Newton's step"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    return x - torch.linalg.solve(torch.func.hessian(loss)(x), torch.func.grad(loss)(x))


# %% wrong="bars around the entries" says="absolute values of the entries of H"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    H = torch.func.hessian(loss)(x).abs() + damping * torch.eye(len(x), dtype=x.dtype)
    return x - torch.linalg.solve(H, torch.func.grad(loss)(x))


# %% wrong="uphill" says="You walk uphill"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x + vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values.abs() + damping))


# %% wrong="the step alone" says="That is the step alone"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values.abs() + damping))


# %% wrong="multiplies" says="You multiply by"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors @ (vectors.T @ torch.func.grad(loss)(x) * (values.abs() + damping))


# %% wrong="the default ignored" says="default"
def saddle_free_step(loss, w, damping=0.0):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values.abs() + damping))


# %% wrong="rows for eigenvectors" says="Is it Qᵀ that turns g"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    return x - vectors.T @ (vectors @ torch.func.grad(loss)(x) / (values.abs() + damping))


# %% wrong="keeps the graph" says="still hangs on a graph"
def saddle_free_step(loss, w, damping=1e-3):
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(w.detach()))
    return w - vectors @ (vectors.T @ torch.func.grad(loss)(w.detach()) / (values.abs() + damping))


# %% wrong="in place" says="`w` itself has changed"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(x))
    x -= vectors @ (vectors.T @ torch.func.grad(loss)(x) / (values.abs() + damping))
    return x


# %% right="the square root of H squared"
def saddle_free_step(loss, w, damping=1e-3):
    x = w.detach().double()
    H, g = torch.func.hessian(loss)(x), torch.func.grad(loss)(x)
    squares, Q = torch.linalg.eigh(H @ H)
    size = squares.clamp_min(0).sqrt() + damping
    return (x - (Q / size) @ Q.T @ g).to(w.dtype)


# %% wrong="damping is a lower limit" says="no lower limit"
def saddle_free_step(loss, w, damping=1e-3):
    w = w.detach()
    values, Q = torch.linalg.eigh(torch.func.hessian(loss)(w))
    return w - Q @ (Q.T @ torch.func.grad(loss)(w) / values.abs().clamp(min=damping))


# %% wrong="0 is replaced by the default" says="(0 counts too)"
def saddle_free_step(loss, w, damping=None):
    w = w.detach()
    values, Q = torch.linalg.eigh(torch.func.hessian(loss)(w))
    return w - Q @ (Q.T @ torch.func.grad(loss)(w) / (values.abs() + (damping or 1e-3)))


# %% wrong="cleans w.grad up" says="the `.grad` that it came with has changed"
def saddle_free_step(loss, w, damping=1e-3):
    needed = w.requires_grad
    w.requires_grad_()
    w.grad = None
    loss(w).backward()
    g, w.grad = w.grad, None
    w.requires_grad_(needed)
    w = w.detach()
    values, Q = torch.linalg.eigh(torch.func.hessian(loss)(w))
    return w - Q @ (Q.T @ g / (values.abs() + damping))


# %% wrong="the square root of squares" says="should move from 2 to 2 + 2/1.25"
def saddle_free_step(loss, w, damping=1e-3):
    w = w.detach()
    values, Q = torch.linalg.eigh(torch.func.hessian(loss)(w))
    return w - Q @ (Q.T @ torch.func.grad(loss)(w) / (values**2 + damping**2).sqrt())


# %% wrong="flat directions dropped" says="subtracted from w"
def saddle_free_step(loss, w, damping=1e-3):
    w = w.detach()
    values, Q = torch.linalg.eigh(torch.func.hessian(loss)(w))
    size = values.abs() + damping
    scale = torch.where(values.abs() > 0.5, 1 / size, torch.zeros_like(size))
    return w - Q @ (Q.T @ torch.func.grad(loss)(w) * scale)
