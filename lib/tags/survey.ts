import { z } from 'zod';
import { instant } from '../events/event.ts';
import { quintileEdition } from './quintiles.ts';
import { versionedRule } from './rules-kept.ts';

/** How many parts all profiles are divided into. */
export const PARTS = 4;

/** What a draft would change: who would hold its tag, now and on the days before. */
const forecastAsked = z.strictObject({
  kind: z.literal('forecast'),
  tag: z.string(),
  /** The draft, what reads its tag and what all of these read: nothing else can come out otherwise. */
  rules: z.array(versionedRule),
  /** The digest of the rules in force against which the draft is held. */
  book: z.string(),
  /** How many brand-days back, today among them. */
  days: z.int().min(1).max(30),
  /** The population's cuts, where these rules read them. */
  quintiles: quintileEdition.optional(),
});
export type ForecastAsked = z.infer<typeof forecastAsked>;

/** Recency, frequency and money of all customers, before an instant in milliseconds. */
const rfmAsked = z.strictObject({ kind: z.literal('rfm'), asOf: z.int() });
export type RfmAsked = z.infer<typeof rfmAsked>;

/** How often each value of recency, number and money occurs as of an instant in milliseconds: for cuts by quintiles. */
const quintilesAsked = z.strictObject({ kind: z.literal('quintiles'), asOf: z.int() });
export type QuintilesAsked = z.infer<typeof quintilesAsked>;

/** All profiles brought to new rules: what is found is how far that is. */
const backfillAsked = z.strictObject({
  kind: z.literal('backfill'),
  /** The digest of the rules that it brings them to. */
  book: z.string(),
  /** The rule that was put; absent where the brand's file changed. */
  tag: z.string().optional(),
  version: z.int().optional(),
});

const day = z.int();
/** What tags tell apart, over brand-days from ≤ day < to. */
const effectAsked = z.strictObject({
  kind: z.literal('effect'),
  /** Of one tag more is told: its days, and who else holds it. */
  tag: z.string().optional(),
  goal: z.string(),
  from: day,
  to: day,
  /** The digest of the rules in force by which it is told. */
  book: z.string(),
});
export type EffectAsked = z.infer<typeof effectAsked>;

/** A question that takes a look at every profile. It changes none, but for a back-fill. */
export const survey = z.strictObject({
  id: z.string(),
  /** The instant as of which it is answered. */
  at: instant,
  by: z.string(),
  /** How many parts all profiles are divided into. */
  of: z.int().positive(),
  asked: z.discriminatedUnion('kind', [forecastAsked, rfmAsked, quintilesAsked, effectAsked, backfillAsked]),
});
export type Survey = z.infer<typeof survey>;

/** A message of the `recompute` queue: looks at one part of all profiles. */
export const surveyMessage = z.strictObject({
  survey: z.string(),
  part: z.int().nonnegative(),
  /** Where the part goes on; absent: at its beginning. */
  after: z.string().optional(),
});
export type SurveyMessage = z.infer<typeof surveyMessage>;

/** The messages that together look at everybody. */
export const messagesOf = ({ id, of }: Survey): string[] =>
  Array.from({ length: of }, (_, part) => JSON.stringify({ survey: id, part } satisfies SurveyMessage));

/** What is found where the rules in force are others than a forecast was asked against: it would mix them. */
export const outdated = z.strictObject({ outdated: z.literal(true) });
export type Outdated = z.infer<typeof outdated>;
