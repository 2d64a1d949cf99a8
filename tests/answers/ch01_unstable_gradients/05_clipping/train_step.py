# %% right="PyTorch's own clipping"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    model.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if torch.isfinite(norm):
        optimizer.step()
    return float(loss), float(norm)


# %% right="returns early, before the clipping"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm: float = 1.0):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    norm = sum(g.double().pow(2).sum() for g in grads) ** 0.5
    if not bool(norm.isfinite()):
        optimizer.zero_grad()
        return loss.item(), norm.item()
    clip_by_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), norm.item()


# %% right="zeroes at the end as well"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    for p in model.parameters():
        p.grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = clip_by_norm_(model.parameters(), max_norm)
    if math.isnan(norm) or math.isinf(norm):
        return loss.item(), float(norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item(), float(norm)


# %% wrong="clips before backward" says="You clipped before `backward()`"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    loss = loss_fn(model(x), y)
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    optimizer.zero_grad()
    loss.backward()
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="zeroes, then clips before backward" says="clip after `backward()`"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    loss.backward()
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="clips after step" says="clip before `step()`"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    if math.isfinite(loss.item()):
        optimizer.step()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    return loss.item(), norm


# %% wrong="never zeroes" says="set it to zero first"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="zeroes between backward and step" says="The norm was taken when there was no gradient"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    optimizer.step()
    return loss.item(), norm


# %% wrong="steps whatever the norm" says="turned the weights into nan"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    optimizer.step()
    return loss.item(), norm


# %% wrong="sets a broken gradient to zero and steps" says="no step (nor a decayed memory)"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if not math.isfinite(norm):
        for p in model.parameters():
            if p.grad is not None:
                p.grad.zero_()
    optimizer.step()
    return loss.item(), norm


# %% wrong="skips every step that had to be clipped" says="did not move"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if norm <= max_norm:
        optimizer.step()
    return loss.item(), norm


# %% wrong="returns tensors" says="a tensor keeps the graph alive"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if torch.isfinite(norm):
        optimizer.step()
    return loss, norm


# %% wrong="returns the loss alone" says="Return two things"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    if math.isfinite(float(clip_by_norm_(model.parameters(), max_norm))):
        optimizer.step()
    return loss.item()


# %% wrong="the loss after the update" says="That is the loss after the update"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss_fn(model(x), y).backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss_fn(model(x), y).item(), norm


# %% wrong="the norm after clipping" says="You return the norm after clipping"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="clips by value" says="You clip by value"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), math.inf))
    nn.utils.clip_grad_value_(model.parameters(), max_norm)
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="ignores loss_fn" says="your code raised"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y.squeeze(1).long())
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="max_norm fixed at 1" says="You clip to 1 whatever"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), 1.0))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="forgets to step" says="did not move"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    return loss.item(), norm


# %% wrong="early return on broken loss" says="look at the norm"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    if not torch.isfinite(loss):
        return loss.item(), math.nan
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    optimizer.step()
    return loss.item(), norm


# %% wrong="drops only broken parameters" says="of the whole gradient that decides"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters() if p.grad is not None))
    for p in model.parameters():
        if p.grad is not None and not p.grad.isfinite().all():
            p.grad = None
    clip_by_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), norm


# %% wrong="skips norms over 1000" says="however huge"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if norm < 1000:
        optimizer.step()
    return loss.item(), norm


# %% wrong="clips each group of the optimiser" says="not those of a clipped step"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norms = [float(clip_by_norm_(g["params"], max_norm)) for g in optimizer.param_groups]
    norm = math.hypot(*norms)
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="cross-entropy always" says="That is the cross-entropy"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm


# %% wrong="zero loss reported for a broken batch" says="The loss of a broken batch is nan"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if not math.isfinite(norm):
        return 0.0, norm
    optimizer.step()
    return loss.item(), norm


# %% right="drops the gradients, and steps"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = clip_by_norm_(model.parameters(), max_norm)
    if not math.isfinite(norm):
        optimizer.zero_grad(set_to_none=True)
    optimizer.step()
    return loss.item(), float(norm)


# %% right="torch.autograd.grad"
def train_step(model, x, y, optimizer, loss_fn=F.cross_entropy, max_norm=1.0):
    params = [p for p in model.parameters() if p.requires_grad]
    loss = loss_fn(model(x), y)
    for p, g in zip(params, torch.autograd.grad(loss, params)):
        p.grad = g
    norm = nn.utils.clip_grad_norm_(params, max_norm).item()
    if norm - norm == 0:
        optimizer.step()
    return loss.item(), norm
