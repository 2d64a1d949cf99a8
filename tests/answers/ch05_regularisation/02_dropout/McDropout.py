# %% right="inherits from nn.Dropout"
class McDropout(nn.Dropout):
    def forward(self, x):
        return F.dropout(x, self.p)


# %% right="does not listen to eval"
class McDropout(nn.Dropout):
    def train(self, mode=True):
        return super().train(True)


# %% right="by hand"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


# %% right="where and bernoulli"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        keep = torch.bernoulli(torch.full_like(x, 1 - self.p)).bool()
        return torch.where(keep, x / (1 - self.p), 0.0)


# %% right="switches itself on before each call"
class McDropout(nn.Dropout):
    def forward(self, x):
        self.train()
        return super().forward(x)


# %% wrong="an ordinary dropout" says="In evaluation mode nothing is dropped"
class McDropout(nn.Dropout):
    pass


# %% wrong="follows self.training" says="In evaluation mode nothing is dropped"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, self.training)


# %% wrong="on in evaluation only" says="In training mode nothing is dropped"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, not self.training)


# %% wrong="p is the probability to be kept" says="of the elements are dropped"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, 1 - self.p, True)


# %% wrong="not scaled" says="divided by 1 − p"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p)


# %% wrong="p forgotten" says="of the elements are dropped"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, training=True)


# %% wrong="in place" says="changes its input"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, True, inplace=True)


# %% wrong="a fixed seed" says="two calls are the same"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        torch.manual_seed(0)
        return F.dropout(x, self.p, True)


# %% wrong="scaled in training only" says="In evaluation mode what stays"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        mask = torch.rand_like(x) >= self.p
        return x * mask / (1 - self.p) if self.training else x * mask


# %% wrong="a mask in the state_dict" says="state_dict should be empty"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.register_buffer("rate", torch.tensor(p))

    def forward(self, x):
        return F.dropout(x, self.p, True)


# %% wrong="eval forbidden" says="should"
class McDropout(nn.Dropout):
    def train(self, mode=True):
        self.training = True

    def eval(self):
        raise RuntimeError("should not be switched off")


# %% wrong="off under no_grad" says="Under no_grad two passes"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p, torch.is_grad_enabled())


# %% wrong="detached" says="raised"
class McDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x.detach(), self.p, True)
