import { z } from 'zod';
import { DAY, dayName, SECOND } from '../platform/clock.ts';
import { type Answered, answered } from '../query/route.ts';
import { countMembers } from '../query/tags.ts';
import { whoMay } from './roles.ts';
import { groupSize, groupSizes } from './suppress.ts';
import { toldNames, toldOnce } from './told-store.ts';

const groupAnswer = z.object({
  day: z.iso.date(),
  k: z.int(),
  groups: z.array(
    z.object({
      tag: z.string(),
      version: z.int(),
      profiles: groupSize,
      values: z.record(z.string(), groupSize).optional(),
    }),
  ),
});

export const groupRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/groups',
      summary:
        'The sizes of all tags for those who see no single person: with noise, in steps of k, small groups not told; as first asked on the brand-day',
      answer: groupAnswer,
      roles: whoMay('groups'),
    },
    async (_question, deps) => {
      const { book } = await deps.rules();
      const { k } = deps.brand.privacy;
      const day = book.calendar.brandDay(deps.now());
      const until = Math.ceil((deps.now() + 2 * DAY) / SECOND);
      const asked = { table: deps.table, name: toldNames.tags(day), until, shape: groupAnswer };
      return toldOnce(asked, async () => {
        const groups = book.rules.map(async ({ tag, version, rule }) => {
          const grainOf = (part: string) =>
            deps.protector.digest({ kind: 'grain', scope: `${day}`, value: JSON.stringify([tag, part]) });
          const { profiles, values } = groupSizes(await countMembers(tag, deps), k, grainOf);
          return { tag, version, profiles, ...(rule.values && { values }) };
        });
        const sorted = (await Promise.all(groups)).sort((a, b) => (a.tag < b.tag ? -1 : 1));
        return { day: dayName(day), k, groups: sorted };
      });
    },
  ),
];
