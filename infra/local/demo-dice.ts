// Dice that fall the same way whenever they begin with the same seed.
import { createHash } from 'node:crypto';

export interface Dice {
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  /** A whole number, both ends in. */
  between(least: number, most: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** mulberry32: 32 bits of state, period 2³²; good enough for stories, for nothing that has to be hard to guess. */
export function openDice(seed: string): Dice {
  let state = createHash('sha256').update(seed).digest().readUInt32BE();
  const roll = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(roll() * (most - least + 1));
  return {
    chance: (probability) => roll() < probability,
    between,
    pick: (list) => list[between(0, list.length - 1)] ?? list[0],
  };
}
