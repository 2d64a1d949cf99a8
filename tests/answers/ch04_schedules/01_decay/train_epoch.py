# %% right="two ifs prepared before the loop"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    by_batch = scheduler is not None and each == "batch"
    by_epoch = scheduler is not None and each == "epoch"
    used = []
    model.train()
    for x, y in batches:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if by_batch:
            scheduler.step()
    if by_epoch:
        scheduler.step()
    return used


# %% right="get_last_lr"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each: str = "epoch"):
    model.train(True)
    rates = []
    for inputs, targets in batches:
        optimizer.zero_grad(set_to_none=False)
        loss_fn(model(inputs), targets).backward()
        rates += [scheduler.get_last_lr()[0] if scheduler else optimizer.param_groups[0]["lr"]]
        optimizer.step()
        if scheduler and each == "batch":
            scheduler.step()
    if scheduler and each != "batch":
        scheduler.step()
    return rates


# %% right="a closure"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            return loss

        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step(closure)
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% right="clears before the loop and after each update"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    optimizer.zero_grad()
    rates = []
    for x, y in batches:
        loss_fn(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        rates.append(optimizer.param_groups[0]["lr"])
        if each == "batch" and scheduler is not None:
            scheduler.step()
    if each == "epoch" and scheduler is not None:
        scheduler.step()
    return rates


# %% right="gradients from autograd.grad"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for x, y in batches:
        gradients = torch.autograd.grad(loss_fn(model(x), y), parameters)
        for p, g in zip(parameters, gradients):
            p.grad = g
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        {"batch": scheduler.step if scheduler else int}.get(each, int)()
    {"epoch": scheduler.step if scheduler else int}.get(each, int)()
    return rates


# %% wrong="scheduler first" says="The list begins with 0.2"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        if scheduler is not None and each == "batch":
            scheduler.step()
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="notes the next rate" says="The list begins with 0.2"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="scheduler between the note and the update" says="the updates used the next rate"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        if scheduler is not None and each == "batch":
            scheduler.step()
        optimizer.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="epoch always" says="The list has 0.4 three times"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    if scheduler is not None:
        scheduler.step()
    return rates


# %% wrong="batch always" says="its one step belongs behind the loop"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return rates


# %% wrong="both" says="one step too many"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None:
        scheduler.step()
    return rates


# %% wrong="epoch before the pass" says="after the pass, not before it"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    return rates


# %% wrong="never steps by the epoch" says="the scheduler has not stepped at all"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    return rates


# %% wrong="never clears" says="and those from before the call count too"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="clears once" says="Gradients add up over the batches"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    optimizer.zero_grad()
    rates = []
    for x, y in batches:
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="clears after the update only" says="clear before `backward`, not after"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        optimizer.zero_grad()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="clears between backward and update" says="The weight has not moved"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        loss_fn(model(x), y).backward()
        optimizer.zero_grad()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="no training mode" says="The model should be in training mode"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="no scheduler is an error" says="This was the case: no scheduler"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if each == "batch":
            scheduler.step()
    if each == "epoch":
        scheduler.step()
    return rates


# %% wrong="one rate a pass" says="should have three rates"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = [optimizer.param_groups[0]["lr"]]
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="asks for the length" says="has no len()"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for i in range(len(batches)):
        x, y = batches[i]
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="all rates of all groups" says="The rates should be plain numbers"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="the last group" says="are not those that the updates should use"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[-1]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="a default of each batch" says="Without `each` the unit of time is an epoch"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="batch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="forgets to return" says="Is the `return` missing"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()


# %% wrong="steps an optimiser of its own" says="the trained weights are not"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        model.zero_grad()
        loss_fn(model(x), y).backward()
        rate = optimizer.param_groups[0]["lr"]
        rates.append(rate)
        torch.optim.SGD(model.parameters(), lr=rate).step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% right="to the model's device, counted, the rate from the state_dict"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    device = next(model.parameters()).device
    for _, (x, y) in enumerate(batches):
        x, y = x.to(device), y.to(device)
        for parameter in model.parameters():
            parameter.grad = None
        loss = loss_fn(model(x), y)
        loss.backward()
        rates.append(optimizer.state_dict()["param_groups"][0]["lr"])
        optimizer.step()
        if scheduler is None:
            continue
        if each == "batch":
            scheduler.step()
    if not (scheduler is None or each == "batch"):
        scheduler.step()
    return rates


# %% wrong="notes the default rate" says="The list has 0.4 three times"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.defaults["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates


# %% wrong="tells the scheduler the loss" says="the rates used are 0.4, 0.2, 0.1"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step(loss.item())
    if scheduler is not None and each == "epoch":
        scheduler.step(loss.item())
    return rates


# %% wrong="numbers the steps itself, anew in each pass" says="the rates used are 0.4, 0.2, 0.1"
def train_epoch(model, batches, loss_fn, optimizer, scheduler=None, each="epoch"):
    model.train()
    rates = []
    for i, (x, y) in enumerate(batches):
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step(i)
    if scheduler is not None and each == "epoch":
        scheduler.step()
    return rates
