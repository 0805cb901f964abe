import { z } from 'zod';
import { WHOLE } from '../attribution/split.ts';
import { instant } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { viewOf } from '../profile/person.ts';
import { personAt } from '../tags/past.ts';
import { explainValue, valuePlan } from '../tags/value.ts';
import { eventsOf, leafView, NOTE } from './explain.ts';
import { lookUpUsed } from './lookup.ts';
import { type Answered, answered } from './route.ts';
import { moment } from './span.ts';

const points = z.int().min(0).max(100);
const ppm = z.int().min(0).max(WHOLE);
const layer = z.object({
  value: points,
  weight: z.int(),
  /** Of the whole value. */
  ppm,
  nextChangeAt: instant.optional(),
  parts: z.record(
    z.string(),
    z.object({
      points,
      most: points,
      per: z.int(),
      /** As the brand says it. */
      of: z.string(),
      ppm,
      leaves: z.array(leafView),
    }),
  ),
});
const valueAnswer = z.object({
  at: instant,
  value: points,
  /** When it will be another if nothing happens; absent if it stays, for years at least. */
  nextChangeAt: instant.optional(),
  layers: z.object({ base: layer, potential: layer, spread: layer, loyalty: layer }),
  /** Of a past instant: by what it is told. */
  note: z.string().optional(),
});

export const valueRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/profiles/{kind}/{value}/value',
      summary:
        'What somebody is worth in four layers, now or at a past instant: base, potential, spread, loyalty; each part with its share and what it reads',
      query: z.strictObject({
        scope: z.string().optional(),
        /** A past instant, or a brand-day: how it ended. */
        at: moment.optional(),
      }),
      answer: valueAnswer,
    },
    async ({ params: { kind = '', value = '' }, query: { scope, at: asked }, saw }, deps) => {
      const { book: inForce } = await deps.rules();
      const found = await lookUpUsed({ kind, value, scope }, { book: inForce, brand: deps.brand }, deps);
      saw(found.profile.id);
      const now = Math.max(deps.now(), found.profile.person.walkedTo);
      const { calendar } = inForce;
      const then = asked && ('at' in asked ? asked.at : calendar.startOfDay(asked.day + 1) - 1);
      if (then !== undefined && then > now) throw new RejectedError('bad_range', 'at: this is yet to come');
      const at = then ?? now;
      const plan = valuePlan(deps.brand);
      const events = await eventsOf(found, deps);
      const person = personAt(events, at, { book: plan.book, brand: deps.brand });
      return {
        at: toIso(at),
        ...explainValue(plan, viewOf(person), at),
        ...(then !== undefined && { note: NOTE }),
      };
    },
  ),
];
