// Asks the identity routes as the gateway does; what is decided comes back through the queue of events.
import { expect } from 'vitest';
import { conversionStore } from '../../lib/attribution/store.ts';
import { previewRoutes } from '../../lib/identity/preview-routes.ts';
import { identityRoutes } from '../../lib/identity/routes.ts';
import type { Role } from '../../lib/platform/brand-words.ts';
import { RejectedError } from '../../lib/platform/errors.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { answer, paramsOf, type QueryDeps } from '../../lib/query/route.ts';
import { memoryQueue } from '../platform/memory.ts';
import type { World } from '../profile/a-world.ts';

const routes = [...identityRoutes, ...previewRoutes];
const keyOf = (role: Role) => `the-${role}-key-of-the-tests`;

export async function aDecider(world: World) {
  const { worker, rows, brand, clock } = world;
  for (const role of ['operator', 'analyst', 'admin', 'privacy'] as const)
    await rows.put(apiKeyItem(keyOf(role), { role, name: `${role} Li` }));
  const events = memoryQueue();
  const deps: QueryDeps = {
    ...worker,
    table: rows,
    brand,
    conversions: conversionStore(rows, clock),
    ownPaths: {},
    events,
  };
  let delivered = 0;

  /** Status and body; an answer has to be what its route says that it answers. */
  async function ask(path: string, body?: unknown, as: Role = 'admin', reason = 'case 17') {
    const method = body === undefined ? 'GET' : 'POST';
    const request = {
      ...{ method, path, params: {}, query: {}, rawQuery: '' },
      headers: { authorization: `Bearer ${keyOf(as)}`, 'x-reason': reason },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    };
    try {
      const reply = await answer(routes, request, deps);
      const said = JSON.parse(reply.body ?? '');
      const route = routes.find((it) => it.method === method && paramsOf(it.path, path));
      expect(route?.answer.parse(said), `${path} answers as described`).toEqual(said);
      return { status: reply.status, body: said };
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      return { status: error.status, reason: error.reason };
    }
  }

  /** Delivers what was decided since, and everything that follows from it. */
  async function settle(): Promise<void> {
    const bodies = events.bodies.slice(delivered);
    delivered = events.bodies.length;
    expect(await world.deliver(...bodies.map((body) => ({ body })))).toEqual([]);
    await world.attribute();
  }

  return { ask, settle, events };
}
