import { createHash } from 'node:crypto';
import { z } from 'zod';
import { instant } from '../events/event.ts';
import { dayName, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, json, parsed } from '../platform/http.ts';
import { dayNumber } from '../tags/calendar.ts';
import {
  type Fit,
  fit,
  type Learnable,
  learnable,
  type ModelVersion,
  modelVersion,
  parametersOf,
  type Run,
  type RunMessage,
} from './population.ts';
import type { PopulationDeps } from './population-work.ts';

/** How many parts all profiles are divided into. */
const PARTS = 4;
/** Versions of each model that a list has. */
const LISTED = 10;
const MOST_DAYS = 400;

export type AskDeps = Pick<PopulationDeps, 'brand' | 'population' | 'work' | 'now'> & {
  readonly calendar: PopulationDeps['calendar'] & { brandDay(at: number): number };
};

export const spanAsked = z.strictObject({
  /** Brand-days: from ≤ day < to. Today is the first that is out, unless another is named. */
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  goal: z.string().optional(),
});

const summary = modelVersion.omit({ result: true });
export const modelsAnswer = z.strictObject({
  models: z.array(z.strictObject({ model: learnable, versions: z.array(summary) })),
});
export const versionAnswer = z.strictObject({
  /** `ended`: somebody whom it had counted was erased. Learn it again. */
  status: z.enum(['running', 'done', 'refused', 'ended']),
  progress: z.strictObject({ parts: z.int(), of: z.int() }).optional(),
  version: modelVersion,
});
export const askedAnswer = z.strictObject({ version: z.string(), at: instant, result: z.string() });

/** `POST /models/{model}`: counts everybody's paths and learns the model of them. @throws RejectedError 400, 404 */
export async function askModel(name: string, body: string, by: string, deps: AskDeps): Promise<HttpReply> {
  const model = modelCalled(name);
  const said = parsed(spanAsked.extend(parametersOf[model].shape), body.trim() === '' ? {} : jsonOf(body));
  const { from, to, goal, ...parameters } = said;
  const [first] = deps.brand.conversions;
  const asked = goal ?? first?.goal;
  if (asked === undefined || !deps.brand.conversions.some((it) => it.goal === asked))
    throw new RejectedError('bad_request', 'goal: the brand has no conversion of this goal');
  const { order } = deps.brand.models;
  const own = model === 'markov' ? { order, ...parameters } : parameters;
  const run = await begin([fit.parse({ ...own, model })], { from, to }, asked, by, deps);
  const location = `/models/${model}/${run.id}`;
  return json(202, { version: run.id, at: run.at, result: location } satisfies z.infer<typeof askedAnswer>, {
    location,
  });
}

/** What the schedule does each night: one count of everybody for all models that the brand names, and its holdouts. */
export async function learnNightly(deps: AskDeps): Promise<{ version?: string }> {
  const { nightly, order, holdouts } = deps.brand.models;
  const fits = nightly.map((model) => fit.parse(model === 'markov' ? { model, order } : { model }));
  if (holdouts.length > 0) fits.push({ model: 'holdouts' });
  const [goal] = deps.brand.conversions;
  if (fits.length === 0 || !goal) return {};
  const run = await begin(fits, {}, goal.goal, 'schedule', deps);
  return { version: run.id };
}

/** Counts everybody again for what was learned, or was to be: the same days and goal. */
export const learnAgain = (
  fits: readonly Fit[],
  { span: { from, to }, goal }: Pick<Run, 'span' | 'goal'>,
  by: string,
  deps: AskDeps,
) => begin(fits, { from, to }, goal, by, deps);

async function begin(
  fits: readonly Fit[],
  { from, to }: { from?: string | undefined; to?: string | undefined },
  goal: string,
  by: string,
  { brand, calendar, population, work, now }: AskDeps,
): Promise<Run> {
  const end = to === undefined ? calendar.brandDay(now()) : dayNumber(to);
  const start = from === undefined ? end - brand.models.days : dayNumber(from);
  if (start >= end || end - start > MOST_DAYS)
    throw new RejectedError('bad_range', `give 1 to ${MOST_DAYS} days, \`from\` before \`to\``);
  const at = toIso(now());
  const asked = {
    at,
    by,
    of: PARTS,
    goal,
    currency: brand.currency,
    span: {
      from: dayName(start),
      to: dayName(end),
      begin: calendar.startOfDay(start),
      end: calendar.startOfDay(end),
    },
    fits: [...fits],
  };
  const run: Run = { id: idOf(at, asked), ...asked };
  await population.putRun(run);
  await work.send(messagesOf(run));
  return run;
}

/** The messages that together count everybody. */
export const messagesOf = ({ id, of }: Pick<Run, 'id' | 'of'>): string[] =>
  Array.from({ length: of }, (_, part) => JSON.stringify({ run: id, part } satisfies RunMessage));

/** By the instant first, so that versions sort in the order of time: `20261111T190000000Z-5f0c2a`. */
const idOf = (at: string, asked: object): string => {
  const digest = createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 6);
  return `${at.replaceAll(/[-:.]/g, '')}-${digest}`;
};

/** `GET /models`: the newest versions of each model, without what they say. */
export async function listModels({ population }: Pick<AskDeps, 'population'>): Promise<HttpReply> {
  const models = learnable.options.map(async (model) => ({
    model,
    versions: (await population.versions(model, LISTED)).map(({ result: _, ...it }) => it),
  }));
  return json(200, { models: await Promise.all(models) } satisfies z.infer<typeof modelsAnswer>);
}

/** `GET /models/{model}/{version}`: what was learned, or how far it is. @throws RejectedError 404 */
export async function answerModel(
  name: string,
  id: string,
  { population }: Pick<AskDeps, 'population'>,
): Promise<HttpReply> {
  const model = modelCalled(name);
  const answer = (it: z.infer<typeof versionAnswer>) => json(200, it);
  const version = await population.getVersion(model, id);
  if (version) return answer({ status: statusOf(version), version });
  const run = await population.getRun(id);
  const parameters = run?.fits.find((it) => it.model === model);
  if (!run || !parameters)
    throw new RejectedError('not_found', `${model} has no such version; GET /models lists them`, 404);
  const { of, fits: _, ...rest } = run;
  const { parts } = await population.eachPiece(run);
  return answer({ status: 'running', progress: { parts, of }, version: { ...rest, parameters } });
}

const statusOf = ({ ended, refused }: ModelVersion) => (ended ? 'ended' : refused ? 'refused' : 'done');

function modelCalled(name: string): Learnable {
  const model = learnable.safeParse(name);
  if (model.success) return model.data;
  const names = learnable.options.join(', ');
  throw new RejectedError('unknown_model', `there is no such model to learn; there are ${names}`, 404);
}

export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // and that is no object
  }
}
