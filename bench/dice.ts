/** Seeded dice: the same seed throws the same, on every machine (mulberry32). */
export function dice(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** In [0, 1). */
    next,
    /** A whole number in [from, to]. */
    whole: (from: number, to: number): number => from + Math.floor(next() * (to - from + 1)),
    chance: (probability: number): boolean => next() < probability,
    pick: <T>(list: readonly [T, ...T[]]): T => list[Math.floor(next() * list.length)] ?? list[0],
    /** Of `[weight, item]`, each as often as its weight says. */
    weighted<T>(list: readonly [readonly [number, T], ...(readonly [number, T])[]]): T {
      let left = next() * list.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, item] of list) {
        left -= weight;
        if (left < 0) return item;
      }
      return list[0][1];
    },
    /** Log-normal: the median, and how wide (the standard deviation of the logarithm). */
    longTailed: (median: number, width: number): number =>
      median * Math.exp(width * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
    /** Letters and digits, as senders' ids look. */
    token(length: number): string {
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
      return Array.from({ length }, () => letters[Math.floor(next() * letters.length)]).join('');
    },
  };
}
export type Dice = ReturnType<typeof dice>;
