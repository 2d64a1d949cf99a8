# %% right="a list of parts, in a loop"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.parts = (model, optimizer, scheduler)
        self.order = order

    def save(self, file, epoch):
        states = [part.state_dict() for part in self.parts]
        chance = [self.order.get_state(), torch.random.get_rng_state()]
        torch.save([states, chance, epoch], file)

    def load(self, file):
        states, (order, chance), epoch = torch.load(file, weights_only=True, map_location="cpu")
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)
        self.order.set_state(order)
        torch.random.set_rng_state(chance)
        return int(epoch)


# %% right="parameters and buffers by hand"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer, self.scheduler, self.order = model, optimizer, scheduler, order

    def _tensors(self):
        return [*self.model.parameters(), *self.model.buffers()]

    def save(self, file, epoch):
        torch.save(
            dict(
                tensors=[t.detach().clone() for t in self._tensors()],
                opt=self.optimizer.state_dict(),
                sched=self.scheduler.state_dict(),
                rng=(self.order.get_state(), torch.get_rng_state()),
                epoch=epoch,
            ),
            file,
        )

    def load(self, file):
        saved = torch.load(file)
        with torch.no_grad():
            for mine, theirs in zip(self._tensors(), saved["tensors"]):
                mine.copy_(theirs)
        self.scheduler.load_state_dict(saved["sched"])
        self.optimizer.load_state_dict(saved["opt"])
        self.order.set_state(saved["rng"][0])
        torch.set_rng_state(saved["rng"][1])
        return saved["epoch"]


# %% right="the state of the generators as lists"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer, self.scheduler, self.order = model, optimizer, scheduler, order

    def save(self, file, epoch):
        everything = {"epoch": epoch, "dice": torch.default_generator.get_state()}
        everything["batches"] = self.order.get_state().tolist()
        for name in ("model", "optimizer", "scheduler"):
            everything[name] = copy.deepcopy(getattr(self, name).state_dict())
        torch.save(everything, file)

    def load(self, file):
        everything = torch.load(file)
        for name in ("optimizer", "scheduler", "model"):
            getattr(self, name).load_state_dict(everything[name])
        self.order.set_state(torch.tensor(everything["batches"], dtype=torch.uint8))
        torch.default_generator.set_state(everything["dice"])
        return everything["epoch"]


# %% wrong="the model alone" says="The optimiser is not in the saved state"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        return parts["epoch"]


# %% wrong="without the optimiser" says="The optimiser is not in the saved state"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="without the scheduler" says="The scheduler is not in the saved state"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="without the order" says="The batches would come in another order"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="without the global generator" says="Dropout would draw other masks"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        return parts["epoch"]


# %% wrong="parameters without buffers" says="The model is not the saved one"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": {name: p.detach() for name, p in self.model.named_parameters()},
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"], strict=False)
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="pickles the objects" says="refuses your file"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model = parts["model"]
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="allows any object, and replaces the model" says="The model is not the saved one"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file, weights_only=False)
        self.model = parts["model"]
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="saves the generator itself" says="refuses your file"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order,
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="seeds anew" says="The batches would come in another order"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.initial_seed(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.manual_seed(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="seeds the global generator on both sides" says="Saving has changed the run"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.manual_seed(epoch)
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.manual_seed(parts["epoch"])
        return parts["epoch"]


# %% wrong="initial seed of the global generator" says="Dropout would draw other masks"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.initial_seed(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.manual_seed(parts["global"])
        return parts["epoch"]


# %% wrong="forgets to return the epoch" says="This should give a int"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])


# %% wrong="the next epoch" says="the epoch that was saved"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"] + 1


# %% wrong="keeps it in memory" says="`save` should write the file"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        self.parts = parts

    def load(self, file):
        parts = self.parts
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="a file of its own name" says="`save` should write the file"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        Checkpoint.memory = parts

    def load(self, file):
        parts = Checkpoint.memory
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="the rate alone of the optimiser" says="The optimiser is not in the saved state"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": [g["lr"] for g in self.optimizer.param_groups],
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        for g, lr in zip(self.optimizer.param_groups, parts["optimizer"]):
            g["lr"] = lr
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="last_epoch alone of the scheduler" says="The scheduler is not in the saved state"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.last_epoch,
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.last_epoch = parts["scheduler"]
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="paths only" says="save, warm-up"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, str(Path(file)))

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]


# %% wrong="draws after the global state is back" says="Dropout would draw other masks"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        self.warm = torch.rand(1)
        return parts["epoch"]


# %% wrong="returns epoch or 1" says="0 included"
class Checkpoint:
    def __init__(self, model, optimizer, scheduler, order):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)

    def load(self, file):
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"] or 1
