"""Finite-key lengths of decoy-state BB84, computed from the papers with 50 digits and nothing of this project.

    python3 src/core/qkd/vectors/finite_key.py           compares each case of finite-key.json; exit code 1 if one differs
    python3 src/core/qkd/vectors/finite_key.py --change  the same with Lim's 21 replaced by 20: each case must differ

Lim et al. 2014 (arXiv:1311.7129), equations 1 to 5 and section IV; Rusca et al. 2018 (arXiv:1801.03443), appendix A, with
X and Z exchanged. Python's decimal alone. Names are the papers': n_X, s_0, s_1, v_1, phi.
"""

import json
import pathlib
import sys
from decimal import Decimal, getcontext

getcontext().prec = 50
D = Decimal
LN2 = D(2).ln()


def log2(x):
    return x.ln() / LN2


def entropy(p):
    return D(0) if p <= 0 or p >= 1 else -p * log2(p) - (1 - p) * log2(1 - p)


def channel(mu, q):
    """R and e of one intensity: detections with after-pulses, and the errors among them, per pulse."""
    eta = D(repr(q["detectorEfficiency"])) * D(10) ** (-D(repr(q["attenuationDbPerKm"])) * D(repr(q["distanceKm"])) / 10)
    p_dc, p_ap, e_mis = (D(repr(q[k])) for k in ("darkCountProbability", "afterPulseProbability", "misalignment"))
    light = (-eta * mu).exp()
    detections = 1 - (1 - 2 * p_dc) * light
    return detections * (1 + p_ap), p_dc + e_mis * (1 - light) + p_ap * detections / 2


def key_length(q, parts_of_lim=21):
    mus = [D(repr(m)) for m in q["intensities"]]
    ps = [D(repr(p)) for p in q["intensityProbabilities"]]
    p_x = D(repr(q["basisProbabilityX"]))
    e_sec, e_cor = D(repr(q["epsilonSecrecy"])), D(repr(q["epsilonCorrectness"]))
    n_x = D(q["blockSize"])
    n_z = n_x * ((1 - p_x) / p_x) ** 2
    parts = parts_of_lim if len(mus) == 3 else 19
    rates = [channel(mu, q) for mu in mus]
    mean = sum(p * r for p, (r, _) in zip(ps, rates))
    tau = [sum(p * (-mu).exp() * (mu if n else 1) for p, mu in zip(ps, mus)) for n in (0, 1)]

    def counts(n):
        seen = [n * p * r / mean for p, (r, _) in zip(ps, rates)]
        wrong = [n * p * e / mean for p, (_, e) in zip(ps, rates)]
        return seen, wrong

    def bound(values, sign):
        delta = (sum(values) / 2 * (parts / e_sec).ln()).sqrt()
        return [mu.exp() / p * (v + sign * delta) for mu, p, v in zip(mus, ps, values)]

    def events(n):
        seen, wrong = counts(n)
        up, low = bound(seen, 1), bound(seen, -1)
        if len(mus) == 3:
            m1, m2, m3 = mus
            s_0 = max(D(0), tau[0] * (m2 * low[2] - m3 * up[1]) / (m2 - m3))
            many = (m2**2 - m3**2) / m1**2 * (up[0] - s_0 / tau[0])
            s_1 = tau[1] * m1 * (low[1] - up[2] - many) / (m1 * (m2 - m3) - m2**2 + m3**2)
            v_1 = tau[1] * (bound(wrong, 1)[1] - bound(wrong, -1)[2]) / (m2 - m3)
        else:
            m1, m2 = mus
            delta = (sum(seen) / 2 * (parts / e_sec).ln()).sqrt()
            most = min(sum(seen), 2 * (tau[0] * bound(wrong, 1)[1] + delta))
            s_0 = max(D(0), tau[0] * (m1 * low[1] - m2 * up[0]) / (m1 - m2))
            many = (m2 / m1) ** 2 * up[0] + (m1**2 - m2**2) / m1**2 * most / tau[0]
            s_1 = tau[1] * m1 / (m2 * (m1 - m2)) * (low[1] - many)
            v_1 = tau[1] * (bound(wrong, 1)[0] - bound(wrong, -1)[1]) / (m1 - m2)
        return s_0, max(D(0), s_1), min(max(D(0), v_1), sum(wrong)), sum(wrong) / n

    s_x0, s_x1, _, qber = events(n_x)
    _, s_z1, v_z1, _ = events(n_z)
    if s_x1 <= 0 or s_z1 <= 0 or 2 * v_z1 >= s_z1:
        phi = D(1) / 2
    else:
        b = v_z1 / s_z1
        spread = (s_z1 + s_x1) * (1 - b) * b / (s_z1 * s_x1)
        inside = (s_z1 + s_x1) / (s_z1 * s_x1 * (1 - b) * b) * (parts / e_sec) ** 2 if spread > 0 else D(1)
        phi = min(D(1) / 2, b + (spread / LN2 * log2(inside)).sqrt())
    leak = D(repr(q["errorCorrectionEfficiency"])) * n_x * entropy(qber)
    length = s_x0 + s_x1 * (1 - entropy(phi)) - leak - 6 * log2(parts / e_sec) - log2(2 / e_cor)
    return {
        "keyLength": length,
        "vacuumX": s_x0,
        "singlePhotonX": s_x1,
        "singlePhotonZ": s_z1,
        "singlePhotonErrorsZ": v_z1,
        "phaseErrorRate": phi,
        "qber": qber,
    }


def main():
    parts = 20 if "--change" in sys.argv else 21
    path = pathlib.Path(__file__).with_name("finite-key.json")
    cases = json.loads(path.read_text())["cases"]
    worst, differing = D(0), 0
    for case in cases:
        own = key_length(case["parameters"], parts)
        off = max(abs(own[k] - D(repr(case[k]))) / max(D(1), abs(own[k])) for k in own)
        worst, differing = max(worst, off), differing + (off > D("1e-9"))
    print(f"{len(cases)} cases, {differing} differ by more than 1e-9, at most {worst:.1e}")
    return 1 if differing or not cases else 0


sys.exit(main())
