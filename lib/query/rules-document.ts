import { z } from 'zod';
import { instant } from '../events/event.ts';
import { whoMay } from '../privacy/roles.ts';
import { backfillAnswer } from '../tags/backfill-told.ts';
import { finding, ruleCost } from '../tags/check.ts';
import { effectAnswer, effectsAnswer } from './effect.ts';
import type { Route } from './route.ts';

const groups = whoMay('groups');
const effectQuery = z.object({
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  goal: z.string().optional(),
});
const effectBegun = z.object({
  ...{ id: z.string(), at: instant, result: z.string() },
  ...{ from: z.iso.date(), to: z.iso.date(), goal: z.string() },
});

/** What the rules function answers about publishing, for the document. @param draft a rule without its tag */
export const publishingRoutes = (draft: z.ZodType, ruleView: z.ZodType): readonly Route[] => [
  {
    ...{ method: 'POST', path: '/rules/{tag}/check', roles: groups, body: draft },
    summary:
      'What is wrong with a draft, or should be known: types, circles, always true or false, duplicates, cost, personal data',
    answer: z.object({ findings: z.array(finding), cost: ruleCost.optional() }),
  },
  {
    ...{ method: 'POST', path: '/rules/{tag}/rollback', roles: whoMay('rules') },
    summary: 'Puts what a version said in force again, as a new version',
    body: z.object({ version: z.int() }),
    answer: z.object({ rule: ruleView, backfill: z.string() }),
  },
  {
    ...{ method: 'GET', path: '/backfill', roles: groups },
    summary: 'How far the newest back-fill is: all profiles brought to new rules',
    answer: backfillAnswer,
  },
  {
    ...{ method: 'GET', path: '/backfill/{id}', roles: groups },
    summary: 'How far a back-fill is',
    answer: backfillAnswer,
  },
  {
    ...{ method: 'POST', path: '/effect', roles: groups, query: effectQuery },
    summary: 'Looks at what holders of each tag did, against others; 202 with where the report will be',
    answer: effectBegun,
  },
  {
    ...{ method: 'GET', path: '/effect/{id}', roles: groups },
    summary: 'What each tag tells apart, and those that separate nothing',
    answer: effectsAnswer,
  },
  {
    ...{ method: 'POST', path: '/tags/{tag}/effect', roles: groups, query: effectQuery },
    summary: 'Looks at what holders of a tag did, against others; 202 with where the report will be',
    answer: effectBegun,
  },
  {
    ...{ method: 'GET', path: '/tags/{tag}/effect/{id}', roles: groups },
    summary: 'A tag’s size by day, who entered and left, conversions against others, overlap',
    answer: effectAnswer,
  },
];
