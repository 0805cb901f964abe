import { type Brand, type Rule, rule } from '../platform/brand.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import type { authorize } from '../query/auth.ts';
import { answerForecast, type SurveyReadDeps } from '../query/forecast.ts';
import { answerRfm } from '../query/rfm.ts';
import type { KeptRule } from './file-rules.ts';
import { askRecompute } from './recompute.ts';
import { RuleError } from './rule-error.ts';
import { compileRules } from './rulebook.ts';
import type { RuleStore } from './rules-store.ts';
import { askForecast, askRfm } from './survey-ask.ts';

export interface RulesDeps {
  readonly rules: RuleStore;
  readonly recompute: Queue;
  readonly brand: Brand;
  readonly now: Clock;
}

/**
 * `GET /rules`, `GET /rules/{tag}`, and with `POST` and `GET` forecasts (`/rules/{tag}/forecast`) and RFM (`/rfm`), with
 * any key; `PUT /rules/{tag}` with an admin's.
 */
export async function rulesApi(
  { method, params: { tag, id }, query, headers, body }: HttpRequest,
  deps: RulesDeps & SurveyReadDeps & { readonly authorize: typeof authorize },
): Promise<HttpReply> {
  const caller = await deps.authorize(headers, deps.table, method === 'PUT' ? ['admin'] : undefined);
  const said = body.toString('utf8');
  if (method === 'POST')
    return tag === undefined
      ? askRfm(said, caller.name, deps)
      : explained(tag, () => askForecast(parseRule(tag, said), query, caller.name, deps));
  if (id !== undefined)
    return json(
      200,
      tag === undefined ? await answerRfm(id, query, caller.role, deps) : await answerForecast(tag, id, deps),
    );
  if (tag === undefined) return listRules(deps);
  return method === 'PUT' ? putRule(tag, said, caller.name, deps) : getRule(tag, deps);
}

/** `GET /rules`: the rules in force. */
export async function listRules({ rules }: Pick<RulesDeps, 'rules'>): Promise<HttpReply> {
  return json(200, { rules: await rules.list() });
}

/** `GET /rules/{tag}`: the rule in force and its versions, newest first. @throws RejectedError 404 */
export async function getRule(tag: string, { rules }: Pick<RulesDeps, 'rules'>): Promise<HttpReply> {
  const found = await rules.get(tag);
  if (!found) throw new RejectedError('unknown_tag', `no rule earns the tag ${JSON.stringify(tag)}`, 404);
  return json(200, { rule: found.rule, versions: found.versions.map(shown) });
}

/**
 * `PUT /rules/{tag}`: puts a rule in force and has all profiles evaluated anew. The body is the rule without its tag,
 * as JSON, or an expression: a JSON string, or the bare text.
 *
 * A rule that is wrong is answered with 422 and where it is wrong; nothing was changed. Putting what is in force
 * already changes nothing but asks for the evaluation again, so that a request may be repeated.
 */
export async function putRule(tag: string, body: string, by: string, deps: RulesDeps): Promise<HttpReply> {
  return explained(tag, async () => {
    const put = await deps.rules.put(parseRule(tag, body), toIso(deps.now()), by);
    await askRecompute(compileRules(put.rules, deps.brand).digest, deps.recompute);
    return json(200, { rule: put.rule });
  });
}

/** The reply, or what is wrong with the rule and where. */
async function explained(tag: string, reply: () => Promise<HttpReply>): Promise<HttpReply> {
  try {
    return await reply();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { reason, message, type, line, column, caret } = error;
    const inTag = error.tag !== undefined && error.tag !== tag ? { tag: error.tag } : {};
    return json(error.status, { error: { reason, message, type, line, column, caret, ...inTag } });
  }
}

function parseRule(tag: string, body: string): Rule {
  const said = expressionOf(body);
  const parsed = rule.safeParse(typeof said === 'string' ? { tag, when: said } : { ...said, tag });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'rule'}: ${message}`);
  throw new RuleError('shape', issues.join('; '), { tag });
}

/** An object is a rule, anything else the text of an expression: `true` is JSON too, and a rule. */
function expressionOf(body: string): string | object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Not JSON: the bare text.
  }
  return body.trim();
}

const shown = ({ rule: { version, ...rest }, at, by }: KeptRule) => ({ version, ...rest, at, by });
