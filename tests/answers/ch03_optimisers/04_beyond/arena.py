# %% right="rotated by matrices"
def arena(rule):
    if rule not in ("sgd", "momentum", "adam"):
        raise ValueError(rule)
    k, angle, centre = {"sgd": (1, 0, (0, 0)), "momentum": (200, 45, (3, -3)), "adam": (300, 0, (0, 0))}[rule]
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = torch.tensor([[c, s], [-s, c]], dtype=torch.float64)
    bend, goal = torch.tensor([k, 1.0]).double(), torch.tensor(centre).double()

    def surface(w):
        return (bend * ((w - goal) @ turn.T) ** 2).sum(-1) / 2

    return surface


# %% right="other shapes: exp, banana, tiny"
def arena(rule):
    if rule == "sgd":
        return lambda w: torch.exp(8 * w[..., 0]) + w[..., 1] ** 2
    elif rule == "momentum":
        return lambda w: (w[..., 0] + 2) ** 2 + 10 * (w[..., 1] + 3 - (w[..., 0] + 2) ** 2) ** 2
    elif rule == "adam":
        return lambda w: 1e-6 * (w * w).sum(dim=-1)
    raise ValueError("no such rule")


# %% right="a ravine at 30 degrees, a narrow pit"
def arena(rule):
    def turned(w):
        u, v = w[..., 0] - 3, w[..., 1] + 3
        c, s = 3**0.5 / 2, 0.5
        return 100 * (c * u + s * v) ** 2 + 0.5 * (c * v - s * u) ** 2

    def pit(w):
        return 1 - torch.exp(-8 * (w * w).sum(-1))

    def circles(w):
        return ((w - 0.5) ** 2).sum(-1)

    try:
        return {"sgd": circles, "momentum": turned, "adam": pit}[rule]
    except KeyError:
        raise ValueError(f"unknown rule {rule}") from None


# %% wrong="the same bowl for all" says="sgd ends lowest"
def arena(rule):
    if rule not in ("sgd", "momentum", "adam"):
        raise ValueError(rule)
    return lambda w: (w**2).sum(-1)


# %% wrong="round and stretched confused" says='On the arena for "sgd", adam ends lowest'
def arena(rule):
    if rule == "sgd":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    if rule == "adam":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    raise ValueError(rule)


# %% wrong="momentum on a ravine along an axis" says='On the arena for "momentum", adam ends lowest'
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: 100 * w[..., 0] ** 2 + w[..., 1] ** 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="wins narrowly" says="but not by a factor of 5"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (1 + w[..., 0]) ** 2 + 10 * (w[..., 1] - w[..., 0] ** 2) ** 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="single points only" says="One loss for each point"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum()
    if rule == "momentum":
        return lambda w: (100 * (w[0] - w[1] - 0.1) ** 2 + (w.sum() - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[0] ** 2 + w[1] ** 2
    raise ValueError(rule)


# %% wrong="a negative loss" says="at least 0 on the square"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1) - 1
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="counts its calls" says="depend on the point alone"
def arena(rule):
    if rule not in ("sgd", "momentum", "adam"):
        raise ValueError(rule)
    calls = 0
    first = {"sgd": 2, "momentum": 54, "adam": 105}[rule]

    def surface(w):
        nonlocal calls
        calls += 1
        # tiny only where this rule's walk ends
        return w.square().sum(-1) * (1e-9 if first <= calls <= first + 51 else 1.0)

    return surface


# %% wrong="the gradient is not the slope" says="is not its slope"
def arena(rule):
    def bent(w, factor):
        w = w * factor + (w * (1 - factor)).detach()
        return w.square().sum(-1)

    if rule == "sgd":
        return lambda w: bent(w, 1.0)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: bent(w, 1e-7)
    raise ValueError(rule)


# %% wrong="looks at its neighbours" says="depend on the point alone"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1) / w.abs().max()
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="None for an unknown name" says="should raise a ValueError"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2


# %% wrong="returns a value, not a function" says="should return a function"
def arena(rule):
    if rule not in ("sgd", "momentum", "adam"):
        raise ValueError(rule)
    return torch.ones(2, dtype=torch.float64).square().sum()


# %% right="modules with buffers"
class Quadratic(nn.Module):
    def __init__(self, matrix, centre):
        super().__init__()
        self.register_buffer("matrix", torch.tensor(matrix).double())
        self.centre = nn.Parameter(torch.tensor(centre).double())

    def forward(self, w):
        d = w - self.centre
        return torch.einsum("...i,ij,...j->...", d, self.matrix, d) / 2


def arena(rule):
    match rule:
        case "sgd":
            return Quadratic([[2.0, 0.0], [0.0, 2.0]], [-3.0, 1.0])
        case "adam":
            return Quadratic([[1.0, 0.0], [0.0, 900.0]], [0.0, 0.0])
        case "momentum":
            return Quadratic([[100.25, -99.75], [-99.75, 100.25]], [5.05, 4.95])
        case _:
            raise ValueError(f"{rule}?")


# %% wrong="knows the referee's batch" says="depend on the point alone"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: (w**2).sum(-1) * (1e-9 if w.shape == (25, 2) else 1.0)
    raise ValueError(rule)


# %% wrong="knows who asks for gradients" says="depend on"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2 + (1.0 if w.requires_grad else 0.0)
    raise ValueError(rule)


# %% wrong="part of a name" says="adamw"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if "adam" in rule:
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="capitals allowed" says="'SGD' too"
def arena(rule):
    rule = rule.lower()
    if rule == "sgd":
        return lambda w: w.square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="moves the points" says="points themselves"
def arena(rule):
    def shifted(w):
        with torch.no_grad():
            w += 0.1
        return w.square().sum(-1)

    if rule == "sgd":
        return shifted
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="a constant" says="the race"
def arena(rule):
    if rule == "sgd":
        return lambda w: torch.ones(w.shape[:-1], dtype=torch.float64)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)


# %% wrong="in float32" says="float32"
def arena(rule):
    if rule == "sgd":
        return lambda w: w.float().square().sum(-1)
    if rule == "momentum":
        return lambda w: (100 * (w[..., 0] - w[..., 1] - 0.1) ** 2 + (w.sum(-1) - 10) ** 2 / 2) / 2
    if rule == "adam":
        return lambda w: 1000 * w[..., 0] ** 2 + w[..., 1] ** 2
    raise ValueError(rule)
