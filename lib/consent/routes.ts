import { z } from 'zod';
import { type Identifier, instant } from '../events/event.ts';
import { findSomebody, type Somebody } from '../identity/find.ts';
import { nameOf } from '../identity/graph.ts';
import { HOUR, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { may } from '../privacy/roles.ts';
import { Accepted, type Answered, answered, type QueryDeps } from '../query/route.ts';
import { consentEvent } from './consent-event.ts';
import { type Consents, standingOf } from './consents.ts';
import { consentsOf } from './of-profile.ts';
import { generalOf, purposeName, purposes } from './purpose.ts';

const PATH = '/profiles/{kind}/{value}/consent';

const standing = z.object({
  allowed: z.boolean(),
  /** Whether somebody said so, the brand presumes it of who has said nothing, or the person is restricted: then nothing is. */
  because: z.enum(['said', 'presumed', 'restricted']),
  /** Since when it has been so, and the proof: the event that says so now, its channel, and the text that was shown. */
  since: instant.optional(),
  at: instant.optional(),
  event: z.string().optional(),
  channel: z.string().optional(),
  text: z.string().optional(),
});

const consentView = z.object({ profile: z.string(), purposes: z.record(z.string(), standing) });
const oneView = z.object({ profile: z.string(), purpose: z.string(), allowed: z.boolean() });

const saidBy = ({ cluster, division, ids, profile }: Somebody): Consents | undefined =>
  consentsOf(cluster, division, ids.indexOf(profile));

function showStanding(
  consents: Consents | undefined,
  purpose: string,
  { brand }: QueryDeps,
): z.infer<typeof standing> {
  const { allowed, by } = standingOf(consents, purpose, brand.consent);
  if (!by) return { allowed, because: 'presumed' };
  const { since, at, event, channel, text } = by;
  return { allowed, because: 'said', since, at, event, channel, ...(text !== '' && { text }) };
}

const view = answered(
  {
    method: 'GET',
    path: PATH,
    summary:
      'What a person allows and by whose word, with the proof; `?purpose=` says of one whether it is allowed now: ask before each send',
    query: z.strictObject({ scope: z.string().optional(), purpose: purposeName.optional() }),
    answer: z.union([oneView, consentView]),
  },
  async ({ params: { kind = '', value = '' }, query: { scope, purpose }, saw }, deps) => {
    const found = await findSomebody({ kind, value, scope }, deps);
    const consents = saidBy(found);
    const { profile, cluster, division, ids } = found;
    const restricted = restrictedSince(cluster.graph, division.members[ids.indexOf(profile)]);
    // Who asks before each message learns yes or no, and nothing of the person: it is no look at them.
    if (purpose)
      return {
        ...{ profile, purpose },
        allowed: !restricted && standingOf(consents, purpose, deps.brand.consent).allowed,
      };
    saw(profile);
    const spoken = [...(consents?.values() ?? [])].flatMap((said) => [...said.keys()]);
    const all = [...new Set([...purposes, ...spoken])].sort();
    return {
      profile,
      purposes: Object.fromEntries(
        all.map((name) => [
          name,
          restricted
            ? { allowed: false, because: 'restricted', since: restricted }
            : showStanding(consents, name, deps),
        ]),
      ),
    };
  },
);

/** A clock that is a little ahead is no lie. */
const AHEAD = HOUR;

const put = answered(
  {
    method: 'PUT',
    path: PATH,
    summary: 'Records what a person said: granted with the version of the text that was shown, or withdrawn',
    query: z.strictObject({ scope: z.string().optional() }),
    body: z.strictObject({
      purposes: z.array(purposeName).min(1).max(20),
      state: z.enum(['granted', 'withdrawn']),
      /** The version of the text that was shown: without it nothing can be granted. */
      text: z.string().min(1).max(64).optional(),
      /** Where it was said. */
      where: z.string().min(1).max(64),
      /** When it was said; absent: now. */
      at: instant.optional(),
    }),
    answer: z.object({ status: z.literal('queued'), events: z.array(z.string()) }),
  },
  async ({ params: { kind = '', value = '' }, query: { scope }, body, caller, record }, deps) => {
    const { purposes: named, state, text, where, at = toIso(deps.now()) } = body;
    const granted = state === 'granted';
    if (granted && text === undefined)
      throw new RejectedError('no_proof', 'a grant takes `text`: the version of the text that was shown');
    if (granted && !may(caller.role, 'identifiers'))
      throw new RejectedError('forbidden', 'granting takes a key of role admin or privacy', 403);
    if (Date.parse(at) > deps.now() + AHEAD)
      throw new RejectedError('in_future', 'at: nobody has said this yet');
    if (!deps.events) throw new Error('consents need the queue of events');
    const found = await findSomebody({ kind, value, scope }, deps);
    const told = { granted, purposes: named, text, where, by: caller.name, at };
    const ids = [found.id, ...(granted ? withdrawnAs(found, named) : [])];
    const events = ids.map((id) => consentEvent(deps.protector.reveal(id), told, toIso(deps.now())));
    const details = { state, purposes: named.join(' '), where };
    await record('consent_said', { profiles: [found.profile], details });
    await deps.events.send([JSON.stringify({ events, faults: [] })]);
    return new Accepted({ status: 'queued', events: events.map(({ id }) => id) });
  },
);

/**
 * The other identifiers as which the person had withdrawn any of these: a brand that grants by the API grants for the
 * whole of who it is today. Each has an event of its own, which joins nobody and comes apart with its identifier.
 */
function withdrawnAs(found: Somebody, named: readonly string[]): Identifier[] {
  const own = nameOf(found.id);
  return [...(saidBy(found) ?? [])].flatMap(([name, said]) => {
    const isAgainst = [...said].some(
      ([purpose, { granted }]) =>
        !granted && named.some((it) => it === purpose || generalOf(it) === generalOf(purpose)),
    );
    const id = found.cluster.graph.identifiers.get(name);
    return isAgainst && id && name !== own ? [id] : [];
  });
}

/** What people allow: asked before each send, and recorded. */
export const consentRoutes: readonly Answered[] = [view, put];
