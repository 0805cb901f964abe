import { z } from 'zod';
import { RejectedError } from '../platform/errors.ts';
import { type Answered, answered } from '../query/route.ts';
import { lineageOfReport, lineageOfTag, reportLineage, reports, tagLineage } from './lineage.ts';
import { whoMay } from './roles.ts';

const reportName = z.enum(reports);

/** Where tags and reports come from. */
export const lineageRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/lineage/tags/{tag}',
      summary:
        'What a tag rests on: features, event types, properties and their classes, accounts that give them',
      answer: tagLineage,
      roles: whoMay('groups'),
    },
    async ({ params: { tag = '' } }, { rules, brand }) => {
      const found = lineageOfTag(tag, (await rules()).book, brand);
      if (!found) throw new RejectedError('not_found', 'there is no rule for this tag', 404);
      return found;
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/lineage/reports/{report}',
      summary: 'What a report rests on: attribution, groups or rfm',
      answer: reportLineage,
      roles: whoMay('groups'),
    },
    ({ params: { report } }, { brand }) => {
      const name = reportName.safeParse(report);
      if (!name.success) throw new RejectedError('not_found', `the reports are ${reports.join(', ')}`, 404);
      return lineageOfReport(name.data, brand);
    },
  ),
];
