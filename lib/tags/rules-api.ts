import { appendAudit, subjectOf } from '../audit/append.ts';
import type { Role } from '../platform/brand-words.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json, refusal } from '../platform/http.ts';
import { whoMay } from '../privacy/roles.ts';
import type { authorize, Caller } from '../query/auth.ts';
import { answerEffect, answerEffects } from '../query/effect.ts';
import { answerForecast, type SurveyReadDeps } from '../query/forecast.ts';
import { answerRfm } from '../query/rfm.ts';
import { paramsOf } from '../query/route.ts';
import { answerBackfill } from './backfill-told.ts';
import type { KeptRule } from './file-rules.ts';
import {
  checkDraft,
  explained,
  type PublishDeps,
  type Publisher,
  parseRule,
  putRule,
  rollBack,
} from './publish.ts';
import { answerQuintiles, renewNow } from './quintiles-ask.ts';
import { askEffect, askForecast, askRfm, BusyError } from './survey-ask.ts';

export type RulesDeps = PublishDeps & SurveyReadDeps & { readonly authorize: typeof authorize };

/** What a request brought. */
interface Asking {
  readonly tag: string;
  readonly id: string;
  readonly query: HttpRequest['query'];
  readonly said: string;
  readonly caller: Caller;
  /** Says in the audit log whom the answer shows. It is not given before. */
  saw(profiles: readonly string[], fields: readonly string[]): Promise<void>;
  readonly publisher: Publisher;
}

interface RulesRoute {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: `/${string}`;
  /** Who may; absent: whoever may see groups. */
  readonly roles?: readonly Role[];
  answer(asking: Asking, deps: RulesDeps): Promise<unknown>;
}

/** Everything that the function answers; whatever is no reply is answered as it is. */
export const rulesRoutes: readonly RulesRoute[] = [
  { method: 'GET', path: '/rules', answer: async (_, { rules }) => ({ rules: await rules.list() }) },
  { method: 'GET', path: '/rules/{tag}', answer: ({ tag }, deps) => getRule(tag, deps) },
  {
    ...{ method: 'PUT', path: '/rules/{tag}', roles: whoMay('rules') },
    answer: ({ tag, said, publisher }, deps) => putRule(tag, said, publisher, deps),
  },
  {
    ...{ method: 'POST', path: '/rules/{tag}/rollback', roles: whoMay('rules') },
    answer: ({ tag, said, publisher }, deps) => rollBack(tag, said, publisher, deps),
  },
  {
    ...{ method: 'POST', path: '/rules/{tag}/check' },
    answer: ({ tag, said }, deps) => checkDraft(tag, said, deps),
  },
  {
    ...{ method: 'POST', path: '/rules/{tag}/forecast', roles: whoMay('persons') },
    answer: ({ tag, said, query, caller }, deps) =>
      explained(tag, () => askForecast(parseRule(tag, said), query, caller.name, deps)),
  },
  {
    ...{ method: 'GET', path: '/rules/{tag}/forecast/{id}', roles: whoMay('persons') },
    answer: forecastFor,
  },
  { method: 'GET', path: '/backfill', answer: (_, deps) => answerBackfill(undefined, deps) },
  { method: 'GET', path: '/backfill/{id}', answer: ({ id }, deps) => answerBackfill(id, deps) },
  {
    ...{ method: 'POST', path: '/effect', roles: whoMay('persons') },
    answer: ({ query, caller }, deps) => askEffect(undefined, query, caller.name, deps),
  },
  {
    ...{ method: 'GET', path: '/effect/{id}', roles: whoMay('persons') },
    answer: ({ id, caller }, deps) => answerEffects(id, caller, deps),
  },
  {
    ...{ method: 'POST', path: '/tags/{tag}/effect', roles: whoMay('persons') },
    answer: ({ tag, query, caller }, deps) => askEffect(tag, query, caller.name, deps),
  },
  {
    ...{ method: 'GET', path: '/tags/{tag}/effect/{id}', roles: whoMay('persons') },
    answer: ({ tag, id, caller }, deps) => answerEffect(tag, id, caller, deps),
  },
  { method: 'GET', path: '/rfm/quintiles', answer: (_, deps) => answerQuintiles(deps) },
  {
    ...{ method: 'POST', path: '/rfm/quintiles', roles: whoMay('rules') },
    answer: ({ caller }, deps) => renewNow(caller.name, deps),
  },
  {
    ...{ method: 'POST', path: '/rfm', roles: whoMay('persons') },
    answer: ({ said, caller }, deps) => askRfm(said, caller.name, deps),
  },
  {
    ...{ method: 'GET', path: '/rfm/{id}', roles: whoMay('persons') },
    answer: rfmFor,
  },
];

/** Answers by the route that fits. Who has too much under way is told when to come again. */
export async function rulesApi(request: HttpRequest, deps: RulesDeps): Promise<HttpReply> {
  const { method, path, query, headers, body } = request;
  const route = rulesRoutes.find((it) => it.method === method && paramsOf(it.path, path));
  const { reason, ...asked } = query;
  const roles = route?.roles ?? whoMay('groups');
  const caller = await deps.authorize(headers, deps.table, roles, reason);
  if (!route) throw new RejectedError('no_route', 'there is no such route; /openapi.json lists all', 404);
  const { tag = '', id = '' } = paramsOf(route.path, path) ?? {};
  const said = { tag, id, query: asked, said: body.toString('utf8'), caller };
  try {
    const answer = await route.answer({ ...said, ...recorders(route, caller, deps) }, deps);
    return isReply(answer) ? answer : json(200, answer);
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    const reply = refusal(error.status, error.reason, error.message);
    return { ...reply, headers: { ...reply.headers, 'retry-after': `${error.retryAfterSeconds}` } };
  }
}

/** What is said in the audit log of whoever asks, before they are answered. */
function recorders({ method, path }: RulesRoute, { role, name: who, key, reason }: Caller, deps: RulesDeps) {
  const fact = { who, role, key, reason, on: `${method} ${path}` };
  return {
    async saw(profiles: readonly string[], fields: readonly string[]) {
      if (profiles.length === 0) return;
      const protector = await deps.protector();
      const subjects = profiles.map((it) => subjectOf(it, protector));
      await appendAudit(deps, { ...fact, what: 'read', subjects, fields });
    },
    publisher: {
      name: who,
      record: (details: { readonly tag: string; readonly version: number }) =>
        appendAudit(deps, { ...fact, what: 'rule_put', details: { ...details } }),
    },
  };
}

/** A forecast. Drafts can be made to tell a single person from a group, so nobody sees one who may not see persons. */
async function forecastFor({ tag, id, caller, saw }: Asking, deps: RulesDeps) {
  const answer = await answerForecast(tag, id, caller, deps);
  const sample = answer.forecast?.sample ?? [];
  await saw(
    sample.map(({ profile }) => profile),
    ['identifiers'],
  );
  return answer;
}

async function rfmFor({ id, query, caller, saw }: Asking, deps: RulesDeps) {
  const answer = await answerRfm(id, query, caller, deps);
  const customers = answer.result?.customers ?? [];
  await saw(
    customers.map(({ profile }) => profile),
    ['identifiers', 'recency', 'frequency', 'monetary'],
  );
  return answer;
}

const isReply = (it: unknown): it is HttpReply =>
  typeof it === 'object' && it !== null && 'status' in it && typeof it.status === 'number';

/** `GET /rules/{tag}`: the rule in force and its versions, newest first. @throws RejectedError 404 */
async function getRule(tag: string, { rules }: Pick<PublishDeps, 'rules'>) {
  const found = await rules.get(tag);
  if (!found) throw new RejectedError('unknown_tag', `no rule earns the tag ${JSON.stringify(tag)}`, 404);
  return { rule: found.rule, versions: found.versions.map(shown) };
}

const shown = ({ rule: { version, ...rest }, at, by }: KeptRule) => ({ version, ...rest, at, by });
