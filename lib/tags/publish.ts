import { z } from 'zod';
import type { Brand } from '../platform/brand.ts';
import { type Rule, rule } from '../platform/brand-words.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, json, parsed } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { beginBackfill } from './backfill.ts';
import { type Checked, checkRule, faultOf, refusePersonal } from './check.ts';
import { RuleError } from './rule-error.ts';
import { compileRules } from './rulebook.ts';
import type { RuleStore } from './rules-store.ts';

export interface PublishDeps {
  readonly rules: RuleStore;
  readonly recompute: Queue;
  readonly table: Table;
  readonly brand: Brand;
  readonly now: Clock;
}

/** Who puts a rule. */
export interface Publisher {
  readonly name: string;
  /** Says in the audit log what is about to be put; what cannot be said is not put. */
  record(details: { readonly tag: string; readonly version: number }): Promise<void>;
}

/** `POST /rules/{tag}/check`: what is wrong with a draft or should be known before it is put. Nothing is changed. */
export async function checkDraft(tag: string, body: string, deps: PublishDeps): Promise<HttpReply> {
  return json(200, await checked(tag, body, deps));
}

async function checked(tag: string, body: string, { rules, brand }: PublishDeps): Promise<Checked> {
  try {
    const draft = await rules.draft(parseRule(tag, body));
    return checkRule(draft.rule, draft.rules, draft.inForce, brand);
  } catch (error) {
    return { findings: [faultOf(error, tag)] };
  }
}

/**
 * `PUT /rules/{tag}`: puts a rule in force and has all profiles evaluated anew. The body is the rule without its tag,
 * as JSON, or an expression: a JSON string, or the bare text.
 *
 * A rule that is wrong is answered with 422 and where it is wrong; nothing was changed. Putting what is in force
 * already changes nothing but asks for the evaluation again, so that a request may be repeated.
 */
export async function putRule(
  tag: string,
  body: string,
  by: Publisher,
  deps: PublishDeps,
): Promise<HttpReply> {
  return explained(tag, async () => publish(parseRule(tag, body), by, deps));
}

const NO_VERSION = 'say which: {"version": 3}';
const rollbackBody = z.strictObject({
  version: z.int({ error: NO_VERSION }).positive({ error: NO_VERSION }),
});

/**
 * `POST /rules/{tag}/rollback`: puts what a version said in force again, as a new version: what was is never rewritten.
 *
 * @throws RejectedError 404 if there is no such rule or version
 */
export async function rollBack(
  tag: string,
  body: string,
  by: Publisher,
  deps: PublishDeps,
): Promise<HttpReply> {
  const { version } = parsed(rollbackBody, jsonOf(body));
  const found = await deps.rules.get(tag);
  const kept = found?.versions.find((it) => it.rule.version === version);
  if (!kept)
    throw new RejectedError('not_found', `there is no version ${version} of a rule for this tag`, 404);
  const { version: _, ...before } = kept.rule;
  return explained(tag, () => publish(before, by, deps));
}

async function publish(said: Rule, by: Publisher, deps: PublishDeps): Promise<HttpReply> {
  refusePersonal(said);
  const { rule: next } = await deps.rules.draft(said);
  await by.record({ tag: next.tag, version: next.version });
  const { rule: put, rules } = await deps.rules.put(said, toIso(deps.now()), by.name);
  const { digest } = compileRules(rules, deps.brand);
  const asked = { book: digest, by: by.name, tag: put.tag, version: put.version };
  return json(200, { rule: put, backfill: `/backfill/${await beginBackfill(asked, deps)}` });
}

/** The reply, or what is wrong with the rule and where. */
export async function explained(tag: string, reply: () => Promise<HttpReply>): Promise<HttpReply> {
  try {
    return await reply();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { reason, message, type, line, column, caret } = error;
    const inTag = error.tag !== undefined && error.tag !== tag ? { tag: error.tag } : {};
    return json(error.status, { error: { reason, message, type, line, column, caret, ...inTag } });
  }
}

/** A rule as a body says it. @throws RuleError */
export function parseRule(tag: string, body: string): Rule {
  const said = expressionOf(body);
  const it = rule.safeParse(typeof said === 'string' ? { tag, when: said } : { ...said, tag });
  if (it.success) return it.data;
  const issues = it.error.issues.map(({ path, message }) => `${path.join('.') || 'rule'}: ${message}`);
  throw new RuleError('shape', issues.join('; '), { tag });
}

/** An object is a rule, anything else the text of an expression: `true` is JSON too, and a rule. */
function expressionOf(body: string): string | object {
  const value = jsonOf(body);
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return body.trim();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
