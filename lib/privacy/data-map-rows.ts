import type { keys } from '../platform/keys.ts';
import type { DataClass, Purpose } from './classes.ts';

/** The parts of an event, and what is made of them: what a place can hold. */
export const families = [
  ...(['identifiers', 'properties', 'traits', 'context', 'digests', 'derived', 'none'] as const),
] as const;
export type Family = (typeof families)[number];

/**
 * How long: `profile` as long as the profile is there; `brand` as long as the stack is; `events` as long as each of the events
 * that it holds or follows from (`lib/profile/retention.ts`); a number of days by TTL; or the name of the brand's own setting in
 * `retention`.
 */
export type Kept = 'profile' | 'brand' | 'events' | number | 'quarantineDays' | 'logDays';

/** A place where something is kept: what, of which class at most, for what, how long. */
export interface Place {
  readonly what: string;
  readonly class: DataClass;
  readonly purpose: Purpose;
  readonly kept: Kept;
  readonly holds: readonly Family[];
}

type Content = readonly [what: string, is: DataClass, purpose: Purpose, kept: Kept, ...holds: Family[]];
const place = ([what, is, purpose, kept, ...holds]: Content): Place => ({
  ...{ what, class: is, purpose, kept, holds },
});

/** Every key of the table (`lib/platform/keys.ts`), by its name there: a key without a line does not compile. */
const rows = {
  profile: [
    'folded state and newest events, until they expire as in `segment`; identifiers; tags, stage and times in clear',
    ...(['sensitive', 'analyse', 'profile'] as const),
    ...(['identifiers', 'properties', 'traits', 'context', 'derived'] as const),
  ],
  segment: [
    'sealed events of the journal; what was said of consent as long as the profile',
    ...(['sensitive', 'analyse', 'events'] as const),
    ...(['identifiers', 'properties', 'traits', 'context'] as const),
  ],
  conversion: [
    'a conversion, its path and credits',
    ...(['internal', 'attribute', 'events', 'properties', 'context', 'derived'] as const),
  ],
  identifier: [
    'identifier, as a keyed digest, to profile',
    ...(['personal', 'recognise', 'profile', 'digests'] as const),
  ],
  activity: ['what a person did on a brand-day', 'internal', 'analyse', 'events', 'derived'],
  dayConversion: [
    'a conversion in its day’s list',
    ...(['internal', 'attribute', 'events', 'context', 'derived'] as const),
  ],
  member: ['a member of a tag', 'internal', 'analyse', 'events', 'derived'],
  due: [
    'index: when a profile’s tags change or something expires next',
    'internal',
    'analyse',
    'profile',
    'derived',
  ],
  rule: ['a version of a rule', 'internal', 'prove', 'brand', 'none'],
  rules: ['the rules in force', 'internal', 'operate', 'brand', 'none'],
  ruleSet: ['rules that were in force', 'internal', 'prove', 'brand', 'none'],
  backfill: ['the newest back-fill', 'internal', 'operate', 'brand', 'none'],
  quintiles: ['the population’s cuts', 'internal', 'analyse', 'brand', 'none'],
  generations: ['settings that credits are told by', 'internal', 'operate', 'brand', 'none'],
  model: ['a population model', 'internal', 'attribute', 'brand', 'none'],
  modelVersion: ['a version of a population model', 'internal', 'attribute', 'brand', 'none'],
  spend: ['what was spent on a channel or campaign', 'internal', 'attribute', 'brand', 'none'],
  scope: ['scopes that identifiers were seen in', 'internal', 'recognise', 'brand', 'none'],
  apiKey: ['an API key’s digest, role and owner', 'internal', 'operate', 'brand', 'none'],
  firstSeen: ['when an event without a time was first seen', 'internal', 'operate', 90, 'none'],
  quarantine: [
    'a message that could not be taken, whole',
    ...(['sensitive', 'operate', 'quarantineDays'] as const),
    ...(['identifiers', 'properties', 'traits', 'context'] as const),
  ],
  arrivals: ['how much arrived on a day, by account', 'internal', 'operate', 36, 'none'],
  kept: [
    'cursors, and digests of what was known of a contact',
    ...(['internal', 'operate', 'brand', 'properties', 'digests'] as const),
  ],
  nonce: ['digests of a query and its body', 'internal', 'operate', 15, 'none'],
  survey: ['what was asked of all profiles', 'internal', 'analyse', 30, 'none'],
  surveyPiece: ['what was found, by profile', 'internal', 'analyse', 30, 'derived'],
  surveyPage: ['what was worked out, by profile', 'personal', 'analyse', 1, 'identifiers', 'derived'],
  surveysOf: ['surveys of one asker', 'internal', 'operate', 1, 'none'],
  audit: ['an entry of the audit log: digests of profiles', 'internal', 'prove', 'brand', 'digests'],
  anchor: ['what holds the audit log fast', 'internal', 'prove', 'brand', 'none'],
  privacyRequest: [
    'what was asked in a person’s name, and its receipt; identifiers as stored, until it is done',
    ...(['personal', 'prove', 'brand', 'identifiers', 'digests'] as const),
  ],
  bulkExport: ['an export, its reason, who asked and approved', 'internal', 'prove', 3, 'none'],
  modelRun: ['a count of everybody’s paths', 'internal', 'attribute', 5, 'none'],
  modelPiece: ['counts of paths of a part of the profiles', 'internal', 'attribute', 5, 'derived'],
  told: ['what a report about groups said once', 'internal', 'analyse', 800, 'none'],
  sum: [
    'where sums of people are found, and which days’ reports had counted whoever was erased',
    'internal',
    'prove',
    30,
    'none',
  ],
  sweep: ['when dead letters were looked through', 'internal', 'prove', 'brand', 'none'],
  swept: ['that an event was taken out of dead letters for a request', 'internal', 'prove', 90, 'none'],
  taken: ['that a cluster was taken in by another', 'internal', 'prove', 'brand', 'digests'],
  seeds: [
    'what rows are encrypted under: in a table of its own, without backups',
    ...(['internal', 'operate', 'brand', 'none'] as const),
  ],
  review: [
    'two profiles that may be one: identifiers as stored, personal ones encrypted',
    ...(['personal', 'recognise', 'profile', 'identifiers'] as const),
  ],
} satisfies Record<keyof typeof keys, Content>;

/** Queues, by the construct's name, each with its dead letters: 4 days, and 14 as dead letters. */
const queues = {
  Events: [
    'events as they came, and messages that could not be taken',
    ...(['sensitive', 'recognise', 14] as const),
    ...(['identifiers', 'properties', 'traits', 'context'] as const),
  ],
  Conversions: ['profile and references of conversions', 'internal', 'attribute', 14, 'properties'],
  Recompute: ['which part of all profiles is evaluated anew', 'internal', 'operate', 14, 'none'],
  Surveys: ['which part of all profiles is looked at', 'internal', 'operate', 14, 'none'],
  Work: ['which part of all paths is counted', 'internal', 'operate', 14, 'none'],
  Erasures: ['which request is to be carried out', 'internal', 'prove', 14, 'none'],
  Hints: ['what a vendor is to be asked for', 'personal', 'contract', 14, 'identifiers', 'properties'],
} satisfies Record<string, Content>;

/** Where lines are written. */
const logs = {
  functions: ['what failed and where; metrics', 'internal', 'operate', 'logDays', 'none'],
  requests: ['route, status, time; no query and no body', 'internal', 'operate', 'logDays', 'none'],
} satisfies Record<string, Content>;

const all = (of: Readonly<Record<string, Content>>): ReadonlyMap<string, Place> =>
  new Map(Object.entries(of).map(([name, content]) => [name, place(content)]));

export const rowClasses = all(rows);
export const queueClasses = all(queues);
export const logClasses = all(logs);
