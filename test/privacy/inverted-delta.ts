// δ(ε) of composed mechanisms by inverting a Laplace transform on its saddle line: no loss is rounded, and no mesh is laid.

type Complex = readonly [re: number, im: number];

/** ln E[e^{sL}] of one step, under the distribution that its losses are drawn from. */
export type LogMoment = (s: Complex) => Complex;

/** Steps of one kind. */
export type Kind = { readonly logMoment: LogMoment; readonly steps: number };

/** Outcomes by weight and loss: whatever has a density is given by the trapezoid rule, which is exact for such densities. */
export function momentOf(outcomes: readonly { readonly weight: number; readonly loss: number }[]): LogMoment {
  const top = (re: number) => outcomes.reduce((most, { loss }) => Math.max(most, re * loss), -Infinity);
  return ([re, im]) => {
    const highest = top(re);
    let [a, b] = [0, 0];
    for (const { weight, loss } of outcomes) {
      const size = weight * Math.exp(re * loss - highest);
      a += size * Math.cos(im * loss);
      b += size * Math.sin(im * loss);
    }
    return [highest + Math.log(Math.hypot(a, b)), Math.atan2(b, a)];
  };
}

/**
 * ln δ(ε) = ln (1/2π) ∫ e^{Σ T K(c + iu) − (c + iu) ε} ÷ ((c + iu)(c + iu + 1)) du, c > 0 where the integrand is least.
 *
 * Formula: e^{−sε} ÷ (s (s + 1)) is the transform of (1 − e^{ε−ℓ})₊. The integrand falls like a normal density in u, so that
 *          equal steps lose nothing.
 * Needs:   steps enough that it does fall: no loss with an atom, or a sample that is hardly ever met, in nearly all of them.
 */
export function logDelta(kinds: readonly Kind[], epsilon: number): number {
  const exponent = (c: number) =>
    kinds.reduce((sum, { logMoment, steps }) => sum + steps * logMoment([c, 0])[0], 0) -
    c * epsilon -
    Math.log(c) -
    Math.log1p(c);
  let [low, high] = [Math.log(1e-3), Math.log(1e4)];
  for (let i = 0; i < 100; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (exponent(Math.exp(a)) < exponent(Math.exp(b))) high = b;
    else low = a;
  }
  const c = Math.exp((low + high) / 2);
  const peak = exponent(c);
  // It falls without end where ε is above every loss: this little is a bound by itself.
  if (peak < -300) return peak;
  const h = c * 1e-3;
  const curvature = (exponent(c + h) - 2 * peak + exponent(c - h)) / (h * h);
  // A sum over steps h adds what δ is at ε − 2πk/h, which is at most 1, times e^{−2πkc/h}: e^−30 of the least δ that counts.
  const step = Math.min(1 / (8 * Math.sqrt(curvature)), (2 * Math.PI * c) / (30 - Math.min(0, peak)));
  let sum = 0;
  for (let i = 0; ; i++) {
    const u = i * step;
    let [re, im] = [-c * epsilon, -u * epsilon];
    for (const { logMoment, steps } of kinds) {
      const [size, angle] = logMoment([c, u]);
      re += steps * size;
      im += steps * angle;
    }
    re -= 0.5 * Math.log((c * c + u * u) * ((c + 1) ** 2 + u * u));
    im -= Math.atan2(u, c) + Math.atan2(u, c + 1);
    sum += (i === 0 ? 1 : 2) * Math.exp(re - peak) * Math.cos(im);
    if (re < peak - 50) break;
    if (i > 1e5) throw new Error('Cannot invert as the integrand must fall');
  }
  // Where ε is above every loss nothing is left but rounding.
  return sum > 1e-9 ? peak + Math.log((sum * step) / (2 * Math.PI)) : -Infinity;
}

/** Outcomes of two densities on equal steps of x: losses of the first over the second, drawn from the first. */
export function outcomesOf(
  upper: (x: number) => number,
  lower: (x: number) => number,
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
): { readonly weight: number; readonly loss: number }[] {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step).flatMap((x) => {
    const loss = Math.log(upper(x) / lower(x));
    // Where doubles hold neither density there is no mass to speak of.
    return Number.isFinite(loss) ? [{ weight: upper(x) * step, loss }] : [];
  });
}
