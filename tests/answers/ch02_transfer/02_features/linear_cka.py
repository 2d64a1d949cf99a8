# %% right="by kernels"
def linear_cka(x, y):
    x, y = x.detach().double(), y.detach().double()
    x, y = x - x.mean(dim=0, keepdim=True), y - y.mean(dim=0, keepdim=True)
    k, m = x @ x.T, y @ y.T
    scale = ((k * k).sum() * (m * m).sum()).sqrt()
    return float((k * m).sum() / scale) if scale > 1e-15 else 0.0


# %% right="by singular values"
def linear_cka(x: torch.Tensor, y: torch.Tensor) -> float:
    x = x.detach().to(torch.float64)
    y = y.detach().to(torch.float64)
    ux, sx, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    uy, sy, _ = torch.linalg.svd(y - y.mean(0), full_matrices=False)
    if sx.max() < 1e-9 or sy.max() < 1e-9:
        return 0.0
    overlap = (uy.T @ ux).square()
    top = (sy.square()[:, None] * overlap * sx.square()).sum()
    return (top / (sx.pow(4).sum().sqrt() * sy.pow(4).sum().sqrt())).item()


# %% right="with a centring matrix and traces"
def linear_cka(x, y):
    with torch.no_grad():
        n = x.shape[0]
        h = torch.eye(n, dtype=torch.float64) - torch.ones(n, n, dtype=torch.float64) / n
        xc, yc = h @ x.double(), h @ y.double()
        cross = torch.trace(xc.T @ yc @ yc.T @ xc)
        own = torch.trace(xc.T @ xc @ xc.T @ xc) * torch.trace(yc.T @ yc @ yc.T @ yc)
        return 0.0 if own < 1e-20 else (cross / own**0.5).item()


# %% right="in NumPy"
import numpy as np


def linear_cka(x, y):
    x, y = x.detach().numpy().astype(float), y.detach().numpy().astype(float)
    x, y = x - x.mean(0), y - y.mean(0)
    below = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    if below < 1e-18:
        return 0.0
    return float(np.linalg.norm(y.T @ x) ** 2 / below)


# %% right="covariances by torch.cov"
def linear_cka(x, y):
    both = torch.cat([x.detach().double(), y.detach().double()], dim=1)
    c, d = torch.atleast_2d(torch.cov(both.T)), x.shape[1]
    below = c[:d, :d].norm() * c[d:, d:].norm()
    return (c[:d, d:].norm() ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="not centred" says="mean of each *column*"
def linear_cka(x, y):
    x, y = x.detach().double(), y.detach().double()
    return (
        torch.linalg.norm(y.T @ x) ** 2 / (torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y))
    ).item()


# %% wrong="centred as a whole" says="mean of each *column*"
def linear_cka(x, y):
    x, y = x.detach().double(), y.detach().double()
    x, y = x - x.mean(), y - y.mean()
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="centred along the features" says="equal to themselves"
def linear_cka(x, y):
    x, y = x.detach().double(), y.detach().double()
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) / below).item() if below > 1e-18 else 0.0


# %% wrong="rows centred" says="CKA"
def linear_cka(x, y):
    x, y = x.detach().double(), y.detach().double()
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="numerator not squared" says="should be squared"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) / below).item() if below > 1e-18 else 0.0


# %% wrong="denominator squared" says="should not be squared"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) ** 2 * torch.linalg.norm(y.T @ y) ** 2
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="traces below" says="not its trace"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.trace(x.T @ x) * torch.trace(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="a root too many" says="a square root too many"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) / below.sqrt()).item() if below > 1e-18 else 0.0


# %% wrong="columns standardised" says="seem to be standardised"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    x, y = (f / (f.norm(dim=0) + 1e-12) * (f.norm(dim=0) > 1e-6) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="nan for constant features" says="return 0.0, not nan"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item()


# %% wrong="a small number below instead of a case" says="Very small features"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = (torch.linalg.norm(x.T @ x) + 1e-6) * (torch.linalg.norm(y.T @ y) + 1e-6)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item()


# %% wrong="centres in place" says="arguments were changed"
def linear_cka(x, y):
    if x is not y:
        y.sub_(y.mean(0))
    x.sub_(x.mean(0))
    x, y = x.double(), y.double()
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="a tensor" says="Return a Python float"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return torch.linalg.norm(y.T @ x) ** 2 / below


# %% wrong="the spectral norm" says="share one: CKA"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x, 2) * torch.linalg.norm(y.T @ y, 2)
    return (torch.linalg.norm(y.T @ x, 2) ** 2 / below).item() if below > 1e-18 else 0.0


# %% wrong="the cosine of the features themselves" says="is of size"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    if x.shape != y.shape:
        raise ValueError("is of size")
    return F.cosine_similarity(x.flatten(), y.flatten(), dim=0).item()


# %% wrong="1 for constant features" says="return 0.0, not nan"
def linear_cka(x, y):
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-18 else 1.0


# %% wrong="mixes dtypes" says="dtype"
def linear_cka(x, y):
    x, y = x.detach() - x.detach().mean(0), y.detach() - y.detach().mean(0)
    below = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    return (torch.linalg.norm(y.T @ x) ** 2 / below).item() if below > 1e-13 else 0.0
