"""What tests do with the learner's functions, modules and optimisers works across two processes."""

import pytest

CROSSINGS = {
    "values as what they are": (
        "def f(x): return x",
        """
        for value in (None, True, 1, 10**40, 0.5, math.inf, "é", 1j, (1, [2.0, {"a": {3}}]), range(3), torch.float64):
            assert f(value) == value and type(f(value)) is type(value)
        """,
    ),
    "gradients through the learner's function": (
        "def f(x): return (x**3).sum()",
        """
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = f(2 * x)
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        assert torch.allclose(slope, 24 * x**2)
        (bend,) = torch.autograd.grad(slope.sum(), x)
        assert torch.allclose(bend, 48 * x)
        """,
    ),
    "gradients are counted once": (
        "def f(x, g):\n    a, b = x.chunk(2)\n    return g(a) * b",
        """
        x = torch.randn(6, requires_grad=True)
        g = lambda a: a.cumsum(0)
        (want,) = torch.autograd.grad((g(x[:3]) * x[3:]).sum(), x)
        (got,) = torch.autograd.grad(f(x, g).sum(), x)
        assert torch.allclose(got, want)
        """,
    ),
    "tensors filled in place keep object, memory and dtype": (
        "def f(x):\n    with torch.no_grad():\n        x.fill_(3)\n    return x",
        """
        layer = nn.Linear(3, 2)
        window, before = layer.weight.detach(), layer.weight
        assert f(layer.weight) is before
        assert (window == 3).all() and before.requires_grad and before.is_leaf
        """,
    ),
    "new memory is seen": (
        "def f(p): p.data = p.data + 1",
        """
        p = nn.Parameter(torch.zeros(2))
        window = p.detach()
        f(p)
        assert (p == 1).all() and (window == 0).all()
        """,
    ),
    "old memory is put back": (
        """
def f(model, loss):
    kept, found = [p.data for p in model.parameters()], []
    for t in (1.0, 2.0):
        for p, old in zip(model.parameters(), kept): p.data = old + t
        found.append(loss(model).item())
    for p, old in zip(model.parameters(), kept): p.data = old
    return found
""",
        """
        model, x = nn.Linear(2, 1), torch.ones(1, 2)
        start, window, y = copy.deepcopy(model.state_dict()), model.weight.detach(), model(x).item()
        first, second = f(model, lambda m: m(x).sum())
        assert abs(first - y - 3) < 1e-5 and abs(second - y - 6) < 1e-5
        assert all(torch.equal(v, start[k]) for k, v in model.state_dict().items())
        """,
    ),
    "lists, dicts and sets changed in place": (
        "def f(a, b, c):\n    a.append(4)\n    b['k']['n'] = 2\n    c.clear()",
        """
        a, b, c = [3], {"k": {"n": 1}}, {1}
        inner = b["k"]
        f(a, b, c)
        assert a == [3, 4] and inner == {"n": 2} and c == set()
        """,
    ),
    "a module of the learner's": (
        """
class Net(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p, self.inner = p, nn.Linear(3, 3)
    def forward(self, x):
        return self.inner(x) * self.p if self.training else x
""",
        """
        net = Net(p=2.0)
        assert isinstance(net, nn.Module) and issubclass(Net, nn.Module) and net.p == 2.0
        x = torch.randn(4, 3)
        model = nn.Sequential(net, nn.Tanh())
        want = torch.tanh(F.linear(x, net.inner.weight, net.inner.bias) * 2)
        assert torch.allclose(model(x), want)
        model(x).sum().backward()
        assert all(p.grad is not None for p in model.parameters())
        net.p = 1.0
        assert torch.allclose(net(x), net.inner(x))
        assert torch.equal(model.eval()[0](x), x)
        twin = copy.deepcopy(net).train().double()
        assert twin(x.double()).dtype == torch.float64
        assert net.state_dict().keys() == twin.state_dict().keys()
        """,
    ),
    "methods that a module has for itself": (
        """
def deaf(model):
    model = copy.deepcopy(model)
    layer = model[1].inner
    layer.train = lambda mode=True: layer
    model[0].forward = lambda x: x * layer.p
    return model
def undone(model):
    del model[0].forward
    return model
""",
        """
        class Around(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Dropout(0.5)
            def forward(self, x):
                return self.inner(x)
        model, x = nn.Sequential(nn.Linear(3, 3), Around()), torch.randn(4, 3)
        twin = deaf(model)
        assert twin.eval()[1].inner.training and torch.equal(twin[0](x), x * 0.5)
        assert undone(twin) is twin and torch.equal(twin[0](x), model[0](x))
        """,
    ),
    "a module that changes its class": (
        """
class On(nn.Dropout):
    training = property(lambda self: True, lambda self, mode: None)
def plain(): return nn.Dropout(0.5)
def switch(layer):
    layer.__class__ = On
    return layer
""",
        """
        layer, new = plain(), On(0.5)
        assert not layer.eval().training and new.eval().training
        assert switch(layer) is layer and type(layer) is On and layer.p == 0.5
        assert layer.eval().training and (layer(torch.ones(1000)) == 0).any()
        """,
    ),
    "a seed that the learner's code sets, whatever it asks the test": (
        """
def f(ask):
    torch.manual_seed(42)
    ask()
    return torch.randn(3)
""",
        """
        torch.manual_seed(0)
        first, between = f(lambda: 1), torch.randn(3)
        assert torch.equal(first, torch.randn(3, generator=torch.Generator().manual_seed(42)))
        assert torch.equal(f(lambda: 1), first) and not torch.equal(between, torch.randn(3))
        torch.manual_seed(0)
        assert torch.equal(f(lambda: 1), first) and torch.equal(torch.randn(3), between)
        drawn = [f(lambda: torch.rand(1)) for _ in range(2) if torch.manual_seed(0)]
        assert torch.equal(*drawn) and not torch.equal(drawn[0], first)
        """,
    ),
    "an optimiser of the learner's under torch's scheduler": (
        """
class Rule(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})
    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for p in group["params"]:
                p -= group["lr"] * p.grad
        return loss
""",
        """
        p = nn.Parameter(torch.ones(2))
        rule = Rule([p], lr=0.5)
        assert isinstance(rule, torch.optim.Optimizer)
        schedule = torch.optim.lr_scheduler.StepLR(rule, 1, gamma=0.1)
        def closure():
            rule.zero_grad()
            loss = p.square().sum()
            loss.backward()
            return loss
        rule.step(closure); schedule.step()
        assert torch.equal(p, torch.zeros(2)) and abs(rule.param_groups[0]["lr"] - 0.05) < 1e-9
        rule.param_groups[0]["lr"] = 1.0
        p.grad = torch.ones(2)
        assert rule.step() is None and torch.equal(p, -torch.ones(2))
        """,
    ),
    "torch's optimiser and a model in the learner's loop": (
        """
def train(model, batches, optimizer, loss_fn):
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
""",
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body, self.seen = nn.Linear(3, 2), []
            def forward(self, x):
                self.seen.append(len(x))
                return self.body(x)
        model = Net()
        twin = copy.deepcopy(model)
        batches = [(torch.randn(n, 3), torch.randint(2, (n,))) for n in (4, 5)]
        make = lambda m: torch.optim.Adam(m.parameters(), lr=0.1)
        rule = make(twin)
        for x, y in batches:
            rule.zero_grad(); F.cross_entropy(twin(x), y).backward(); rule.step()
        train(model, (b for b in batches), make(model), F.cross_entropy)
        assert model.seen == [4, 5]
        assert all(torch.allclose(a, b) for a, b in zip(model.parameters(), twin.parameters()))
        """,
    ),
    "torch.func on a function of the test's": (
        "def f(loss, w): return torch.func.hessian(loss)(w), torch.func.jvp(torch.func.grad(loss), (w,), (w,))[1]",
        """
        m = torch.randn(3, 3); m = m + m.T
        w = torch.randn(3)
        hessian, product = f(lambda w: w @ m @ w / 2, w)
        assert torch.allclose(hessian, m, atol=1e-5) and torch.allclose(product, m @ w, atol=1e-5)
        """,
    ),
    "a batch of gradients at once": (
        """
def f(loss, w):
    w = w.detach().requires_grad_()
    slope, = torch.autograd.grad(loss(w), w, create_graph=True)
    return torch.autograd.grad(slope, w, torch.eye(len(w)), is_grads_batched=True)[0]""",
        """
        w = torch.randn(3)
        assert torch.allclose(f(lambda w: (w ** 4).sum(), w), torch.diag(12 * w ** 2), atol=1e-5)
        """,
    ),
    "a call that torch writes down": (
        """
from torch.func import grad, linearize
def f(loss, w, v):
    return linearize(loss, w)[1](v), linearize(grad(loss), w)[1](v)""",
        """
        w, v = torch.randn(3), torch.randn(3)
        once, twice = f(lambda w: (w ** 3).sum(), w, v)
        assert torch.allclose(once, 3 * w ** 2 @ v) and torch.allclose(twice, 6 * w * v)
        """,
    ),
    "Python's own random state": (
        "import random\ndef draws(): return random.random()\ndef seeds(): random.seed(0)",
        """
        import random
        random.seed(3)
        expected = random.Random(3).random()
        assert draws() == expected
        random.seed(3)
        state = random.getstate()
        seeds()
        assert random.getstate() != state and random.random() != random.Random(0).random()
        """,
    ),
    "generators, and a generator's state": (
        "def f(n, g):\n    for i in torch.randperm(n, generator=g): yield int(i)",
        """
        g, h = (torch.Generator().manual_seed(1) for _ in range(2))
        got = f(5, g)
        assert next(got) in range(5) and len(list(got)) == 4
        torch.randperm(5, generator=h)
        assert torch.equal(g.get_state(), h.get_state())
        """,
    ),
    "exceptions, of both sides": (
        "def f(g):\n    if g is None: raise ValueError('no g')\n    return g()",
        """
        class Own(Exception): pass
        def g(): raise Own("mine")
        try: f(None)
        except ValueError as error: assert str(error) == "no g"
        try: f(g)
        except Own as error: assert str(error) == "mine"
        else: assert False
        """,
    ),
    "hooks that the learner puts on the test's model": (
        """
def f(model, x):
    seen = []
    handle = model[0].register_forward_hook(lambda m, i, o: seen.append(o))
    model(x)
    handle.remove()
    return seen[0]
""",
        """
        model, x = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), torch.randn(4, 2)
        assert torch.equal(f(model, x), model[0](x)) and not model[0]._forward_hooks
        """,
    ),
    "autograd's switch left turned is noticed": (
        "def f(): torch.set_grad_enabled(False)",
        """
        f()
        assert not torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        """,
    ),
    "random draws go on, and states that the test sets are found": (
        "def f(): return torch.rand(3)\ndef g(): return torch.get_rng_state()\ndef h(s): torch.set_rng_state(s)",
        """
        torch.manual_seed(3)
        state = torch.get_rng_state()
        assert torch.equal(g(), state)
        first, second = f(), f()
        assert not torch.equal(first, second) and not torch.equal(torch.rand(3), first)
        h(state)
        assert torch.equal(torch.get_rng_state(), state)
        """,
    ),
    "tables of pandas": (
        "def f(t):\n    t = t.copy()\n    t['b'] = t.a * 2\n    return t",
        """
        import pandas as pd
        t = pd.DataFrame({"a": [1.5, 2.5], "n": ["x", "y"]})
        kept, got = t.copy(), f(t)
        assert list(got.b) == [3.0, 5.0] and list(got.n) == ["x", "y"] and t.equals(kept)
        """,
    ),
}


@pytest.mark.parametrize("what", CROSSINGS)
def test_what_tests_do_works_across(across, what):
    code, test = CROSSINGS[what]
    across(code).run("\n".join(line.removeprefix("        ") for line in test.splitlines()))


def test_what_cannot_cross_is_said(across):
    with pytest.raises(TypeError, match="cannot be given to the learner's code"):
        across("def f(x): pass").run("f(secret)", secret=pytest)
