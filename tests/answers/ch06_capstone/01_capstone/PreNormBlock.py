# %% right="a Sequential branch"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.branch = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width))
        for p in self.branch[2].parameters():
            nn.init.zeros_(p)

    def forward(self, x):
        return x + self.branch(x)


# %% right="silu by hand, torch.add"
class PreNormBlock(nn.Module):
    def __init__(self, width: int):
        super(PreNormBlock, self).__init__()
        self.dense, self.ln = nn.Linear(width, width), nn.LayerNorm((width,))
        self.dense.weight.data.zero_()
        self.dense.bias.data.fill_(0.0)

    def forward(self, x):
        z = self.ln(x)
        return torch.add(x, self.dense(z * torch.sigmoid(z)))


# %% right="in steps, with a clone"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)
        with torch.no_grad():
            self.linear.weight *= 0
            self.linear.bias *= 0
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.act = nn.SiLU()

    def forward(self, x):
        road = x.clone()
        x = self.norm(x)
        x = self.act(x)
        x = self.linear(x)
        return road + x


# %% wrong="no road" says="is missing"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return self.linear(F.silu(self.norm(x)))


# %% wrong="post-norm" says="the norm belongs into the branch"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return self.norm(x + self.linear(F.silu(x)))


# %% wrong="the road is normalised" says="the norm belongs into the branch"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        x = self.norm(x)
        return x + self.linear(F.silu(x))


# %% wrong="PyTorch's own draw" says="A new block should pass its input on"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x):
        return x + self.linear(F.silu(self.norm(x)))


# %% wrong="the bias is not zero" says="A new block should pass its input on"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)

    def forward(self, x):
        return x + self.linear(F.silu(self.norm(x)))


# %% wrong="norm, linear, activation" says="your activation comes last"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + F.silu(self.linear(self.norm(x)))


# %% wrong="no activation" says="no activation in the branch"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + self.linear(self.norm(x))


# %% wrong="the norm is not used" says="does not normalise its input"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + self.linear(F.silu(x))


# %% wrong="in place" says="changes its input"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, 1e-9)

    def forward(self, x):
        with torch.no_grad():
            x += 1.0
        return x + self.linear(F.silu(self.norm(x)))


# %% wrong="adds in place" says="changes its input"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        x += self.linear(F.silu(self.norm(x)))
        return x


# %% wrong="batch norm" says="one nn.LayerNorm and one nn.Linear"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.BatchNorm1d(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + self.linear(F.silu(self.norm(x)))


# %% wrong="ReLU" says="should be SiLU"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + self.linear(F.relu(self.norm(x)))


# %% wrong="layers made in forward" says="Are they attributes"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, x):
        linear = nn.Linear(self.width, self.width)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
        return x + linear(F.silu(nn.LayerNorm(self.width)(x)))


# %% wrong="frozen at zero" says="All parameters are trainable"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)
        self.linear.weight = nn.Parameter(torch.zeros(width, width), requires_grad=False)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return x + self.linear(F.silu(self.norm(x)))


# %% wrong="zeroed in each pass" says="With other weights"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x):
        return x + 0 * self.linear(F.silu(self.norm(x)))


# %% wrong="forgets super" says="before Module.__init__"
class PreNormBlock(nn.Module):
    def __init__(self, width):
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x):
        return x + self.linear(F.silu(self.norm(x)))
