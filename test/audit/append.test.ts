// Scope: entries are appended, all of them, whoever else appends.
import { expect, test } from 'vitest';
import { appendAudit, subjectOf } from '../../lib/audit/append.ts';
import { hashOf } from '../../lib/audit/entry.ts';
import { DAY, SECOND } from '../../lib/platform/clock.ts';
import { ConflictError } from '../../lib/platform/errors.ts';
import type { Item } from '../../lib/platform/table.ts';
import { aLog, aRead, START } from './a-log.ts';

const textOf = ({ e }: Item) => JSON.parse(String(e));

test('an entry says who did what, to whom by digest, where and why, and follows the one before it', async () => {
  const log = aLog();
  await log.append(aRead('s1', { reason: 'ticket 7', fields: ['identifiers'] }));
  log.pass(SECOND);
  await log.append(aRead('s1'));
  const [first, second] = log.rows();
  expect(textOf(first!)).toEqual({
    day: '2026-11-11',
    lane: expect.any(Number),
    n: 1,
    at: '2026-11-11T02:00:00.000Z',
    ...aRead('s1', { reason: 'ticket 7', fields: ['identifiers'] }),
    prev: `2026-11-11/${textOf(first!).lane}`,
  });
  expect(textOf(second!)).toMatchObject({ n: 2, prev: first?.h });
  expect(first?.h).toBe(hashOf(String(first?.e)));
});

test('sixty who append to one lane at once are all in it, and the chain is whole', async () => {
  const log = aLog();
  await Promise.all(Array.from({ length: 60 }, (_, i) => log.append(aRead('s1', { details: { i } }))));
  const said = log.rows().map((row) => textOf(row).details.i);
  expect(said.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  expect(await log.verify()).toMatchObject({ whole: true, entries: 60 });
});

test('each day begins its own lanes', async () => {
  const log = aLog();
  await log.append(aRead('s1'));
  log.setClock(START + DAY);
  await log.append(aRead('s1'));
  expect(log.rows().map((row) => textOf(row).n)).toEqual([1, 1]);
  expect(await log.verify()).toMatchObject({ whole: true, entries: 2 });
});

test('what cannot be written is an error for who waits, and a lane that is always taken gives up', async () => {
  const log = aLog();
  const broken = { ...log.table, put: async () => Promise.reject(new Error('no table')) };
  await expect(appendAudit({ table: broken, now: log.now }, aRead('s1'))).rejects.toThrow('no table');
  let tries = 0;
  const taken = {
    ...log.table,
    put: async () => {
      tries++;
      throw new ConflictError('taken');
    },
  };
  await expect(appendAudit({ table: taken, now: log.now }, aRead('s1'))).rejects.toThrow('taken');
  expect(tries).toBeGreaterThan(50);
});

test('a profile’s digest is the same each time, and another under another key', () => {
  const { protector } = aLog();
  expect(subjectOf('p1', protector)).toBe(subjectOf('p1', protector));
  expect(subjectOf('p1', protector)).not.toBe(subjectOf('p2', protector));
  expect(subjectOf('p1', protector)).not.toContain('p1');
});
