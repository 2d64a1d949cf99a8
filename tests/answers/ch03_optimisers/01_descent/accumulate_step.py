# %% right="slices"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    n, total = x.shape[0], 0.0
    optimizer.zero_grad(set_to_none=True)
    for i in range(0, n, micro):
        xb, yb = x[i : i + micro], y[i : i + micro]
        loss = loss_fn(model(xb), yb)
        (loss * xb.shape[0] / n).backward()
        total += loss.item() * xb.shape[0]
    optimizer.step()
    return total / n


# %% right="scales the gradients at the end"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = torch.zeros((), dtype=torch.float64)
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(yb)
        loss.backward()
        total += loss.detach()
    for p in model.parameters():
        if p.grad is not None:
            p.grad /= len(x)
    optimizer.step()
    return float(total / len(x))


# %% right="torch.autograd.grad, zeroes afterwards too"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    model.zero_grad()
    params = list(model.parameters())
    losses = []
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * (len(xb) / len(x))
        for p, g in zip(params, torch.autograd.grad(loss, params, allow_unused=True)):
            if g is not None:
                p.grad = g if p.grad is None else p.grad + g
        losses.append(loss.item())
    optimizer.step()
    optimizer.zero_grad()
    return sum(losses)


# %% right="scales by backward's argument"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    for p in model.parameters():
        p.grad = None
    mean = 0.0
    for start in range(0, len(x), micro):
        piece = slice(start, min(start + micro, len(x)))
        out = model(x[piece])
        loss = loss_fn(out, y[piece])
        share = len(out) / len(x)
        loss.backward(gradient=torch.full_like(loss, share))
        mean += share * float(loss)
    optimizer.step()
    return mean


# %% wrong="mean of the pieces" says="as if they were equal"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    pieces = list(zip(x.split(micro), y.split(micro)))
    total = 0.0
    for xb, yb in pieces:
        loss = loss_fn(model(xb), yb) / len(pieces)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="not divided" says="added up without weights"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="old gradients left" says="earlier step was still there"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="zeroes in the loop" says="do not zero the gradients between the pieces"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="steps in the loop, weighted" says="There was an update after each piece"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


# %% wrong="an ordinary epoch" says="There was an update after each piece"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb) / len(x)
    return total


# %% wrong="the whole batch at once" says="samples went through the model at once"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="one backward at the end" says="All pieces went forward"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    loss = sum(loss_fn(model(a), b) * len(a) / len(x) for a, b in zip(x.split(micro), y.split(micro)))
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="outputs glued together" says="All pieces went forward"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    loss = loss_fn(torch.cat([model(a) for a in x.split(micro)]), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong="never steps" says="is `step()` called"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    return total


# %% wrong="divides by micro" says="You divide by `micro`"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / micro
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="micro over n for all" says="You weigh each piece by micro / n"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * micro / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="drops the last piece" says="The last, smaller piece is missing"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for k in range(max(1, len(x) // micro)):
        xb, yb = x[k * micro : (k + 1) * micro], y[k * micro : (k + 1) * micro]
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="the last loss returned" says="You return the loss of the last piece"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb)
        (loss * len(xb) / len(x)).backward()
    optimizer.step()
    return loss.item()


# %% wrong="the mean of the losses returned" says="You return the mean of the pieces' losses"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    losses = []
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb)
        (loss * len(xb) / len(x)).backward()
        losses.append(loss.item())
    optimizer.step()
    return sum(losses) / len(losses)


# %% wrong="a tensor returned" says="Python float"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total = total + loss.detach()
    optimizer.step()
    return total


# %% wrong="zeroes the optimiser after the loop" says="did not move"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.zero_grad()
    optimizer.step()
    return total


# %% right="the loss in a pass of its own, without autograd"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    n = len(x)
    with torch.no_grad():
        losses = [
            loss_fn(model(a), b).item() * len(a) for a, b in zip(x.split(micro), y.split(micro))
        ]
    model.zero_grad()
    for i in range(0, n, micro):
        part = loss_fn(model(x[i : i + micro]), y[i : i + micro])
        part.mul(min(micro, n - i) / n).backward()
    optimizer.step()
    return sum(losses) / n


# %% right="a DataLoader, and the closure of step"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    data = torch.utils.data.TensorDataset(x, y)

    def closure():
        optimizer.zero_grad()
        total = 0.0
        for a, b in torch.utils.data.DataLoader(data, batch_size=micro):
            loss = loss_fn(model(a), b) * (len(b) / len(data))
            torch.autograd.backward(loss)
            total += loss.item()
        return total

    return float(optimizer.step(closure))


# %% wrong="one by one" says="The samples go through one by one"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for i in range(len(x)):
        loss = loss_fn(model(x[i : i + 1]), y[i : i + 1]) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="chunk" says="The pieces should have `micro` samples each"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total, k = 0.0, math.ceil(len(x) / micro)
    for xb, yb in zip(x.chunk(k), y.chunk(k)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="shuffles first" says="follow the order of the batch"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total, order = 0.0, torch.randperm(len(x))
    for i in order.split(micro):
        loss = loss_fn(model(x[i]), y[i]) * len(i) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="targets first" says="takes the outputs first"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(yb, model(xb)) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


# %% wrong="evaluation mode" says="should stay in it"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    model.eval()
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = loss_fn(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    model.train()
    optimizer.step()
    return total


# %% wrong="a loss of its own" says="use the loss that you are given"
def accumulate_step(model, loss_fn, x, y, optimizer, micro):
    optimizer.zero_grad()
    total = 0.0
    for xb, yb in zip(x.split(micro), y.split(micro)):
        loss = F.mse_loss(model(xb), yb) * len(xb) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total
