# %% right="a counter, copies by clone"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    def snapshot():
        return {name: value.detach().clone() for name, value in model.state_dict().items()}

    best, best_epoch, state, waited, losses = float("inf"), 0, snapshot(), 0, []
    for epoch in range(max_epochs):
        model.train()
        for inputs, targets in batches():
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            now = valid_loss(model)
        losses.append(now)
        if math.isnan(now) or math.isinf(now):
            break
        if now < best:
            best, best_epoch, state, waited = now, epoch + 1, snapshot(), 0
        else:
            waited += 1
            if waited == patience:
                break
    model.load_state_dict(state)
    return dict(best_epoch=best_epoch, losses=losses)


# %% right="while, and a deep copy of the model"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    keeper, losses, best_epoch = copy.deepcopy(model), [], 0
    criterion = nn.CrossEntropyLoss()
    while len(losses) < max_epochs:
        model.train(True)
        for x, y in batches():
            model.zero_grad()
            optimizer.zero_grad(set_to_none=True)
            criterion(model(x), y).backward()
            optimizer.step()
            scheduler.step() if scheduler is not None else None
        model.train(False)
        with torch.inference_mode():
            losses += [float(valid_loss(model))]
        if not np.isfinite(losses[-1]):
            break
        if losses[-1] < min(losses[:-1], default=math.inf):
            best_epoch, keeper = len(losses), copy.deepcopy(model)
        elif len(losses) - best_epoch >= patience:
            break
    model.load_state_dict(keeper.state_dict())
    model.eval()
    return {"best_epoch": best_epoch, "losses": losses}


# %% right="saved into memory"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    import io

    def save():
        buffer = io.BytesIO()
        torch.save(model.state_dict(), buffer)
        return buffer

    story, kept, best = {"best_epoch": 0, "losses": []}, save(), math.inf
    for epoch in range(1, 1 + max_epochs):
        model.train()
        for x, y in batches():
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        with torch.no_grad():
            loss = valid_loss(model.eval())
        story["losses"].append(loss)
        if not math.isfinite(loss):
            break
        if loss < best:
            story["best_epoch"], kept, best = epoch, save(), loss
        if epoch >= story["best_epoch"] + patience:
            break
    kept.seek(0)
    model.load_state_dict(torch.load(kept))
    return story


# %% right="stops at the top of the next round"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    def one_epoch():
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            return valid_loss(model)

    losses, best, state = [], 0, copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        if losses and (epoch - 1 - best >= patience or not math.isfinite(losses[-1])):
            break
        losses.append(one_epoch())
        finite = [x for x in losses if math.isfinite(x)]
        if finite and math.isfinite(losses[-1]) and losses.index(min(finite)) == epoch - 1:
            best, state = epoch, copy.deepcopy(model.state_dict())
    model.load_state_dict(state)
    return {"best_epoch": best, "losses": losses}


# %% wrong="does not restore" says="weights of the last epoch"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch = losses[-1], epoch
        if epoch - best_epoch >= patience:
            break
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="references, not copies" says="is yours copied"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = model.state_dict()
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, model.state_dict()
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="a shallow copy of the dictionary" says="is yours copied"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = dict(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, dict(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="parameters only" says="restore buffers, too"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = [p.detach().clone() for p in model.parameters()]
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch = losses[-1], epoch
            state = [p.detach().clone() for p in model.parameters()]
        if epoch - best_epoch >= patience:
            break
    with torch.no_grad():
        for p, kept in zip(model.parameters(), state, strict=True):
            p.copy_(kept)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="never in evaluation mode" says="should see the model in evaluation mode"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    model.eval()
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="train once, before the loop" says="in training mode again after each evaluation"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    model.train()
    for epoch in range(1, max_epochs + 1):
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="gradients recorded in validation" says="under `torch.no_grad()`"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="one pass for all epochs" says="`batches()` should be called once an epoch"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    loader = batches()
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="forgets the brackets of batches" says="TypeError"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    losses = []
    for _ in range(max_epochs):
        model.train()
        for x, y in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        losses.append(valid_loss(model.eval()))
    return {"best_epoch": 1 + losses.index(min(losses)), "losses": losses}


# %% wrong="a schedule that steps once an epoch" says="should have made 12 steps, not 3"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        if scheduler is not None:
            scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="the schedule before the optimiser" says="not those of plain training"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            if scheduler is not None:
                scheduler.step()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="needs a scheduler" says="AttributeError"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="gradients add up" says="gradients that add up"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="clears the gradients only afterwards" says="gradients that add up"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="more than patience" says="stop after epoch 4, not 6"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch > patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="stops at the first rise" says="stop after epoch 4, not 3"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        else:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="patience in all, not in a row" says="in a row"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses, vain = math.inf, 0, [], 0
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        else:
            vain += 1
        if not math.isfinite(losses[-1]) or vain >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="compares with the epoch before" says="stop after epoch 4, not 6"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    last, best_epoch, losses, vain = math.inf, 0, [], 0
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < last:
            best_epoch, state, vain = epoch, copy.deepcopy(model.state_dict()), 0
        else:
            vain += 1
        last = losses[-1]
        if not math.isfinite(last) or vain >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="an equal loss is an improvement" says="An equal loss is no improvement"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] <= best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="goes on after nan" says="the run is lost"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="minus infinity wins" says="the best epoch is the one before"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if not math.isfinite(losses[-1]) or epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="a first loss of minus infinity wins" says="With losses [-inf] the best epoch is 0"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if epoch > 1 and not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if not math.isfinite(losses[-1]) or epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="asks for nan only" says="A validation loss of -inf is not finite either"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if math.isnan(losses[-1]) or epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="no state before the first epoch" says="TypeError"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses, state = math.inf, 0, [], None
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="keeps the lost weights" says="though no loss was finite"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses, state = math.inf, 0, [], None
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    if state is not None:
        model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="counts epochs from 0" says="epochs count from 1"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(max_epochs):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="back in training mode" says="Afterwards the model should be in evaluation mode"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    model.train()
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="ignores max_epochs" says="IndexError"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses, epoch = math.inf, 0, [], 0
    state = copy.deepcopy(model.state_dict())
    while epoch - best_epoch < patience:
        epoch += 1
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}


# %% wrong="returns the best model" says="This should give a dict"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    return copy.deepcopy(model)


# %% wrong="the sum of the losses" says="not those of plain training"
def fit_early(model, optimizer, batches, valid_loss, max_epochs, patience, scheduler=None):
    best, best_epoch, losses = math.inf, 0, []
    state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y, reduction="sum").backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < best:
            best, best_epoch, state = losses[-1], epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(state)
    return {"best_epoch": best_epoch, "losses": losses}
