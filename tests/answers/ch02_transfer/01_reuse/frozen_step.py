# %% right="detached features"
def frozen_step(body, head, x, y, optimizer):
    with torch.no_grad():
        features = body.eval()(x)
    optimizer.zero_grad()
    loss = nn.BCEWithLogitsLoss()(head.train()(features)[:, 0], y.to(features.dtype))
    loss.backward()
    optimizer.step()
    return float(loss)


# %% right="labels as a column"
def frozen_step(body, head, x, y, optimizer) -> float:
    body.train(False)
    head.train(True)
    optimizer.zero_grad()
    with torch.no_grad():
        f = body(x)
    z = head(f)
    loss = F.binary_cross_entropy_with_logits(z, y.unsqueeze(1).type_as(z))
    loss.backward()
    optimizer.step()
    return loss.detach().item()


# %% right="softplus by hand"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).flatten()
    loss = F.softplus(torch.where(y == 1, -z, z)).mean()
    head.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% right="inference, then a clone"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.inference_mode():
        features = body(x)
    features = features.clone()
    optimizer.zero_grad(set_to_none=True)
    scores = head(features).view(-1)
    loss = F.binary_cross_entropy_with_logits(scores, y.to(scores))
    value = loss.item()
    loss.backward()
    optimizer.step()
    return value


# %% right="a two-class cross-entropy with a logit of 0"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features)
    loss = F.cross_entropy(torch.cat([torch.zeros_like(z), z], dim=1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% right="torch.autograd.grad"
def frozen_step(body, head, x, y, optimizer):
    body.eval(), head.train()
    features = body(x).detach()
    z = head(features).squeeze(-1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    params = list(head.parameters())
    for p, g in zip(params, torch.autograd.grad(loss, params)):
        p.grad = g
    optimizer.step()
    return loss.item()


# %% wrong="body with autograd" says="The body got gradients"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    z = head(body(x)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="no eval" says="running statistics of the body"
def frozen_step(body, head, x, y, optimizer):
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="freezes by the flags" says="Leave the flags"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    body.requires_grad_(False)
    z = head(body(x)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="a sigmoid too many" says="a sigmoid too many"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    p = torch.sigmoid(head(features)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(p, y.float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="softmax over one output" says="softmax over a single output"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    loss = F.cross_entropy(head(features), torch.zeros_like(y))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="sigmoid and BCELoss" says="Large logits"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    p = torch.sigmoid(head(features)).squeeze(1)
    loss = F.binary_cross_entropy(p, y.to(p.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="logarithm by hand" says="Large logits"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    p = torch.sigmoid(head(features)).squeeze(1)
    loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="gradients add up" says="clear them"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="clears after the step only" says="old gradients cleared"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


# %% wrong="clears between backward and step" says="The head has not moved"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


# %% wrong="no step" says="The head has not moved"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


# %% wrong="sum instead of mean" says="That is the sum"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype), reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="a tensor" says="as a Python float"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# %% wrong="integer labels" says="raised"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    loss = F.binary_cross_entropy_with_logits(head(features).squeeze(1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="shapes differ" says="raised ValueError"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    loss = F.binary_cross_entropy_with_logits(head(features), y.float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="bare squeeze" says="raised ValueError"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze()
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="everything in no_grad" says="does not require grad"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        z = head(body(x)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="head stays as it is" says="The head should be in training mode"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="puts the body back in training mode" says="should stay in evaluation mode"
def frozen_step(body, head, x, y, optimizer):
    was = body.training
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    body.train(was)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="the loss after the update" says="after the update"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return F.binary_cross_entropy_with_logits(head(features).squeeze(1), y.to(z.dtype)).item()


# %% wrong="labels swapped" says="labels the other way round"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, 1 - y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="an optimiser of its own" says="the given optimiser"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=optimizer.param_groups[0]["lr"])
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="forgets to return" says="returned as a Python float"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %% right="a closure"
def frozen_step(body, head, x, y, optimizer):
    with torch.no_grad():
        features = body.eval()(x)
    head.train()

    def closure():
        optimizer.zero_grad()
        z = head(features).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
        loss.backward()
        return loss

    return optimizer.step(closure).item()


# %% right="flags down, and up again"
def frozen_step(body, head, x, y, optimizer):
    flags = [p.requires_grad for p in body.parameters()]
    body.requires_grad_(False).eval()
    head.train()
    z = head(body(x)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for p, flag in zip(body.parameters(), flags):
        p.requires_grad_(flag)
    return loss.item()


# %% right="logsigmoid, by the formula"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    t = y.to(z.dtype)
    loss = -(t * F.logsigmoid(z) + (1 - t) * F.logsigmoid(-z)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="eval too late" says="running statistics of the body"
def frozen_step(body, head, x, y, optimizer):
    head.train()
    with torch.no_grad():
        features = body(x)
    body.eval()
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="eval for the norms alone" says="should stay in evaluation mode"
def frozen_step(body, head, x, y, optimizer):
    for module in body.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="squared error of the probability" says="mean loss is ln 2"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    p = torch.sigmoid(head(features)).squeeze(1)
    loss = F.mse_loss(p, y.to(p.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="steps by hand" says="the given optimiser stepped"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in head.parameters():
            p -= optimizer.param_groups[0]["lr"] * p.grad
    return loss.item()


# %% wrong="two steps" says="moved twice as far"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


# %% wrong="returns the sum" says="That is the sum"
def frozen_step(body, head, x, y, optimizer):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    z = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(z, y.to(z.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item() * len(y)
