import { z } from 'zod';
import { instantOf } from '../events/time.ts';
import type { Brand } from '../platform/brand.ts';
import type { Rule } from '../platform/brand-words.ts';
import { type Clock, dayName, HOUR, SECOND, toIso } from '../platform/clock.ts';
import { ConflictError, RejectedError } from '../platform/errors.ts';
import { type HttpReply, json, parsed } from '../platform/http.ts';
import { keys } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { dayNumber } from './calendar.ts';
import { rulesBehind } from './changes.ts';
import { digest } from './features.ts';
import { mentionQuintiles, quintileStore } from './quintiles-store.ts';
import { compileRules, type RuleBook } from './rulebook.ts';
import type { RuleStore } from './rules-store.ts';
import { messagesOf, PARTS, type Survey } from './survey.ts';
import { type SurveyStore, surveyStore } from './survey-store.ts';

export interface SurveyAskDeps {
  readonly rules: RuleStore;
  readonly recompute: Queue;
  readonly table: Table;
  readonly brand: Brand;
  readonly now: Clock;
}

const DAYS = 'give a whole number of brand-days from 1 to 30';
const forecastQuery = z.strictObject({
  days: z.coerce
    .number({ error: DAYS })
    .int({ error: DAYS })
    .min(1, { error: DAYS })
    .max(30, { error: DAYS })
    .default(30),
});

/**
 * `POST /rules/{tag}/forecast`: looks at every profile by a draft, and by the rules in force. The draft is checked as
 * `PUT` checks it, and kept nowhere but with the forecast.
 *
 * @throws RuleError if the draft is wrong @throws RejectedError if the query is
 */
export async function askForecast(
  draft: Rule,
  query: Readonly<Record<string, string>>,
  by: string,
  deps: SurveyAskDeps,
): Promise<HttpReply> {
  const { days } = parsed(forecastQuery, { ...query });
  const { rule, rules, inForce } = await deps.rules.draft(draft);
  const reads = mentionQuintiles([...rules, ...inForce]);
  const quintiles = reads ? await quintileStore(deps.table).current() : undefined;
  const concerned = concernedBy(compileRules(rules, deps.brand), rule.tag);
  const survey = newSurvey(by, deps.now(), {
    kind: 'forecast',
    tag: rule.tag,
    rules: rules.filter(({ tag }) => concerned.has(tag)),
    book: compileRules(inForce, { ...deps.brand, quintiles }).digest,
    days,
    ...(quintiles && { quintiles }),
  });
  await begin(survey, deps);
  return accepted(`/rules/${rule.tag}/forecast/${survey.id}`, survey, { rule, days });
}

/** The tag, those that read it, however many steps away, and all that these read. */
function concernedBy(book: RuleBook, tag: string): Set<string> {
  const readers = new Set([tag]);
  for (const rule of book.rules) if (rule.reads.some((it) => readers.has(it))) readers.add(rule.tag); // each after what it reads
  return new Set([...readers].flatMap((reader) => rulesBehind(book, reader).map((it) => it.tag)));
}

const AS_OF = 'give an instant, such as 2026-11-11T00:00:00+08:00';
const rfmBody = z.strictObject({
  /** Purchases before this instant count; now, unless said. */
  asOf: z
    .string()
    .transform((text, context) => {
      const at = instantOf(text);
      if (at === undefined) context.addIssue({ code: 'custom', message: AS_OF });
      return at ?? z.NEVER;
    })
    .optional(),
});

/** `POST /rfm`: takes recency, frequency and money of every customer. @throws RejectedError 400 if the body is wrong */
export async function askRfm(body: string, by: string, deps: SurveyAskDeps): Promise<HttpReply> {
  const { asOf = deps.now() } = parsed(rfmBody, body.trim() === '' ? {} : jsonOf(body));
  const survey = newSurvey(by, deps.now(), { kind: 'rfm', asOf });
  await begin(survey, deps);
  return accepted(`/rfm/${survey.id}`, survey, { asOf: toIso(asOf) });
}

const isDay = z.iso.date({ error: 'give a brand-day, such as 2026-11-11' });
const effectQuery = z.strictObject({
  /** The first brand-day, and the last, which is in; the last 30 that are over, unless said. */
  from: isDay.optional(),
  to: isDay.optional(),
  /** Which of the brand's conversions; the first, unless said. */
  goal: z.string().optional(),
});
const EFFECT_DAYS = 30;
const MOST_EFFECT_DAYS = 92;

/**
 * `POST /tags/{tag}/effect`, `POST /effect`: what holders of a tag, or of each tag, did on some brand-days, against
 * others. @throws RejectedError 404 without such a rule, 400 if the query is wrong
 */
export async function askEffect(
  tag: string | undefined,
  query: Readonly<Record<string, string>>,
  by: string,
  deps: SurveyAskDeps,
): Promise<HttpReply> {
  const { brand, now } = deps;
  const said = parsed(effectQuery, { ...query });
  const { rules, quintiles } = await deps.rules.current();
  const book = compileRules(rules, { ...brand, quintiles });
  if (tag !== undefined && !book.ruleOf(tag))
    throw new RejectedError('unknown_tag', `no rule earns the tag ${JSON.stringify(tag)}`, 404);
  const goal = said.goal ?? brand.conversions[0]?.goal;
  if (goal === undefined || !brand.conversions.some((it) => it.goal === goal))
    throw new RejectedError('bad_query', 'goal: the brand counts no such conversions');
  const today = book.calendar.brandDay(now());
  const to = said.to === undefined ? today : dayNumber(said.to) + 1;
  const from = said.from === undefined ? to - EFFECT_DAYS : dayNumber(said.from);
  if (from >= to || to > today + 1 || to - from > MOST_EFFECT_DAYS)
    throw new RejectedError(
      'bad_range',
      `give 1 to ${MOST_EFFECT_DAYS} brand-days, the last not after today`,
    );
  const asked = { kind: 'effect' as const, goal, from, to, book: book.digest };
  const survey = newSurvey(by, now(), { ...asked, ...(tag !== undefined && { tag }) });
  await begin(survey, deps);
  const place = tag === undefined ? '/effect' : `/tags/${tag}/effect`;
  return accepted(`${place}/${survey.id}`, survey, { from: dayName(from), to: dayName(to - 1), goal });
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // and that is no object
  }
}

/** Two who ask the same at the same instant share a survey. */
const newSurvey = (by: string, now: number, asked: Survey['asked']): Survey => ({
  id: digest([toIso(now), by, asked], 16),
  at: toIso(now),
  by,
  of: PARTS,
  asked,
});

async function begin(survey: Survey, { table, recompute, now }: SurveyAskDeps): Promise<void> {
  const store = surveyStore(table, now);
  await store.put(survey); // first: whoever asks at the same time has to see that it runs
  await admit(survey, store, table, now);
  await recompute.send(messagesOf(survey));
}

/** How many surveys one asker may have under way: each reads all profiles. */
const AT_ONCE = 3;
/** One that takes longer has failed, and keeps nobody from asking. */
const GIVEN_UP_MS = HOUR;
const ATTEMPTS = 5;
const RETRY_SECONDS = 30;

/** Somebody has as many surveys under way as one may. Nothing was asked for. */
export class BusyError extends RejectedError {
  readonly retryAfterSeconds = RETRY_SECONDS;

  constructor() {
    const words = `${AT_ONCE} forecasts or other looks at all profiles run for this key: wait until one is done`;
    super('too_many_surveys', words, 429);
    this.name = 'BusyError';
  }
}

const askedRow = z.object({ v: z.int(), ids: z.array(z.string()) });

/** Notes who asks for what. @throws BusyError if too much is under way @throws ConflictError if others kept writing */
async function admit(survey: Survey, store: SurveyStore, table: Table, now: Clock): Promise<void> {
  const key = keys.surveysOf(survey.by);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { v, ids } = askedRow.safeParse(await table.get(key)).data ?? { v: 0, ids: [] };
    const others = ids.filter((id) => id !== survey.id);
    const running = await Promise.all(others.map((id) => isRunning(id, store, now)));
    const left = others.filter((_, i) => running[i]);
    if (left.length >= AT_ONCE) throw new BusyError();
    try {
      const ttl = Math.ceil((now() + GIVEN_UP_MS) / SECOND);
      await table.put({ ...key, v: v + 1, ids: [...left, survey.id], ttl }, { kind: 'version', version: v });
      return;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  throw new ConflictError(`the same key asked ${ATTEMPTS} times at once: ask again`);
}

async function isRunning(id: string, store: SurveyStore, now: Clock): Promise<boolean> {
  const it = await store.get(id);
  if (!it || Date.parse(it.at) + GIVEN_UP_MS <= now()) return false;
  return (await store.pieces(it)).parts < it.of;
}

const accepted = (location: string, { id, at }: Survey, more: object): HttpReply =>
  json(202, { id, at, ...more, result: location }, { location });
