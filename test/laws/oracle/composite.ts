import type { Brand } from '../../../lib/platform/brand.ts';

const DAY = 24 * 60 * 60 * 1000;

type Settings = Brand['attribution']['composite'];

interface Contact {
  readonly at: number;
  readonly type: string;
  readonly role: 'direct' | 'indirect' | 'latent';
}

interface Purchase {
  readonly at: number;
  readonly day: string;
  readonly customer: 'vip' | 'silent' | 'other';
}

/** Each contact's weight by the definition: decay times role times tier times scenario. */
export function compositeWeightsOf(path: readonly Contact[], purchase: Purchase, of: Settings): number[] {
  const season = of.seasons.find(({ from, to }) => purchase.day >= from && purchase.day < to);
  const raised = of.scenarios[season ? season.scene : of.scene] ?? {};
  const joined = path[0]?.at ?? purchase.at;
  // Without the opening and without a floor, what the ages have in common cancels, and would underflow.
  const now = of.opening.weight === 0 && of.floor === 0 ? (path.at(-1)?.at ?? 0) : purchase.at;
  return path.map(({ at, type, role }) => {
    const opened = of.opening.weight * Math.exp(-of.opening.perDay * ((at - joined) / DAY));
    const closed = of.closing.weight * 2 ** (-(now - at) / DAY / of.closing.halfLifeDays);
    const decay = Math.max(opened, of.floor, closed);
    const isEarly = purchase.at > joined && (at - joined) / (purchase.at - joined) < 1 / 3;
    const isLate = purchase.at - at <= of.tiers.lateDays * DAY;
    const vip = purchase.customer === 'vip' && isEarly ? of.tiers.vipEarly : 1;
    const silent = purchase.customer === 'silent' && isLate ? of.tiers.silentLate : 1;
    return decay * of.roles[role] * vip * silent * (raised[type] ?? 1);
  });
}
