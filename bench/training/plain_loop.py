#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Textbook PyTorch version of Algorithm 1 (Chu & Kitani 2020): the measuring stick, not part of nbs.
Usage: plain_loop.py IMAGES_DIR MASKS_DIR [--iters 20] [--lazy]   (needs Debian's python3-torch, python3-opencv)
MASKS_DIR holds CrackForest's .mat files (python3-scipy reads them; label 2 is anomalous) or NAME*.png pictures.
Prints seconds per iteration, by stage. --lazy evaluates unlabeled images only when visited (the best a user
would do by hand); without it every image is evaluated after every iteration, as the paper's pseudocode says.
Settings match pipelines' bench file: S=256 p=32 T=16 N=128 Nc=128 minibatch 32, AE 16/32/64 B=32, predictor 24 ch d=1,2,4,8,1
on 4 crops of 128, policy 5 conv + 2 fc on a 64x64 window."""
import argparse, glob, os, time, random
import cv2, numpy as np, torch, torch.nn as nn, torch.nn.functional as F
ap = argparse.ArgumentParser(); ap.add_argument('images'); ap.add_argument('masks'); ap.add_argument('--iters', type=int, default=20)
ap.add_argument('--lazy', action='store_true'); ap.add_argument('--threads', type=int, default=2); ap.add_argument('--seed', type=int, default=0)
ap.add_argument('--device', default='cpu')
a = ap.parse_args(); torch.set_num_threads(a.threads); torch.manual_seed(a.seed); random.seed(a.seed)
S, P, T, N, MB, W, STEP = 256, 32, 16, 128, 32, 64, 16
X, Y = [], []
for f in sorted(glob.glob(a.images + '/*')):
    n = os.path.splitext(os.path.basename(f))[0]; m = glob.glob(f'{a.masks}/{n}*.png'); t = f'{a.masks}/{n}.mat'
    if not m and not os.path.exists(t): continue
    X.append(cv2.resize(cv2.imread(f)[:, :, ::-1], (S, S), interpolation=cv2.INTER_AREA).transpose(2, 0, 1).astype(np.float32) / 255)
    if m: g = (cv2.imread(m[0], 0) > 127).astype(np.uint8)
    else:
        import scipy.io
        g = (scipy.io.loadmat(t)['groundTruth'][0, 0]['Segmentation'] == 2).astype(np.uint8)
    Y.append(cv2.resize(g, (S, S), interpolation=cv2.INTER_NEAREST).astype(np.float32))
X, Y = torch.from_numpy(np.stack(X)).to(a.device), torch.from_numpy(np.stack(Y)).to(a.device); D = len(X); L = list(range(5))
class AE(nn.Module):
    def __init__(s, C=16, B=32):
        super().__init__(); n = [3, C, 2*C, 4*C]
        s.e = nn.Sequential(*[k for i in range(3) for k in (nn.Conv2d(n[i], n[i+1], 4, 2, 1), nn.LeakyReLU(.2))], nn.Conv2d(4*C, B, 4))
        s.d = nn.Sequential(nn.ConvTranspose2d(B, 4*C, 4), nn.LeakyReLU(.2), nn.ConvTranspose2d(4*C, 2*C, 4, 2, 1), nn.LeakyReLU(.2), nn.ConvTranspose2d(2*C, C, 4, 2, 1), nn.LeakyReLU(.2), nn.ConvTranspose2d(C, 3, 4, 2, 1))
    def forward(s, x): return s.d(s.e(x))
class Predictor(nn.Module):
    def __init__(s, c=24):
        super().__init__(); l, i = [], T
        for k in (1, 2, 4, 8, 1): l += [nn.Conv2d(i, c, 3, padding=k, dilation=k), nn.BatchNorm2d(c), nn.ReLU()]; i = c
        s.n = nn.Sequential(*l, nn.Conv2d(c, 1, 1))
    def forward(s, x): return s.n(x)[:, 0]
class Policy(nn.Module):
    def __init__(s):
        super().__init__(); l, i = [], 5
        for o in (16, 32, 32, 64, 64): l += [nn.Conv2d(i, o, 3, 2, 1), nn.ReLU()]; i = o
        s.c = nn.Sequential(*l); s.f = nn.Sequential(nn.Flatten(), nn.Linear(64*4, 128), nn.ReLU(), nn.Linear(128, 9))
    def forward(s, x): return s.f(s.c(x))
nt = S // P
def tiles(x): return x.unfold(2, P, P).unfold(3, P, P).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, P, P)
def lossmaps(ae, x):
    with torch.no_grad(): l = torch.cat([((ae(c) - c) ** 2).mean(1) for c in (tiles(x) - .5).split(512)])
    return l.view(len(x), nt, nt, P, P).permute(0, 1, 3, 2, 4).reshape(len(x), S, S)
MOVES = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
def rollout(policy, images, loss, n):
    hist, where, logp, clone, cover = {}, [], [], [], []
    def new(): return random.choice(images), random.randint(0, S - P), random.randint(0, S - P)
    i, y, x = new()
    for _ in range(n):
        h = hist.setdefault(i, torch.zeros(S, S, device=a.device)); cy, cx = y + P // 2, x + P // 2
        st = F.pad(torch.cat([X[i], loss(i)[None], h[None]])[None], (W//2,)*4)[:, :, cy:cy+W, cx:cx+W]
        d = torch.distributions.Categorical(logits=policy(st)); act = d.sample(); logp.append(d.log_prob(act)); k = act.item()
        if k == 8: i, y, x = new()
        else: y = min(max(y + MOVES[k][0]*STEP, 0), S-P); x = min(max(x + MOVES[k][1]*STEP, 0), S-P)
        h = hist.setdefault(i, torch.zeros(S, S, device=a.device)); cover.append(1 - h[y:y+P, x:x+P].mean().item()); h[y:y+P, x:x+P] = 1
        if i in L: clone.append(1. if Y[i, y:y+P, x:x+P].sum() == 0 else -1.)
        where.append((i, y, x))
    return where, torch.cat(logp), clone, cover
def returns(r, g=.99):
    o, acc = [], 0.
    for v in reversed(r): acc = v + g * acc; o.append(acc)
    return torch.tensor(o[::-1], device=a.device)
pol, pred = Policy().to(a.device), Predictor().to(a.device); so, po = torch.optim.Adam(pol.parameters(), 1e-4), torch.optim.Adam(pred.parameters(), 2e-3)
ae = AE().to(a.device); ao = torch.optim.Adam(ae.parameters(), 2e-3); prof = torch.zeros(D, T, S, S, device=a.device); cur = torch.zeros(D, S, S, device=a.device); buf = []
tt = dict(rollout=0., ae=0., evaluate=0., predictor=0., policy=0.); t0 = time.perf_counter()
def tick(k, t): tt[k] += time.perf_counter() - t; return time.perf_counter()
for j in range(a.iters):
    t = time.perf_counter(); fresh = {}
    def loss(i):
        if not a.lazy or i in L: return cur[i]
        if i not in fresh: fresh[i] = lossmaps(ae, X[i:i+1])[0]
        return fresh[i]
    _, lp_c, clone, cover = rollout(pol, L, loss, N); where, lp, _, _ = rollout(pol, list(range(D)), loss, N); t = tick('rollout', t)
    for b in torch.stack([X[i, :, y:y+P, x:x+P] for i, y, x in where]).sub(.5).split(MB):
        l = ((ae(b) - b) ** 2).mean(); ao.zero_grad(); l.backward(); ao.step()
    t = tick('ae', t); idx = L if a.lazy else list(range(D)); cur[idx] = lossmaps(ae, X[idx]); prof[idx] = torch.cat([prof[idx][:, 1:], cur[idx][:, None]], 1)
    buf.append(prof[L].clone()); buf = buf[-80:]; t = tick('evaluate', t); xs, ys = [], []
    for _ in range(4):
        i = random.randrange(5); h = random.choice(buf)[i]; h = h / (h.mean() + 1e-8); oy, ox = random.randint(0, 128), random.randint(0, 128)
        xs.append(h[:, oy:oy+128, ox:ox+128]); ys.append(Y[L[i], oy:oy+128, ox:ox+128])
    lpred = F.binary_cross_entropy_with_logits(pred(torch.stack(xs)), torch.stack(ys), pos_weight=torch.tensor(8., device=a.device)); po.zero_grad(); lpred.backward(); po.step(); t = tick('predictor', t)
    beta = max(0., 1 - j / 1000); ret = returns([c + .1*v for c, v in zip(clone, cover)])
    loss_s = -(beta * (lp_c * ret).sum() + (1 - beta) * (lp * returns([0.]*(N-1) + [-lpred.item()])).sum()) / N
    so.zero_grad(); loss_s.backward(); so.step(); tick('policy', t)
s = (time.perf_counter() - t0) / a.iters
print('images', D, 'threads', a.threads, 'lazy', a.lazy, {k: round(v / a.iters * 1e3, 1) for k, v in tt.items()}, 'ms'); print(f'seconds_per_iteration {s:.4f}')
