// Kernels over the rows of a cohort. Row i of a block starts at load<u32>(table + 4 i) + offset. Counts are in floats and
// multiples of 4; rows are padded with zeros. Plain SIMD only: the same bits on every machine.

@inline function rowAt(table: usize, i: i32, offset: usize): usize {
  return <usize>load<u32>(table + (<usize>i << 2)) + offset;
}

@inline function laneSum(v: v128): f64 {
  const pairs = f64x2.add(
    f64x2.promote_low_f32x4(v),
    f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)),
  );
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/**
 * out[k] = Σ weight_i row_i[k], eight rows a sweep, whose products are added in pairs; what is left is added pair by pair. Two
 * vectors at a time: count is a multiple of 8.
 */
export function combine(out: usize, table: usize, weights: usize, n: i32, offset: usize, count: i32): void {
  const end = out + (<usize>count << 2);
  memory.fill(out, 0, <usize>count << 2);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const w = weights + (<usize>i << 2);
    const w0 = v128.load_splat<f32>(w), w1 = v128.load_splat<f32>(w, 4), w2 = v128.load_splat<f32>(w, 8), w3 = v128.load_splat<f32>(w, 12);
    const w4 = v128.load_splat<f32>(w, 16), w5 = v128.load_splat<f32>(w, 20), w6 = v128.load_splat<f32>(w, 24), w7 = v128.load_splat<f32>(w, 28);
    let p0 = rowAt(table, i, offset), p1 = rowAt(table, i + 1, offset), p2 = rowAt(table, i + 2, offset), p3 = rowAt(table, i + 3, offset);
    let p4 = rowAt(table, i + 4, offset), p5 = rowAt(table, i + 5, offset), p6 = rowAt(table, i + 6, offset), p7 = rowAt(table, i + 7, offset);
    for (let o = out; o < end; o += 32) {
      const a0 = f32x4.add(f32x4.mul(w0, v128.load(p0)), f32x4.mul(w1, v128.load(p1)));
      const b0 = f32x4.add(f32x4.mul(w2, v128.load(p2)), f32x4.mul(w3, v128.load(p3)));
      const c0 = f32x4.add(f32x4.mul(w4, v128.load(p4)), f32x4.mul(w5, v128.load(p5)));
      const d0 = f32x4.add(f32x4.mul(w6, v128.load(p6)), f32x4.mul(w7, v128.load(p7)));
      v128.store(o, f32x4.add(v128.load(o), f32x4.add(f32x4.add(a0, b0), f32x4.add(c0, d0))));
      const a1 = f32x4.add(f32x4.mul(w0, v128.load(p0, 16)), f32x4.mul(w1, v128.load(p1, 16)));
      const b1 = f32x4.add(f32x4.mul(w2, v128.load(p2, 16)), f32x4.mul(w3, v128.load(p3, 16)));
      const c1 = f32x4.add(f32x4.mul(w4, v128.load(p4, 16)), f32x4.mul(w5, v128.load(p5, 16)));
      const d1 = f32x4.add(f32x4.mul(w6, v128.load(p6, 16)), f32x4.mul(w7, v128.load(p7, 16)));
      v128.store(o, f32x4.add(v128.load(o, 16), f32x4.add(f32x4.add(a1, b1), f32x4.add(c1, d1))), 16);
      p0 += 32; p1 += 32; p2 += 32; p3 += 32; p4 += 32; p5 += 32; p6 += 32; p7 += 32;
    }
  }
  if (i + 4 <= n) {
    const w = weights + (<usize>i << 2);
    const w0 = v128.load_splat<f32>(w), w1 = v128.load_splat<f32>(w, 4), w2 = v128.load_splat<f32>(w, 8), w3 = v128.load_splat<f32>(w, 12);
    let p0 = rowAt(table, i, offset), p1 = rowAt(table, i + 1, offset), p2 = rowAt(table, i + 2, offset), p3 = rowAt(table, i + 3, offset);
    for (let o = out; o < end; o += 32) {
      v128.store(o, f32x4.add(f32x4.add(v128.load(o), f32x4.add(f32x4.mul(w0, v128.load(p0)), f32x4.mul(w1, v128.load(p1)))), f32x4.add(f32x4.mul(w2, v128.load(p2)), f32x4.mul(w3, v128.load(p3)))));
      v128.store(o, f32x4.add(f32x4.add(v128.load(o, 16), f32x4.add(f32x4.mul(w0, v128.load(p0, 16)), f32x4.mul(w1, v128.load(p1, 16)))), f32x4.add(f32x4.mul(w2, v128.load(p2, 16)), f32x4.mul(w3, v128.load(p3, 16)))), 16);
      p0 += 32; p1 += 32; p2 += 32; p3 += 32;
    }
    i += 4;
  }
  if (i + 2 <= n) {
    const w0 = v128.load_splat<f32>(weights + (<usize>i << 2)), w1 = v128.load_splat<f32>(weights + (<usize>i << 2), 4);
    let p0 = rowAt(table, i, offset), p1 = rowAt(table, i + 1, offset);
    for (let o = out; o < end; o += 16) {
      v128.store(o, f32x4.add(v128.load(o), f32x4.add(f32x4.mul(w0, v128.load(p0)), f32x4.mul(w1, v128.load(p1)))));
      p0 += 16; p1 += 16;
    }
    i += 2;
  }
  if (i < n) {
    const w0 = v128.load_splat<f32>(weights + (<usize>i << 2));
    let p0 = rowAt(table, i, offset);
    for (let o = out; o < end; o += 16) {
      v128.store(o, f32x4.add(v128.load(o), f32x4.mul(w0, v128.load(p0))));
      p0 += 16;
    }
  }
}

/**
 * sums[i] += Σ row_i², sums[n + i] += Σ row_i · v, sums[2n + i] += Σ (row_i − v)²; two rows a sweep, float64 across runs of
 * 1024. A row alone is swept twice, to the same bits.
 */
export function products(sums: usize, v: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const line = <usize>n << 3;
  const end = v + (<usize>count << 2);
  for (let i = 0; i < n; i += 2) {
    const j = min(i + 1, n - 1);
    let p0 = rowAt(table, i, offset), p1 = rowAt(table, j, offset), q = v;
    let own0: f64 = 0, across0: f64 = 0, apart0: f64 = 0, own1: f64 = 0, across1: f64 = 0, apart1: f64 = 0;
    while (q < end) {
      const stop = min(q + 4096, end);
      let a0 = f32x4.splat(0), b0 = a0, c0 = a0, a1 = a0, b1 = a0, c1 = a0;
      for (; q < stop; q += 16, p0 += 16, p1 += 16) {
        const y = v128.load(q), x0 = v128.load(p0), x1 = v128.load(p1);
        const z0 = f32x4.sub(x0, y), z1 = f32x4.sub(x1, y);
        a0 = f32x4.add(a0, f32x4.mul(x0, x0));
        a1 = f32x4.add(a1, f32x4.mul(x1, x1));
        b0 = f32x4.add(b0, f32x4.mul(x0, y));
        b1 = f32x4.add(b1, f32x4.mul(x1, y));
        c0 = f32x4.add(c0, f32x4.mul(z0, z0));
        c1 = f32x4.add(c1, f32x4.mul(z1, z1));
      }
      own0 += laneSum(a0); across0 += laneSum(b0); apart0 += laneSum(c0);
      own1 += laneSum(a1); across1 += laneSum(b1); apart1 += laneSum(c1);
    }
    addSum(sums + (<usize>i << 3), line, own0, across0, apart0);
    if (j > i) addSum(sums + (<usize>j << 3), line, own1, across1, apart1);
  }
}

@inline function addSum(s: usize, line: usize, own: f64, across: f64, apart: f64): void {
  store<f64>(s, load<f64>(s) + own);
  store<f64>(s + line, load<f64>(s + line) + across);
  store<f64>(s + 2 * line, load<f64>(s + 2 * line) + apart);
}

/**
 * sums[i] += Σ (scale_i row_i − v)²; two rows a sweep, float64 across runs of 1024. A row alone is swept twice, to the same
 * bits.
 */
export function distances(sums: usize, v: usize, scales: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const bytes = <usize>count << 2;
  for (let i = 0; i < n; i += 2) {
    const j = min(i + 1, n - 1);
    const s0 = v128.load_splat<f32>(scales + (<usize>i << 2)), s1 = v128.load_splat<f32>(scales + (<usize>j << 2));
    let p0 = rowAt(table, i, offset), p1 = rowAt(table, j, offset), q = v;
    const end = v + bytes;
    let first: f64 = 0, second: f64 = 0;
    while (q < end) {
      const stop = min(q + 4096, end);
      let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0;
      for (; q + 32 <= stop; q += 32, p0 += 32, p1 += 32) {
        const y = v128.load(q), z = v128.load(q, 16);
        const c = f32x4.sub(f32x4.mul(s0, v128.load(p0)), y), d = f32x4.sub(f32x4.mul(s0, v128.load(p0, 16)), z);
        const e = f32x4.sub(f32x4.mul(s1, v128.load(p1)), y), f = f32x4.sub(f32x4.mul(s1, v128.load(p1, 16)), z);
        a0 = f32x4.add(a0, f32x4.mul(c, c));
        b0 = f32x4.add(b0, f32x4.mul(d, d));
        a1 = f32x4.add(a1, f32x4.mul(e, e));
        b1 = f32x4.add(b1, f32x4.mul(f, f));
      }
      first += laneSum(f32x4.add(a0, b0)); second += laneSum(f32x4.add(a1, b1));
    }
    const s = sums + (<usize>i << 3);
    store<f64>(s, load<f64>(s) + first);
    if (j > i) store<f64>(s, load<f64>(s, 8) + second, 8);
  }
}

/** sums[i] += Σ row_i². */
export function norms(sums: usize, table: usize, n: i32, offset: usize, count: i32): void {
  for (let i = 0; i < n; i++) {
    let own: f64 = 0;
    let p = rowAt(table, i, offset);
    const end = p + (<usize>count << 2);
    while (p < end) {
      const stop = min(p + 4096, end);
      let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
      for (; p + 64 <= stop; p += 64) {
        const x = v128.load(p), y = v128.load(p, 16), z = v128.load(p, 32), w = v128.load(p, 48);
        a = f32x4.add(a, f32x4.mul(x, x));
        b = f32x4.add(b, f32x4.mul(y, y));
        c = f32x4.add(c, f32x4.mul(z, z));
        d = f32x4.add(d, f32x4.mul(w, w));
      }
      for (; p < stop; p += 16) {
        const x = v128.load(p);
        a = f32x4.add(a, f32x4.mul(x, x));
      }
      own += laneSum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    }
    const s = sums + (<usize>i << 3);
    store<f64>(s, load<f64>(s) + own);
  }
}

/** Positive and negative coordinates: counts[i] += positives, counts[n + i] += negatives (u32). */
export function signs(counts: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < n; i++) {
    let p = rowAt(table, i, offset);
    const end = p + (<usize>count << 2);
    let positive = i32x4.splat(0), negative = i32x4.splat(0);
    for (; p < end; p += 16) {
      const x = v128.load(p);
      positive = i32x4.sub(positive, f32x4.gt(x, zero));
      negative = i32x4.sub(negative, f32x4.lt(x, zero));
    }
    addCount(counts + (<usize>i << 2), positive);
    addCount(counts + (<usize>(n + i) << 2), negative);
  }
}

@inline function addCount(at: usize, v: v128): void {
  store<u32>(at, load<u32>(at) + i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3));
}

/** The k-th smallest of n floats (Hoare's selection), which it reorders. */
function select(values: usize, n: i32, k: i32): f32 {
  let low = 0, high = n - 1;
  while (low < high) {
    const pivot = load<f32>(values + (<usize>((low + high) >> 1) << 2));
    let i = low, j = high;
    while (i <= j) {
      while (load<f32>(values + (<usize>i << 2)) < pivot) i++;
      while (load<f32>(values + (<usize>j << 2)) > pivot) j--;
      if (i > j) break;
      const a = values + (<usize>i << 2), b = values + (<usize>j << 2);
      const kept = load<f32>(a);
      store<f32>(a, load<f32>(b));
      store<f32>(b, kept);
      i++; j--;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return load<f32>(values + (<usize>k << 2));
}

const centreMembersMax = 8;

/**
 * Looks at a block of the rows before `pack` takes it tile by tile: which rows the centre is the mean of (the first 8 with
 * a norm in the block up to the lower median; their number, then their indices, go to `members`), and by what the packed
 * rows and the centre (n) are to be multiplied back: unscale is 1, or a power of two for what is so large or small that
 * float32 squares would leave their range. A row is as large as the centre that is taken from it: a tiny row beside a usual
 * centre is not stretched. Returns the number of rows that are not finite. Reading whole blocks row by row also brings
 * them nearer: the tiles that follow are read across.
 * scratch: 2 n floats; members: 9 u32.
 */
export function survey(members: usize, unscale: usize, scratch: usize, table: usize, n: i32, offset: usize, count: i32): i32 {
  const bytes = <usize>count << 2;
  const order = scratch + (<usize>n << 2);
  let bad = 0;
  for (let i = 0; i < n; i++) {
    const p = rowAt(table, i, offset);
    let norm2 = sumOfSquares(p, bytes);
    let reach: f32 = 1;
    if (!isUsual(norm2)) {
      reach = largest(p, bytes);
      if (!(reach < Infinity)) bad++;
      norm2 = rankOf(reach);
    }
    store<f32>(scratch + (<usize>i << 2), norm2);
    store<f32>(order + (<usize>i << 2), norm2);
    store<f64>(unscale + (<usize>i << 3), reach);
  }
  if (bad > 0) return bad;
  const limit = select(order, n, (n - 1) >> 1);
  let found = 0;
  let longest: f64 = 0;
  for (let i = 0; i < n && found < centreMembersMax; i++) {
    if (load<f32>(scratch + (<usize>i << 2)) > limit) continue;
    found++;
    store<u32>(members + (<usize>found << 2), i);
    longest = max(longest, load<f64>(unscale + (<usize>i << 3)));
  }
  store<u32>(members, found);
  const centreReach: f64 = isUsual(limit) ? 1 : longest;
  store<f64>(unscale + (<usize>n << 3), centreReach);
  for (let i = 0; i <= n; i++) {
    const at = unscale + (<usize>i << 3);
    const reach = <f32>max(load<f64>(at), centreReach);
    store<f64>(at, reach > 1e12 || (reach < 1e-12 && reach > 0) ? powerOfTwo(reach) : 1);
  }
  return 0;
}

/** Squares of values with this sum are far from both ends of float32. */
@inline function isUsual(norm2: f32): bool {
  return norm2 > 1e-20 && norm2 < 1e30;
}

/** In the place of a squared norm that left float32: grows with the largest value, and is on the same side of the usual. */
function rankOf(reach: f32): f32 {
  const bits = <f32>reinterpret<u32>(reach) * 1e-9;
  return reach > 1 ? 1e30 * (1 + bits) : 1e-21 * bits;
}

/** Packs a tile for a product elsewhere: row i = (row_i − centre) / unscale_i, pitch bytes apart, then the centre / unscale_n, then zero rows up to a multiple of 3. */
export function pack(packed: usize, pitch: usize, members: usize, unscale: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const bytes = <usize>count << 2;
  const centre = packed + <usize>n * pitch;
  centreOf(centre, bytes, members, table, offset);
  for (let i = 0; i < n; i++) {
    let p = rowAt(table, i, offset), c = centre, t = packed + <usize>i * pitch;
    const inverse = load<f64>(unscale + (<usize>i << 3));
    const end = p + bytes;
    if (inverse == 1) {
      for (; p < end; p += 32, c += 32, t += 32) {
        v128.store(t, f32x4.sub(v128.load(p), v128.load(c)));
        v128.store(t, f32x4.sub(v128.load(p, 16), v128.load(c, 16)), 16);
      }
    } else {
      const scale = f32x4.splat(<f32>(1 / inverse));
      for (; p < end; p += 16, c += 16, t += 16) {
        v128.store(t, f32x4.sub(f32x4.mul(scale, v128.load(p)), f32x4.mul(scale, v128.load(c))));
      }
    }
  }
  const own = f32x4.splat(<f32>(1 / load<f64>(unscale + (<usize>n << 3))));
  for (let c = centre; c < centre + bytes; c += 16) v128.store(c, f32x4.mul(own, v128.load(c)));
  for (let i = n + 1; i < ((n + 3) / 3) * 3; i++) memory.fill(packed + <usize>i * pitch, 0, bytes);
}

/** Bits of the spread of the members that their mean keeps. */
const centreBits = 6;

/**
 * The mean of the members to a few binary digits of their spread. Any centre does as long as it is near; one with few digits
 * leaves the differences of values with few digits exact, so that distances that are equal come out equal, and ties go to
 * the lowest row.
 */
function centreOf(centre: usize, bytes: usize, members: usize, table: usize, offset: usize): void {
  const count = load<u32>(members);
  const share = f32x4.splat(<f32>1 / <f32>count);
  // Eight pointers: where there are fewer members the first one stands in, with no share in the mean.
  const p0 = memberAt(members, 1, table, offset), p1 = memberAt(members, 2, table, offset), p2 = memberAt(members, 3, table, offset), p3 = memberAt(members, 4, table, offset);
  const p4 = memberAt(members, 5, table, offset), p5 = memberAt(members, 6, table, offset), p6 = memberAt(members, 7, table, offset), p7 = memberAt(members, 8, table, offset);
  const zero = f32x4.splat(0);
  const s1 = count > 1 ? share : zero, s2 = count > 2 ? share : zero, s3 = count > 3 ? share : zero, s4 = count > 4 ? share : zero;
  const s5 = count > 5 ? share : zero, s6 = count > 6 ? share : zero, s7 = count > 7 ? share : zero;
  const exponent = i32x4.splat(0x7f800000), digits = f32x4.splat(<f32>1 / <f32>(1 << centreBits));
  for (let k: usize = 0; k < bytes; k += 16) {
    const a = v128.load(p0 + k), b = v128.load(p1 + k), c = v128.load(p2 + k), d = v128.load(p3 + k);
    const e = v128.load(p4 + k), f = v128.load(p5 + k), g = v128.load(p6 + k), h = v128.load(p7 + k);
    const least = f32x4.pmin(f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d)), f32x4.pmin(f32x4.pmin(e, f), f32x4.pmin(g, h)));
    const most = f32x4.pmax(f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)), f32x4.pmax(f32x4.pmax(e, f), f32x4.pmax(g, h)));
    const first = f32x4.add(f32x4.add(f32x4.mul(share, a), f32x4.mul(s1, b)), f32x4.add(f32x4.mul(s2, c), f32x4.mul(s3, d)));
    const last = f32x4.add(f32x4.add(f32x4.mul(s4, e), f32x4.mul(s5, f)), f32x4.add(f32x4.mul(s6, g), f32x4.mul(s7, h)));
    const mean = f32x4.add(first, last);
    const spread = f32x4.sub(most, least);
    const grid = f32x4.mul(v128.and(spread, exponent), digits);
    const coarse = f32x4.mul(f32x4.nearest(f32x4.div(mean, grid)), grid);
    const isWide = v128.and(f32x4.gt(spread, f32x4.splat(1e-30)), f32x4.lt(spread, f32x4.splat(1e37)));
    const near = v128.bitselect(coarse, mean, isWide);
    v128.store(centre + k, v128.bitselect(most, near, f32x4.eq(spread, zero)));
  }
}

/** Where the m-th member begins, or the first where there are fewer. */
@inline function memberAt(members: usize, m: u32, table: usize, offset: usize): usize {
  return rowAt(table, load<u32>(members + (<usize>(m <= load<u32>(members) ? m : 1) << 2)), offset);
}

function sumOfSquares(p: usize, bytes: usize): f32 {
  const end = p + bytes;
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (; p + 64 <= end; p += 64) {
    const x = v128.load(p), y = v128.load(p, 16), z = v128.load(p, 32), w = v128.load(p, 48);
    a = f32x4.add(a, f32x4.mul(x, x));
    b = f32x4.add(b, f32x4.mul(y, y));
    c = f32x4.add(c, f32x4.mul(z, z));
    d = f32x4.add(d, f32x4.mul(w, w));
  }
  for (; p < end; p += 16) {
    const x = v128.load(p);
    a = f32x4.add(a, f32x4.mul(x, x));
  }
  return <f32>laneSum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/** The largest absolute value; NaN when there is one. */
function largest(p: usize, bytes: usize): f32 {
  const end = p + bytes;
  let most = f32x4.splat(0);
  for (; p < end; p += 16) most = f32x4.max(most, f32x4.abs(v128.load(p)));
  return max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
}

/** The power of two next to a positive float, from its exponent bits. */
function powerOfTwo(value: f32): f64 {
  const exponent = <i32>(reinterpret<u32>(value) >> 23) - 127;
  return reinterpret<f64>(<u64>(exponent + 1023) << 52);
}

/**
 * Packs a tile for `gram`: blocks of three rows, `pitch` bytes apart, in each of them four columns of row 3b, of 3b + 1 and of
 * 3b + 2 in turn, so that a block is one stream. Row i = (row_i − centre) / unscale_i, row n = centre / unscale_n, then zeros.
 * The centre is made in `centre`.
 */
export function packThrees(packed: usize, pitch: usize, centre: usize, members: usize, unscale: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const bytes = <usize>count << 2;
  centreOf(centre, bytes, members, table, offset);
  const end = centre + bytes;
  let i = 0;
  for (let block = packed; i <= n; i += 3, block += pitch) {
    const u = unscale + (<usize>i << 3);
    if (i + 3 <= n && load<f64>(u) == 1 && load<f64>(u, 8) == 1 && load<f64>(u, 16) == 1) {
      let p0 = rowAt(table, i, offset), p1 = rowAt(table, i + 1, offset), p2 = rowAt(table, i + 2, offset), t = block;
      for (let c = centre; c < end; c += 16, t += 48) {
        const y = v128.load(c);
        v128.store(t, f32x4.sub(v128.load(p0), y));
        v128.store(t, f32x4.sub(v128.load(p1), y), 16);
        v128.store(t, f32x4.sub(v128.load(p2), y), 32);
        p0 += 16; p1 += 16; p2 += 16;
      }
      continue;
    }
    for (let r = i; r < i + 3; r++) {
      let t = block + (<usize>(r - i) << 4);
      if (r < n) {
        let p = rowAt(table, r, offset);
        const scale = f32x4.splat(<f32>(1 / load<f64>(unscale + (<usize>r << 3))));
        for (let c = centre; c < end; c += 16, p += 16, t += 48) {
          v128.store(t, f32x4.sub(f32x4.mul(scale, v128.load(p)), f32x4.mul(scale, v128.load(c))));
        }
      } else if (r == n) {
        const scale = f32x4.splat(<f32>(1 / load<f64>(unscale + (<usize>n << 3))));
        for (let c = centre; c < end; c += 16, t += 48) v128.store(t, f32x4.mul(scale, v128.load(c)));
      } else {
        const zero = f32x4.splat(0);
        for (let c = centre; c < end; c += 16, t += 48) v128.store(t, zero);
      }
    }
  }
}

/**
 * gram[i m + j] += ⟨packed_i, packed_j⟩ · unscale_i · unscale_j for j in the 3-blocks up to that of i; m = 3 blocks. Rows lie
 * as `packThrees` leaves them: one address a block.
 */
export function gram(gram: usize, packed: usize, pitch: usize, unscale: usize, blocks: i32, count: i32): void {
  const bytes = <usize>count * 12;
  const m = blocks * 3;
  for (let bi = 0; bi < blocks; bi++) {
    const i0 = packed + <usize>bi * pitch;
    for (let bj = 0; bj <= bi; bj++) {
      let p = i0, q = packed + <usize>bj * pitch;
      let a00 = f32x4.splat(0), a01 = f32x4.splat(0), a02 = f32x4.splat(0);
      let a10 = f32x4.splat(0), a11 = f32x4.splat(0), a12 = f32x4.splat(0);
      let a20 = f32x4.splat(0), a21 = f32x4.splat(0), a22 = f32x4.splat(0);
      const end = p + bytes;
      // Not unrolled: nine sums, three x, one y and a product fill the registers; one more and they spill. V8 unrolls.
      while (p < end) {
        const x0 = v128.load(p), x1 = v128.load(p, 16), x2 = v128.load(p, 32);
        let y = v128.load(q);
        a00 = f32x4.add(a00, f32x4.mul(x0, y));
        a10 = f32x4.add(a10, f32x4.mul(x1, y));
        a20 = f32x4.add(a20, f32x4.mul(x2, y));
        y = v128.load(q, 16);
        a01 = f32x4.add(a01, f32x4.mul(x0, y));
        a11 = f32x4.add(a11, f32x4.mul(x1, y));
        a21 = f32x4.add(a21, f32x4.mul(x2, y));
        y = v128.load(q, 32);
        a02 = f32x4.add(a02, f32x4.mul(x0, y));
        a12 = f32x4.add(a12, f32x4.mul(x1, y));
        a22 = f32x4.add(a22, f32x4.mul(x2, y));
        p += 48; q += 48;
      }
      const u = unscale + (<usize>(bi * 3) << 3), v = unscale + (<usize>(bj * 3) << 3);
      const g = gram + (<usize>(bi * 3 * m + bj * 3) << 3);
      const row = <usize>m << 3;
      addThree(g, load<f64>(u), v, a00, a01, a02);
      addThree(g + row, load<f64>(u, 8), v, a10, a11, a12);
      addThree(g + 2 * row, load<f64>(u, 16), v, a20, a21, a22);
    }
  }
}

@inline function addThree(g: usize, u: f64, v: usize, a: v128, b: v128, c: v128): void {
  store<f64>(g, load<f64>(g) + laneSum(a) * u * load<f64>(v));
  store<f64>(g, load<f64>(g, 8) + laneSum(b) * u * load<f64>(v, 8), 8);
  store<f64>(g, load<f64>(g, 16) + laneSum(c) * u * load<f64>(v, 16), 16);
}

/** out_a = Σ_i matrix[a n + i] row_i on a tile; four rows by two vectors at a time. */
export function mix(out: usize, pitch: usize, matrix: usize, p: i32, table: usize, n: i32, offset: usize, count: i32): void {
  const bytes = <usize>count << 2;
  const line = <usize>n << 2;
  for (let a = 0; a < p; a += 4) {
    const m0 = matrix + <usize>a * line;
    const m1 = a + 1 < p ? m0 + line : m0, m2 = a + 2 < p ? m0 + 2 * line : m0, m3 = a + 3 < p ? m0 + 3 * line : m0;
    const o0 = out + <usize>a * pitch;
    const o1 = a + 1 < p ? o0 + pitch : o0, o2 = a + 2 < p ? o0 + 2 * pitch : o0, o3 = a + 3 < p ? o0 + 3 * pitch : o0;
    for (let k: usize = 0; k < bytes; k += 32) {
      let a0 = f32x4.splat(0), b0 = f32x4.splat(0), a1 = f32x4.splat(0), b1 = f32x4.splat(0);
      let a2 = f32x4.splat(0), b2 = f32x4.splat(0), a3 = f32x4.splat(0), b3 = f32x4.splat(0);
      for (let i = 0; i < n; i++) {
        const row = rowAt(table, i, offset) + k;
        const x = v128.load(row), y = v128.load(row, 16);
        const w = <usize>i << 2;
        let s = v128.load_splat<f32>(m0 + w);
        a0 = f32x4.add(a0, f32x4.mul(s, x));
        b0 = f32x4.add(b0, f32x4.mul(s, y));
        s = v128.load_splat<f32>(m1 + w);
        a1 = f32x4.add(a1, f32x4.mul(s, x));
        b1 = f32x4.add(b1, f32x4.mul(s, y));
        s = v128.load_splat<f32>(m2 + w);
        a2 = f32x4.add(a2, f32x4.mul(s, x));
        b2 = f32x4.add(b2, f32x4.mul(s, y));
        s = v128.load_splat<f32>(m3 + w);
        a3 = f32x4.add(a3, f32x4.mul(s, x));
        b3 = f32x4.add(b3, f32x4.mul(s, y));
      }
      v128.store(o3 + k, a3);
      v128.store(o3 + k, b3, 16);
      v128.store(o2 + k, a2);
      v128.store(o2 + k, b2, 16);
      v128.store(o1 + k, a1);
      v128.store(o1 + k, b1, 16);
      v128.store(o0 + k, a0);
      v128.store(o0 + k, b0, 16);
    }
  }
}

/** Runs comparators (pairs of u32 row numbers) down the rows of a tile: after it row r holds rank r. */
export function network(tile: usize, pitch: usize, pairs: usize, pairCount: i32, count: i32): void {
  const bytes = <usize>count << 2;
  const end = pairs + (<usize>pairCount << 3);
  for (let k: usize = 0; k < bytes; k += 32) {
    const start = tile + k;
    for (let c = pairs; c < end; c += 8) {
      const a = start + <usize>load<u32>(c) * pitch, b = start + <usize>load<u32>(c, 4) * pitch;
      const x = v128.load(a), y = v128.load(b), z = v128.load(a, 16), w = v128.load(b, 16);
      v128.store(a, f32x4.pmin(x, y));
      v128.store(b, f32x4.pmax(y, x));
      v128.store(a, f32x4.pmin(z, w), 16);
      v128.store(b, f32x4.pmax(w, z), 16);
    }
  }
}

/** out[k] = mean of rows [low, high) of a tile, in float64. */
export function rankMean(out: usize, tile: usize, pitch: usize, low: i32, high: i32, count: i32): void {
  const share = f64x2.splat(<f64>1 / <f64>(high - low));
  const bytes = <usize>count << 2;
  for (let k: usize = 0; k < bytes; k += 16) {
    let a = f64x2.splat(0), b = f64x2.splat(0);
    for (let r = low; r < high; r++) {
      const x = v128.load(tile + <usize>r * pitch + k);
      a = f64x2.add(a, f64x2.promote_low_f32x4(x));
      b = f64x2.add(b, f64x2.promote_low_f32x4(i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)));
    }
    const first = f32x4.demote_f64x2_zero(f64x2.mul(a, share)), second = f32x4.demote_f64x2_zero(f64x2.mul(b, share));
    v128.store(out + k, f32x4.add(i8x16.shuffle(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), f32x4.splat(0)));
  }
}

/** 1 when a value of the rows is not finite (or their sum overflows: the caller looks again). */
export function isSuspect(table: usize, n: i32, offset: usize, count: i32): i32 {
  const bytes = <usize>count << 2;
  const zero = f32x4.splat(0);
  let a = zero, b = zero;
  for (let i = 0; i < n; i++) {
    let p = rowAt(table, i, offset);
    const end = p + bytes;
    for (; p + 32 <= end; p += 32) {
      a = f32x4.add(a, f32x4.mul(v128.load(p), zero));
      b = f32x4.add(b, f32x4.mul(v128.load(p, 16), zero));
    }
    if (p < end) a = f32x4.add(a, f32x4.mul(v128.load(p), zero));
  }
  const sum = f32x4.add(a, b);
  return f32x4.extract_lane(sum, 0) == 0 && f32x4.extract_lane(sum, 1) == 0 && f32x4.extract_lane(sum, 2) == 0 && f32x4.extract_lane(sum, 3) == 0 ? 0 : 1;
}

/**
 * out[k] = mean of the `keep` sorted values nearest to the mean of ranks [low, high). flags[k] (bytes) is 1 where two
 * values on both sides are equally near: which of them counts is not decided here.
 */
export function nearestMean(out: usize, flags: usize, tile: usize, pitch: usize, n: i32, low: i32, high: i32, keep: i32, count: i32): void {
  for (let k = 0; k < count; k++) {
    const column = tile + (<usize>k << 2);
    let centre: f64 = 0;
    for (let r = low; r < high; r++) centre += <f64>load<f32>(column + <usize>r * pitch);
    centre /= <f64>(high - low);
    let j = 0;
    let isTie = false;
    while (j < n - keep) {
      const first = <f64>load<f32>(column + <usize>j * pitch), next = <f64>load<f32>(column + <usize>(j + keep) * pitch);
      if (centre - first == next - centre && first != next) isTie = true;
      if (!(centre - first > next - centre)) break;
      j++;
    }
    let sum: f64 = 0;
    for (let r = j; r < j + keep; r++) sum += <f64>load<f32>(column + <usize>r * pitch);
    store<f32>(out + (<usize>k << 2), <f32>(sum / <f64>keep) + 0);
    store<u8>(flags + k, isTie ? 1 : 0);
  }
}

/** Copies a tile of the rows to rows `pitch` bytes apart: what is read row by row streams, what is read across does not. */
export function gather(out: usize, pitch: usize, table: usize, n: i32, offset: usize, count: i32): void {
  const bytes = <usize>count << 2;
  for (let i = 0; i < n; i++) {
    let p = rowAt(table, i, offset), o = out + <usize>i * pitch;
    const end = p + bytes;
    for (; p < end; p += 32, o += 32) {
      const x = v128.load(p), y = v128.load(p, 16);
      v128.store(o, x);
      v128.store(o, y, 16);
    }
  }
}
