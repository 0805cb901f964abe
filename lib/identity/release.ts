import { z } from 'zod';
import { instant } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { whoMay } from '../privacy/roles.ts';
import { profileIds } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { reasonOf } from '../query/auth.ts';
import { Accepted, type Answered, answered, type QueryDeps } from '../query/route.ts';
import { wanted } from './ask.ts';
import { identifierOf } from './find.ts';
import { nameOf, partition } from './graph.ts';
import { isStrong } from './kinds.ts';
import { releaseEvent } from './tenure.ts';

/** Says that an identifier was given up at an instant, or takes that back. */
export const releaseRoute: Answered = answered(
  {
    method: 'POST',
    path: '/identity/release',
    summary:
      'Says that an identifier was given up: from then on it points to nobody, and who is seen with it next is somebody else',
    body: z.strictObject({
      identifier: wanted,
      /** When; without it: now. */
      at: instant.optional(),
      /** False takes the word on this instant back. */
      released: z.boolean().default(true),
      why: z.string().min(4).max(200),
    }),
    answer: z.object({ status: z.literal('queued'), id: z.string(), since: instant, released: z.boolean() }),
    roles: whoMay('identifiers'),
  },
  async ({ body, record }, deps) => {
    if (!deps.events) throw new Error('releases need the queue of events');
    const now = toIso(deps.now());
    const since = body.at ?? now;
    if (since > now) throw new RejectedError('future', 'what is given up later is said later');
    const id = identifierOf(body.identifier, deps);
    if (!isStrong(id))
      throw new RejectedError('weak', `a ${id.kind} says of nobody who it is: there is nothing to give up`);
    const profiles = await holders(id, since, deps);
    const event = releaseEvent(id, { since, released: body.released }, now);
    const verdict = body.released ? 'released' : 'held';
    const details = { decision: event.id, verdict, why: reasonOf(body.why) ?? '' };
    await record('identity_decided', { profiles, details });
    await deps.events.send([JSON.stringify({ events: [event], faults: [] })]);
    return new Accepted({ status: 'queued', id: event.id, since, released: body.released });
  },
);

/** Whose an identifier was right before an instant and is today. @throws RejectedError 404 if it was never seen */
async function holders(
  id: ReturnType<typeof identifierOf>,
  since: string,
  deps: QueryDeps,
): Promise<string[]> {
  const stored = deps.protector.protect(id);
  const place = await deps.directory.find(stored);
  const cluster = place && (await readCluster(deps.profiles, place.cluster));
  if (!cluster) throw new RejectedError('not_found', `no profile ever had this ${id.kind}`, 404);
  const division = partition(cluster.graph);
  const ids = profileIds(cluster.id, cluster.graph, division);
  const before = toIso(Date.parse(since) - 1);
  const members = [before, undefined].map((at) => division.memberAt(nameOf(stored), at));
  return [...new Set(members.flatMap((member) => (member === undefined ? [] : (ids[member] ?? []))))];
}
