# SPDX-License-Identifier: Apache-2.0
"""Seconds of one optimizer step of the U-Net that plugins/models/unet is, as one would write it in PyTorch.

Whole images of 256 x 256 in batches of 4, depth 4, width 16, batch normalization, Adam, weighted cross entropy. Images
are random and made beforehand, so that nothing but the step is timed.
Usage: plain_unet.py [--threads 2] [--steps 30] [--channels-last]
"""
import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Sequential):
    def __init__(self, inputs, outputs):
        layers = []
        for channels in (inputs, outputs):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class Unet(nn.Module):
    def __init__(self, depth=4, width=16):
        super().__init__()
        channels = [width << level for level in range(depth + 1)]
        self.encoder = nn.ModuleList([Block(a, b) for a, b in zip([3] + channels, channels)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(channels, channels[1:])][::-1])
        self.decoder = nn.ModuleList([Block(2 * a, a) for a in channels[:-1]][::-1])
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, features):
        skips = []
        for level, block in enumerate(self.encoder):
            features = block(F.max_pool2d(features, 2) if level else features)
            skips.append(features)
        for up, block, skip in zip(self.up, self.decoder, skips[-2::-1]):
            features = block(torch.cat([skip, up(features)], 1))
        return self.head(features)[:, 0]


parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=30)
parser.add_argument("--channels-last", action="store_true")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
model = Unet()
images = torch.rand(4, 3, 256, 256)
masks = (torch.rand(4, 256, 256) > 0.95).float()
if arguments.channels_last:
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def step():
    optimizer.zero_grad()
    logits = model(images - 0.5)
    loss = (masks * F.softplus(-logits) + 0.05 * (1 - masks) * F.softplus(logits)).mean()
    loss.backward()
    optimizer.step()


for _ in range(3):
    step()
start = time.perf_counter()
for _ in range(arguments.steps):
    step()
layout = "channels last" if arguments.channels_last else "default layout"
print(f"PyTorch {torch.__version__}, {layout}: {(time.perf_counter() - start) / arguments.steps:.4f} s a step")
