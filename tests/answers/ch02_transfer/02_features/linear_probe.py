# %% right="Newton's method"
def linear_probe(features, labels, l2=1e-2):
    f = torch.cat([features.detach().double(), torch.ones(len(features), 1).double()], 1)
    y, n = labels.double(), len(labels)
    penalty = torch.full((f.shape[1],), l2, dtype=torch.float64)
    penalty[-1] = 0
    theta = torch.zeros_like(penalty)
    for _ in range(50):
        p = torch.sigmoid(f @ theta)
        g = f.T @ (p - y) / n + penalty * theta
        h = (f.T * (p * (1 - p))) @ f / n + torch.diag(penalty)
        step = torch.linalg.lstsq(h, g[:, None]).solution[:, 0]
        theta = theta - step * min(1.0, 5.0 / (float(step.norm()) + 1e-12))
    return theta[:-1].to(features.dtype), theta[-1].to(features.dtype)


# %% right="scikit-learn"
from sklearn.linear_model import LogisticRegression


def linear_probe(features, labels, l2=1e-2):
    f = features.detach().double().numpy()
    model = LogisticRegression(C=1 / (l2 * len(f)), tol=1e-10, max_iter=10_000)
    model.fit(f, labels.numpy())
    weight = torch.as_tensor(model.coef_[0]).to(features.dtype)
    return weight, torch.tensor(model.intercept_[0], dtype=features.dtype)


# %% right="SciPy, with the gradient written out"
import numpy as np
from scipy.optimize import minimize


def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double().numpy(), labels.double().numpy()

    def loss(theta):
        z = f @ theta[:-1] + theta[-1]
        pull = (1 / (1 + np.exp(-z)) - y) / len(y)
        value = np.mean(np.logaddexp(0, z) - y * z) + l2 / 2 * theta[:-1] @ theta[:-1]
        return value, np.append(f.T @ pull + l2 * theta[:-1], pull.sum())

    start = np.zeros(f.shape[1] + 1)
    options = {"gtol": 1e-9, "ftol": 0, "maxiter": 10_000}
    theta = torch.tensor(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x)
    return theta[:-1].to(features.dtype), theta[-1].to(features.dtype)


# %% right="L-BFGS on an nn.Linear, several calls"
def linear_probe(features: torch.Tensor, labels: torch.Tensor, l2: float = 1e-2):
    f = features.detach().to(torch.float64)
    y = labels.to(torch.float64).unsqueeze(1)
    head = nn.Linear(f.shape[1], 1, dtype=torch.float64)
    optimizer = torch.optim.LBFGS(head.parameters(), lr=1, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.BCEWithLogitsLoss()(head(f), y) + 0.5 * l2 * (head.weight**2).sum()
        loss.backward()
        return loss

    for _ in range(30):
        optimizer.step(closure)
    weight, bias = head.weight.detach().squeeze(0), head.bias.detach().squeeze(0)
    return weight.type_as(features), bias.type_as(features)


# %% wrong="a hundred steps of Adam" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    head = nn.Linear(features.shape[1], 1).to(features.dtype)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        z = head(features.detach()).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(z, labels.to(z.dtype))
        (loss + l2 / 2 * head.weight.square().sum()).backward()
        optimizer.step()
    return head.weight.detach()[0], head.bias.detach()[0]


# %% wrong="the sum instead of the mean" says="should be the *mean*"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (
            F.binary_cross_entropy_with_logits(f @ weight + bias, y, reduction="sum")
            + l2 / 2 * weight.square().sum()
        )
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="without the half" says="it should be half of that"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="the bias is penalised" says="The bias is penalised"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * (
            weight.square().sum() + bias**2
        )
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="no penalty" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="a penalty on the norm, not its square" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.norm()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="no bias" says="Without a bias"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="labels turned round" says="the other way round"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), 1 - labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="standardises the features" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    f = (f - f.mean(0)) / (f.std(0) + 1e-8)
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="weight of shape (1, d)" says="The shape should be"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype)[None], bias.detach().to(features.dtype)


# %% wrong="the bias keeps an axis" says="a single number"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)[None]


# %% wrong="parameters with their flag" says="`detach()` it"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight, bias


# %% wrong="gradients reach the features" says="reached the features"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward(retain_graph=True)
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="always float32" says="dtype of the features"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().float(), bias.detach().float()


# %% wrong="forgets to return" says="Return weight and bias"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    result = weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="only the weight" says="Return weight and bias"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype)


# %% wrong="a softmax cross-entropy of one output" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy((f @ weight + bias)[:, None], labels * 0) + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="a sigmoid too many" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=f.dtype, requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (
            F.binary_cross_entropy_with_logits(torch.sigmoid(f @ weight + bias), y)
            + l2 / 2 * weight.square().sum()
        )
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="least squares with a ridge" says="the weight should be 1"
def linear_probe(features, labels, l2=1e-2):
    f = features.detach().double()
    y = 2 * labels.double() - 1
    centred = f - f.mean(0)
    h = centred.T @ centred / len(f) + l2 * torch.eye(f.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve(h, centred.T @ (y - y.mean()) / len(f))
    bias = y.mean() - f.mean(0) @ weight
    return weight.to(features.dtype), bias.to(features.dtype)


# %% wrong="weight decay, which also holds the bias" says="The bias is penalised"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros(f.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight, bias], lr=0.5, momentum=0.9, weight_decay=l2)
    for _ in range(400):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(f @ weight + bias, y).backward()
        optimizer.step()
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)


# %% wrong="L-BFGS that stops after its default 20 iterations" says="not the minimum yet"
def linear_probe(features, labels, l2=1e-2):
    f, y = features.detach(), labels.to(features.dtype)
    weight = torch.zeros_like(f[0], requires_grad=True)
    bias = torch.zeros((), dtype=f.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias])

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y)
        loss = loss + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()
