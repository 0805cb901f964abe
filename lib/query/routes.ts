import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { keys } from '../platform/keys.ts';
import { attributionRoutes } from './attribution.ts';
import { showIdentifier } from './mask.ts';
import { openApi } from './openapi.ts';
import { profileRoutes } from './profiles.ts';
import { type Answered, answered } from './route.ts';
import { tagRoutes } from './tags.ts';

const reviewRow = z.object({
  sk: z.string(),
  gone: z.boolean().optional(),
  at: instant.optional(),
  event: z.string().optional(),
  reason: z.string().optional(),
  a: identifier.optional(),
  b: identifier.optional(),
});

const reviews = answered(
  {
    method: 'GET',
    path: '/reviews',
    summary: 'Identity conflicts: strong identifiers that met on an event and were not joined',
    answer: z.object({
      reviews: z.array(
        z.object({
          profile: z.string(),
          reason: z.string(),
          occurredAt: instant,
          event: z.string(),
          identifiers: z.array(identifier),
        }),
      ),
    }),
  },
  async ({ caller }, deps) => {
    const found: unknown[] = [];
    for await (const row of deps.table.query(keys.review('', '').pk)) {
      const { sk, gone, at, event, reason, a, b } = reviewRow.parse(row);
      if (gone || !a || !b) continue;
      const identifiers = [a, b].map((id) => showIdentifier(id, caller.role, deps.protector));
      found.push({ profile: sk.split('#')[0], reason, occurredAt: at, event, identifiers });
    }
    return { reviews: found };
  },
);

const health = answered(
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the brand answers',
    roles: 'public',
    answer: z.object({ status: z.literal('ok'), brand: z.string() }),
  },
  (_question, { brand }) => ({ status: 'ok', brand: brand.name }),
);

const document = answered(
  {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    roles: 'public',
    answer: z.looseObject({}),
  },
  (_question, { brand }) => openApi(routes, brand),
);

/** Everything that can be asked. */
export const routes: readonly Answered[] = [
  health,
  document,
  ...profileRoutes,
  ...tagRoutes,
  ...attributionRoutes,
  reviews,
];
