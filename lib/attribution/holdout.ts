import { createHash } from 'node:crypto';

/** Numbers that a bucket can have: 0 … 999,999, so that a share is held out to one in a million. */
const BUCKETS = 1_000_000;

/**
 * The bucket of a person in a campaign: the same for ever, whoever asks and whatever else is known of them, and
 * independent of their buckets in other campaigns, so that one holdout says nothing about another's.
 *
 * @param person any name that does not change
 */
export function bucketOf(campaign: string, person: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([campaign, person]))
    .digest();
  return Math.floor((digest.readUIntBE(0, 6) / 2 ** 48) * BUCKETS);
}

/** Whether the campaign leaves this person alone, to see what happens without it. Who is held out of a smaller share is so of a larger. */
export const isHeldOut = (campaign: string, person: string, share: number): boolean =>
  bucketOf(campaign, person) < share * BUCKETS;

/** People of one campaign: how many, and how many of them converted. */
export interface Group {
  readonly people: number;
  readonly converted: number;
}

export interface Experiment {
  readonly campaign: string;
  readonly reached: Group;
  readonly heldOut: Group;
  /** By model, the conversions of those reached that it gives to the campaign; fractions too. */
  readonly credits: Readonly<Record<string, number>>;
}

/** An estimate, and what lies within chance of it (95 %). */
export interface Estimate {
  readonly value: number;
  readonly interval: readonly [from: number, to: number];
}

export type CreditFlag =
  /** The credit is above all that the lift may be, and more than `FAR` times its estimate. */
  | 'exceeds_lift'
  /** The credit is below all that the lift may be: the campaign did more than the model gives it. */
  | 'below_lift';

export interface CreditBesideLift {
  readonly model: string;
  readonly credit: number;
  readonly flag?: CreditFlag;
}

export interface Lift {
  readonly campaign: string;
  readonly reached: Group;
  readonly heldOut: Group;
  /** How much likelier a person converts because of the campaign: the difference of the rates. */
  readonly perPerson: Estimate;
  /** The same for all who were reached: conversions that would not have been. */
  readonly conversions: Estimate;
  /** Whether chance is excluded; if not, nothing is shown in either direction. */
  readonly isShown: boolean;
  readonly credits: readonly CreditBesideLift[];
}

/** Credit so many times the lift exceeds it by far. */
export const FAR = 1.5;
/** Of the normal distribution, the middle 95 %. */
const Z = 1.959_963_984_540_054;

/**
 * What a campaign brought, by those whom it left alone, beside what models give it.
 *
 *   lift a person = converted / people among those reached − the same among those held out
 *
 * The interval is Newcombe's, from Wilson's of either rate: it holds for small groups and rare conversions too, and
 * stays within −1 and 1.
 *
 * @throws RangeError where a group has nobody, or more converted than people
 */
export function liftOf({ campaign, reached, heldOut, credits }: Experiment): Lift {
  for (const [name, { people, converted }] of Object.entries({ reached, heldOut }))
    if (!(people > 0 && converted >= 0 && converted <= people))
      throw new RangeError(
        `campaign ${campaign}: ${converted} of ${people} people ${name} converted: there is no rate`,
      );
  const [p, q] = [rateOf(reached), rateOf(heldOut)];
  const value = p.value - q.value;
  const interval = [
    value - Math.hypot(p.value - p.interval[0], q.interval[1] - q.value),
    value + Math.hypot(p.interval[1] - p.value, q.value - q.interval[0]),
  ] as const;
  const scaled = (it: number) => it * reached.people;
  const conversions: Estimate = {
    value: scaled(value),
    interval: [scaled(interval[0]), scaled(interval[1])],
  };
  return {
    campaign,
    reached,
    heldOut,
    perPerson: { value, interval },
    conversions,
    isShown: interval[0] > 0 || interval[1] < 0,
    credits: Object.entries(credits).map(([model, credit]) => {
      const flag = flagOf(credit, conversions);
      return { model, credit, ...(flag && { flag }) };
    }),
  };
}

function flagOf(credit: number, { value, interval: [from, to] }: Estimate): CreditFlag | undefined {
  if (credit > to && credit > FAR * value) return 'exceeds_lift';
  return credit < from ? 'below_lift' : undefined;
}

/** A rate with Wilson's interval. */
function rateOf({ people, converted }: Group): Estimate {
  const value = converted / people;
  const scale = 1 + Z ** 2 / people;
  const middle = (value + Z ** 2 / (2 * people)) / scale;
  const half = (Z / scale) * Math.sqrt((value * (1 - value)) / people + Z ** 2 / (4 * people ** 2));
  return { value, interval: [Math.max(0, middle - half), Math.min(1, middle + half)] };
}
