/** Dice that fall the same way whenever they are thrown from the same seed (mulberry32). */
export interface Dice {
  /** A whole number in [0, sides). */
  below(sides: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** Takes one out of the list. @throws if there is none */
  take<T>(from: T[]): T;
}

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (sides: number) => Math.floor(next() * sides);
  return {
    below,
    chance: (probability) => probability > 0 && next() < probability,
    take(from) {
      const [taken] = from.splice(below(from.length), 1);
      if (taken === undefined) throw new Error('nothing to take from');
      return taken;
    },
  };
}
