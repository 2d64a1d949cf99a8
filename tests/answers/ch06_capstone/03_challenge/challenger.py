# %% right="88 units and nothing else"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(100), nn.Linear(100, 84), nn.ReLU(), nn.Linear(84, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(80):
        batch = torch.randint(len(labels), (50,))
        optimizer.zero_grad()
        F.cross_entropy(net(images[batch]), labels[batch]).backward()
        optimizer.step()
    return net


# %% right="dense, moved, 1cycle"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(100, 88), nn.SiLU(), nn.Linear(88, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=80)
    fill = float(images.median())
    for _ in range(80):
        index = torch.randint(len(labels), (50,))
        loss = F.cross_entropy(net(shifted(images[index], 1, fill)), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
    return net.eval()


# %% right="a deadline instead of steps, and an average of the weights"
def challenger(images, labels, seconds):
    import copy

    started = time.process_time()
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )  # fmt: skip
    average = copy.deepcopy(net)
    optimizer = torch.optim.NAdam(net.parameters(), lr=0.01)
    x = (images - images.mean()) / images.std()
    while time.process_time() - started < 0.2 * seconds:
        index = torch.randperm(len(labels))[:50]
        optimizer.zero_grad()
        F.cross_entropy(net(shifted(x[index], 1, float(x.median()))), labels[index]).backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 0.1)
    scale = nn.BatchNorm2d(1, affine=False)
    scale.running_mean.fill_(images.mean())
    scale.running_var.fill_(images.var())
    return nn.Sequential(scale, average)


# %% right="ignores its own mode: left in evaluation"
def challenger(images, labels, seconds):
    net = nn.Sequential(
        nn.Flatten(), nn.LayerNorm(100), nn.Linear(100, 80), nn.Dropout(0.3), nn.ReLU(), nn.Linear(80, 10)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3)
    for _ in range(60):
        batch = torch.randperm(400)[:100]
        optimizer.zero_grad()
        nn.CrossEntropyLoss(label_smoothing=0.1)(net(images[batch]), labels[batch]).backward()
        optimizer.step()
    return net.eval()


# %% wrong="too many parameters" says="numbers, and 10,000 are allowed"
def challenger(images, labels, seconds):
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 200), nn.ReLU(), nn.Linear(200, 10))


# %% wrong="keeps all images in a buffer" says="10,000 are allowed"
class Neighbour(nn.Module):
    def __init__(self, images, labels):
        super().__init__()
        self.register_buffer("images", images.flatten(1))
        self.register_buffer("labels", labels)

    def forward(self, x):
        return F.one_hot(self.labels[torch.cdist(x.flatten(1), self.images).argmin(1)], 10).float()


def challenger(images, labels, seconds):
    return Neighbour(images, labels)


# %% wrong="keeps all images outside of the state" says="keeps something outside"
class Neighbour(nn.Module):
    def __init__(self, images, labels):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.kept = [F.avg_pool2d(images, 3, 1, 1).flatten(1), F.one_hot(labels, 10).float()]

    def forward(self, x):
        near = torch.cdist(F.avg_pool2d(x, 3, 1, 1).flatten(1), self.kept[0]).topk(7, largest=False)
        return self.kept[1][near.indices].mean(1)


def challenger(images, labels, seconds):
    return Neighbour(images, labels)


# %% wrong="trains nothing" says="Has the network been trained"
def challenger(images, labels, seconds):
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 10))


# %% wrong="never steps" says="Has the network been trained"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
    return net


# %% wrong="learns the digits of scikit-learn" says="locked away while your function runs"
def challenger(images, labels, seconds):
    digits = load_digits()
    x = F.pad(torch.tensor(digits.images / 16).float(), (1,) * 4)[:, None]
    y = torch.tensor(digits.target)
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(100), nn.Linear(100, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net


# %% wrong="practises on tasks of its own while the clock runs" says="locked away while your function runs"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for seed in range(5):
        task = draw_task(seed)
        optimizer.zero_grad()
        F.cross_entropy(net(task.images), task.labels).backward()
        optimizer.step()
    return net


# %% wrong="no image beside its own label" says="Has the network been trained"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(100), nn.Linear(100, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(images[torch.randperm(400)]), labels).backward()
        optimizer.step()
    return net


# %% wrong="stops far too early" says="Has the network been trained"
def challenger(images, labels, seconds):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(100), nn.Linear(100, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    for _ in range(4):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return net


# %% wrong="too slow: a clock that runs ahead stands for a minute of training" says="laps of CPU time"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 80), nn.ReLU(), nn.Linear(80, 10))
    real = time.process_time
    time.process_time = lambda: real() + 60
    return net


# %% wrong="scores for the wrong number of classes" says="Ten scores an image"
def challenger(images, labels, seconds):
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 11))


# %% wrong="classes instead of scores" says="Ten scores an image"
class Decided(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 10)

    def forward(self, x):
        return self.layer(x.flatten(1)).argmax(1)


def challenger(images, labels, seconds):
    return Decided()


# %% wrong="expects flat images" says="new images of shape"
def challenger(images, labels, seconds):
    net = nn.Linear(100, 10)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    x = images.flatten(1)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(x), labels).backward()
        optimizer.step()
    return net


# %% wrong="returns the loss" says="This should give a Module"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 10))
    return F.cross_entropy(net(images), labels)


# %% wrong="forgets to return" says="Is the `return` missing"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 10))
    torch.optim.SGD(net.parameters(), lr=0.1)


# %% wrong="diverges" says="nan or infinite"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.Linear(100, 10), nn.ReLU(), nn.Linear(10, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e6)
    for _ in range(30):
        optimizer.zero_grad()
        F.mse_loss(net(images), F.one_hot(labels, 10).float()).backward()
        optimizer.step()
    return net


# %% wrong="statistics of the batch at hand" says="judged alone"
class Batch(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 10)

    def forward(self, x):
        x = x.flatten(1)
        return self.layer((x - x.mean(0)) / (x.std(0) + 1e-3))


def challenger(images, labels, seconds):
    net = Batch()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return net


# %% wrong="dropout that is always on" says="without dice"
class Shaky(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 10)

    def forward(self, x):
        return self.layer(F.dropout(x.flatten(1), 0.3))


def challenger(images, labels, seconds):
    net = Shaky()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return net


# %% wrong="one dense layer is not enough" says="the first rung is at"
def challenger(images, labels, seconds):
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(100), nn.Linear(100, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return net


# %% wrong="class means" says="the first rung is at"
class Nearest(nn.Module):
    def __init__(self, images, labels):
        super().__init__()
        means = torch.stack([images[labels == k].flatten(1).mean(0) for k in range(10)])
        self.register_buffer("means", means)

    def forward(self, x):
        return -torch.cdist(x.flatten(1), self.means)


def challenger(images, labels, seconds):
    return Nearest(images, labels)
