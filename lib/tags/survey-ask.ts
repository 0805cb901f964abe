import { z } from 'zod';
import { instantOf } from '../events/time.ts';
import type { Brand, Rule } from '../platform/brand.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { type HttpReply, json, parsed } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { rulesBehind } from './changes.ts';
import { digest } from './features.ts';
import { compileRules, type RuleBook } from './rulebook.ts';
import type { RuleStore } from './rules-store.ts';
import { messagesOf, PARTS, type Survey } from './survey.ts';
import { surveyStore } from './survey-store.ts';

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
  const concerned = concernedBy(compileRules(rules, deps.brand), rule.tag);
  const survey = newSurvey(by, deps.now(), {
    kind: 'forecast',
    tag: rule.tag,
    rules: rules.filter(({ tag }) => concerned.has(tag)),
    book: compileRules(inForce, deps.brand).digest,
    days,
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
  await surveyStore(table, now).put(survey);
  await recompute.send(messagesOf(survey));
}

const accepted = (location: string, { id, at }: Survey, more: object): HttpReply =>
  json(202, { id, at, ...more, result: location }, { location });
