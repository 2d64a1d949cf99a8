# %% right="restores everything by hand"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state = copy.deepcopy(model.state_dict())
    modes = {m: m.training for m in model.modules()}
    grads = {p: p.grad for p in model.parameters()}
    for p in model.parameters():
        p.grad = None
    optimizer = make_optimizer(model.parameters(), lr=low)
    rates, losses = [], []
    try:
        model.train()
        for i in range(steps):
            rate = low * (high / low) ** (i / (steps - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            x, y = batches[i % len(batches)]
            loss = loss_fn(model(x), y)
            rates.append(rate)
            losses.append(loss.item())
            if not losses[-1] <= stop * losses[0] or losses[-1] == math.inf:
                break
            model.zero_grad()
            loss.backward()
            optimizer.step()
    finally:
        model.load_state_dict(state)
        for m, mode in modes.items():
            m.training = mode
        for p, g in grads.items():
            p.grad = g
    return torch.tensor(rates), torch.tensor(losses)


# %% right="with ExponentialLR and itertools.cycle"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    from itertools import cycle, islice

    trial = copy.deepcopy(model).train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    scheduler = lr_scheduler.ExponentialLR(optimizer, (high / low) ** (1 / (steps - 1)))
    seen = []
    for x, y in islice(cycle(batches), steps):
        loss = loss_fn(trial(x), y)
        seen.append((optimizer.param_groups[0]["lr"], loss.item()))
        if not np.isfinite(seen[-1][1]) or seen[-1][1] > stop * seen[0][1]:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    table = torch.tensor(seen, dtype=torch.float64)
    return table[:, 0], table[:, 1]


# %% right="geomspace"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    rates, losses = [], []
    for i, rate in enumerate(np.geomspace(low, high, steps).tolist()):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
    return torch.tensor(rates), torch.tensor(losses)


# %% right="a list comes back"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return [torch.tensor(rates), torch.tensor(losses)]


# %% wrong="evenly spaced" says="evenly spaced"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate += (high - low) / (steps - 1)
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="steps gaps" says="The last rate should be `high`"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / steps)
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="first rate is above low" says="The first rate should be `low`"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / steps)
    rates, losses, rate = [], [], low * (high / low) ** (1 / steps)
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="trains the model itself" says="trained afterwards"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = model
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="restores from an alias" says="trained afterwards"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state, trial = model.state_dict(), model
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    model.load_state_dict(state)
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="a shallow copy" says="trained afterwards"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.copy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="restores weights, not buffers" says="running statistics"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    kept, trial = [p.detach().clone() for p in model.parameters()], model
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    for p, old in zip(model.parameters(), kept):
        p.data.copy_(old)
        p.grad = None
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="leaves the training mode" says="mode"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state, trial = copy.deepcopy(model.state_dict()), model
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    model.load_state_dict(state)
    model.zero_grad()
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="one mode for all" says="mode"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state, trial, was = copy.deepcopy(model.state_dict()), model, model.training
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    model.load_state_dict(state)
    model.zero_grad()
    model.train(was)
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="a gradient is left" says="gradient is left"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state, trial, was = copy.deepcopy(model.state_dict()), model, model.training
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    model.load_state_dict(state)
    model.train(was)
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="clears gradients that were there" says="gradients that were on the model"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    state, trial, was = copy.deepcopy(model.state_dict()), model, [m.training for m in model.modules()]
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    model.load_state_dict(state)
    model.zero_grad()
    for m, mode in zip(model.modules(), was):
        m.training = mode
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="losses after the update" says="after the updates"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        loss.backward()
        optimizer.step()
        losses.append(loss_fn(trial(x), y).item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="never sets the rate" says="All updates have the first rate"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["rate"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="sets the rate after the step" says="still has the first rate"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = rate
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="one rate ahead" says="second rate already"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="gradients add up" says="Gradients add up"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="no update" says="is there an update"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="the first group only" says="set it in every group"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        optimizer.param_groups[0]["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="a new optimiser each step" says="The momentum gets lost"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        optimizer = make_optimizer(trial.parameters(), lr=rate)
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="an optimiser made anew, with the state of the one before" says="should be called once"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        state = optimizer.state_dict()["state"]
        optimizer = make_optimizer(trial.parameters(), lr=rate)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="evaluation mode" says="not taken in training mode"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.eval()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="mode as it comes" says="not taken in training mode"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="does not stop" says="ends the sweep"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="stops at nan only" says="ends the sweep"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="does not notice nan" says="The second loss is nan"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="notices nan, but not infinity" says="The first loss is infinite"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if math.isnan(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="stops before noting" says="noted and ends"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        if losses and not loss.item() <= stop * losses[0]:
            break
        rates.append(rate)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="runs out of batches" says="IndexError"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="as many steps as batches" says="Four rates"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(min(steps, len(batches))):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="always the first batch" says="take the next one at each step"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[0]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="all rates even if it ended early" says="as many rates as losses"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.logspace(math.log10(low), math.log10(high), steps), torch.tensor(losses)


# %% wrong="cross-entropy for everybody" says="The weight goes 1"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = F.cross_entropy(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="stop relative to the lowest" says="times the *first*"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="four, whatever stop says" says="stop` times the first"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > 4 * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(rates), torch.tensor(losses)


# %% wrong="losses only" says="Two things"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return torch.tensor(losses)


# %% wrong="lists" says="gives a list"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model)
    trial.train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    factor = (high / low) ** (1 / (steps - 1))
    rates, losses, rate = [], [], low
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[i % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
        rate *= factor
    return rates, losses


# %% wrong="the optimiser of the original, the losses of the copy" says="of the very model that is asked"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model).train()
    optimizer = make_optimizer(model.parameters(), lr=low)
    rates = low * (high / low) ** (torch.arange(steps) / (steps - 1))
    losses = []
    for i in range(steps):
        optimizer.param_groups[0]["lr"] = rates[i].item()
        x, y = batches[i % len(batches)]
        loss = loss_fn(trial(x), y)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return rates[: len(losses)], torch.tensor(losses)


# %% wrong="the losses keep their graph" says="without a graph"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model).train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda i: (high / low) ** (i / (steps - 1)))
    rates, losses = [], []
    for i in range(steps):
        x, y = batches[i % len(batches)]
        rates.append(scheduler.get_last_lr()[0])
        losses.append(loss_fn(trial(x), y))
        if not losses[-1].isfinite() or losses[-1] > stop * losses[0]:
            break
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates), torch.stack(losses)


# %% right="LambdaLR, gradients from torch.autograd.grad"
def lr_finder(
    model, make_optimizer, batches, low=1e-5, high=10.0, steps=100, stop=4.0, loss_fn=F.cross_entropy
):
    trial = copy.deepcopy(model).train()
    optimizer = make_optimizer(trial.parameters(), lr=low)
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda i: (high / low) ** (i / (steps - 1)))
    rates, losses = [], []
    for i in range(steps):
        x, y = batches[i % len(batches)]
        rates.append(scheduler.get_last_lr()[0])
        losses.append(loss_fn(trial(x), y))
        if not losses[-1].isfinite() or losses[-1] > stop * losses[0]:
            break
        optimizer.zero_grad()
        for p, g in zip(
            [p for p in trial.parameters() if p.requires_grad],
            torch.autograd.grad(
                losses[-1], [p for p in trial.parameters() if p.requires_grad], allow_unused=True
            ),
        ):
            p.grad = g
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates), torch.stack(losses).detach()
