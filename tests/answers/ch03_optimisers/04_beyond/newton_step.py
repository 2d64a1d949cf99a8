# %% right="create_graph, row by row"
def newton_step(loss, w):
    x = w.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    rows = [torch.autograd.grad(entry, x, retain_graph=True)[0] for entry in g]
    return (x - torch.linalg.solve(torch.stack(rows), g)).detach()


# %% right="torch.autograd.functional, inverted"
def newton_step(loss, w):
    w = w.detach()
    H = torch.autograd.functional.hessian(loss, w)
    g = torch.autograd.functional.jacobian(loss, w)
    return w - torch.linalg.inv(H) @ g


# %% right="jacrev of jacrev, least squares"
def newton_step(loss, w):
    with torch.no_grad():
        x = w.detach().clone()
    g = torch.func.jacrev(loss)(x)
    H = torch.func.jacrev(torch.func.jacrev(loss))(x)
    d = torch.linalg.lstsq(H, g[:, None]).solution[:, 0]
    return x.sub(d).detach()


# %% right="float64 inside, backward"
def newton_step(loss, w):
    x = w.detach().double().requires_grad_()
    loss(x).backward()
    H = torch.func.hessian(loss)(x.detach())
    return (x.detach() - torch.linalg.solve(H, x.grad)).to(w.dtype)


# %% wrong="uphill" says="You walk uphill"
def newton_step(loss, w):
    w = w.detach()
    return w + torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))


# %% wrong="the step alone" says="That is H⁻¹g"
def newton_step(loss, w):
    w = w.detach()
    return torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))


# %% wrong="multiplies by H" says="You multiply by H"
def newton_step(loss, w):
    w = w.detach()
    return w - torch.func.hessian(loss)(w) @ torch.func.grad(loss)(w)


# %% wrong="the diagonal of H" says="diagonal of H alone"
def newton_step(loss, w):
    w = w.detach()
    return w - torch.func.grad(loss)(w) / torch.func.hessian(loss)(w).diagonal()


# %% wrong="the diagonal of the inverse" says="diagonal of the inverse alone"
def newton_step(loss, w):
    w = w.detach()
    return w - torch.linalg.inv(torch.func.hessian(loss)(w)).diagonal() * torch.func.grad(loss)(w)


# %% wrong="a gradient step" says="That is a gradient step"
def newton_step(loss, w):
    w = w.detach()
    return w - torch.func.grad(loss)(w)


# %% wrong="divides by the entries of H" says="The shape should be (2,)"
def newton_step(loss, w):
    w = w.detach()
    return w - torch.func.grad(loss)(w) / torch.func.hessian(loss)(w)


# %% wrong="keeps the graph" says="still hangs on a graph"
def newton_step(loss, w):
    return w - torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))


# %% wrong="in place" says="`w` itself has changed"
def newton_step(loss, w):
    w.data -= torch.linalg.solve(torch.func.hessian(loss)(w.detach()), torch.func.grad(loss)(w.detach()))
    return w.detach()


# %% wrong="requires_grad_ on the argument" says="its `requires_grad`"
def newton_step(loss, w):
    w.requires_grad_()
    (g,) = torch.autograd.grad(loss(w), w)
    return w.detach() - torch.linalg.solve(torch.func.hessian(loss)(w.detach()), g)


# %% wrong="backward fills w.grad" says="its `.grad` has changed"
def newton_step(loss, w):
    if not w.requires_grad:
        w = w.detach().requires_grad_()
    loss(w).backward()
    return w.detach() - torch.linalg.solve(torch.func.hessian(loss)(w.detach()), w.grad)


# %% wrong="float32 always" says="The dtype of `w` should be kept"
def newton_step(loss, w):
    w = w.detach().float()
    return w - torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))


# %% wrong="absolute eigenvalues" says="On a saddle"
def newton_step(loss, w):
    w = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(w))
    return w - vectors @ ((vectors.T @ torch.func.grad(loss)(w)) / values.abs())


# %% wrong="goes on until it arrives" says="Is it one step?"
def newton_step(loss, w):
    w = w.detach()
    for _ in range(60):
        w = w - torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))
    return w


# %% wrong="returns nothing" says="Is the `return` missing?"
def newton_step(loss, w):
    w = w.detach()
    w = w - torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w))


# %% right="vmap over the rows, LU"
def newton_step(loss, w):
    x = w.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        g = torch.autograd.grad(loss(x), x, create_graph=True)[0]
    H = torch.autograd.grad(g, x, torch.eye(len(x), dtype=x.dtype), is_grads_batched=True)[0]
    LU, pivots = torch.linalg.lu_factor(H)
    return torch.lerp(x.detach(), x.detach() - torch.linalg.lu_solve(LU, pivots, g.detach()[:, None])[:, 0], 1.0)


# %% right="pseudo-inverse, an eigenbasis"
def newton_step(loss, w):
    x = torch.from_numpy(w.detach().numpy().copy())
    H, g = torch.func.jacfwd(torch.func.jacrev(loss))(x), torch.func.jacrev(loss)(x)
    values, Q = torch.linalg.eigh(H)
    return x - Q @ ((Q.mT @ g) / values)


# %% wrong="a little added to H" says="is something added to H"
def newton_step(loss, w):
    w = w.detach()
    H = torch.func.hessian(loss)(w) + 1e-9 * torch.eye(len(w), dtype=w.dtype)
    return w - torch.linalg.solve(H, torch.func.grad(loss)(w))


# %% wrong="cleans w.grad up" says="the `.grad` that it came with has changed"
def newton_step(loss, w):
    needed = w.requires_grad
    w.requires_grad_()
    w.grad = None
    loss(w).backward()
    g, w.grad = w.grad, None
    w.requires_grad_(needed)
    return w.detach() - torch.linalg.solve(torch.func.hessian(loss)(w.detach()), g)


# %% wrong="float32 on the way" says="In w's own precision"
def newton_step(loss, w):
    x = w.detach().float()
    d = torch.linalg.solve(torch.func.hessian(loss)(x).double(), torch.func.grad(loss)(x).double())
    return (w.detach() - d).to(w.dtype)


# %% wrong="Cholesky" says="cholesky"
def newton_step(loss, w):
    w = w.detach()
    L = torch.linalg.cholesky(torch.func.hessian(loss)(w))
    return w - torch.cholesky_solve(torch.func.grad(loss)(w)[:, None], L)[:, 0]


# %% wrong="squeezed" says="The shape should be (1,)"
def newton_step(loss, w):
    w = w.detach()
    d = torch.linalg.solve(torch.func.hessian(loss)(w), torch.func.grad(loss)(w)[:, None])
    return (w[:, None] - d).squeeze()


# %% wrong="Gauss and Newton: g gᵀ for H" says="one step from (4, −3)"
def newton_step(loss, w):
    w = w.detach()
    g = torch.func.grad(loss)(w)
    return w - torch.linalg.pinv(torch.outer(g, g)) @ g
