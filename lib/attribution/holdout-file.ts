import { z } from 'zod';
import { type Experiment, isHeldOut } from './holdout.ts';
import { checked, JudgeFileError, type LinesReader, tableReader } from './prediction-file.ts';

const COLUMNS = {
  campaign: ['campaign'],
  group: ['group'],
  person: ['person', 'profile', 'user'],
  people: ['people'],
  converted: ['converted', 'conversions'],
} as const;

const count = z.string().regex(/^\d+$/).transform(Number);
const credit = z
  .string()
  .regex(/^\d*\.?\d*$/)
  .transform(Number);

const row = z.object({
  campaign: z.string().min(1),
  group: z.enum(['reached', 'held_out']).optional(),
  person: z.string().min(1).optional(),
  people: count.default(1),
  converted: count,
});

interface Sums {
  readonly reached: { people: number; converted: number };
  readonly heldOut: { people: number; converted: number };
  readonly credits: Record<string, number>;
}

/**
 * Reads what became of campaigns' groups, as CSV, rows of the same campaign and group added up:
 *
 *     campaign,group,people,converted,credit_linear,credit_composite
 *     spring,reached,9000,540,310.5,402.25
 *     spring,held_out,1000,41,,
 *
 * `people` is 1 unless there is a column for it. With a column `person` instead of `group`, who is held out is found by
 * the campaign's stable buckets and `share`. Each column whose name begins with `credit` is what a model gives to the
 * campaign; credit of people who were held out is not the campaign's and is left out.
 */
export function holdoutReader(share?: number): LinesReader<Experiment[]> {
  const campaigns = new Map<string, Sums>();

  const take = (cells: Readonly<Record<string, string>>, line: number) => {
    const { campaign, group, person, people, converted } = checked(row, cells, line);
    if (converted > people) throw new JudgeFileError(`line ${line}: more converted than there are people`);
    let sums = campaigns.get(campaign);
    if (!sums) {
      sums = { reached: { people: 0, converted: 0 }, heldOut: { people: 0, converted: 0 }, credits: {} };
      campaigns.set(campaign, sums);
    }
    const isOut = group === undefined ? bucketSays(campaign, person, line) : group === 'held_out';
    const into = isOut ? sums.heldOut : sums.reached;
    into.people += people;
    into.converted += converted;
    for (const [name, cell] of Object.entries(cells)) {
      if (!name.startsWith('credit')) continue;
      const model = name.replace(/^credit_?/, '') || 'credit';
      const given = checked(z.object({ [name]: credit }), { [name]: cell }, line)[name] ?? 0;
      sums.credits[model] = (sums.credits[model] ?? 0) + (isOut ? 0 : given);
    }
  };

  function bucketSays(campaign: string, person: string | undefined, line: number): boolean {
    if (person === undefined) throw new JudgeFileError(`line ${line}: neither a group nor a person`);
    if (share === undefined)
      throw new JudgeFileError('the file has no column group: say --share 0.1, what was held out');
    return isHeldOut(campaign, person, share);
  }

  const table = tableReader(COLUMNS, ['campaign', 'converted'], take);
  let line = 0;
  return {
    take(text) {
      line += 1;
      table.take(line === 1 ? text.replace(/^\uFEFF/, '') : text);
    },
    end() {
      table.end();
      return [...campaigns].map(([campaign, sums]) => ({ campaign, ...sums }));
    },
  };
}
