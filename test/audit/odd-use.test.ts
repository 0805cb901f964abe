// Scope: what is odd, and what comes of it.
import { expect, test } from 'vitest';
import { oddUse } from '../../lib/audit/odd-use.ts';
import { watchAudit } from '../../lib/audit/watch.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/platform/clock.ts';
import { aBrand } from '../profile/a-profile.ts';
import { aLog, aRead, START } from './a-log.ts';

/** START is ten in the morning for the brand. */
const brand = aBrand({ privacy: { bulkReads: 5 } });

async function aWatch() {
  const log = aLog();
  const lines: string[] = [];
  const watch = () => watchAudit({ ...log, brand, log: (line) => void lines.push(line) });
  const metrics = () => lines.map((line) => JSON.parse(line)).filter((it) => it._aws);
  const readMany = async (count: number, more = {}) => {
    for (let i = 0; i < count; i++) await log.append(aRead(`s${i}`, more));
    log.pass(SECOND);
  };
  return { log, lines, watch, metrics, readMany };
}

test('five people in an hour are no matter, six are; a person read twice is one', async () => {
  const { watch, metrics, readMany } = await aWatch();
  await readMany(5);
  await readMany(5);
  await watch();
  expect(metrics()).toEqual([]);
  await readMany(6);
  await watch();
  expect(metrics()).toMatchObject([{ Brand: 'demo', OddUse: 1, kind: 'bulk_read', key: 'k1', count: 6 }]);
});

test('it is said once an hour, in the log too, and by key: two that read three each are not odd', async () => {
  const { log, watch, metrics, readMany } = await aWatch();
  await readMany(3, { key: 'k1' });
  await log.append(aRead('t1', { key: 'k2' }));
  for (const s of ['t2', 't3']) await log.append(aRead(s, { key: 'k2' }));
  log.pass(SECOND);
  await watch();
  expect(metrics()).toHaveLength(0);
  await readMany(6);
  for (let i = 0; i < 3; i++) {
    await watch();
    log.pass(5 * MINUTE);
  }
  expect(metrics()).toHaveLength(1);
  const [entry] = (await log.store.day('2026-11-11')).filter(({ what }) => what === 'odd_use');
  expect(entry).toMatchObject({
    who: 'watch',
    details: { kind: 'bulk_read', key: 'k1', of: 'Wang', count: 6 },
  });
  log.pass(HOUR);
  await readMany(6);
  await watch();
  expect(metrics()).toHaveLength(2);
});

test('a page that shows six people at once is odd too', async () => {
  const { log, watch, metrics } = await aWatch();
  await log.append(aRead('a', { subjects: ['a', 'b', 'c', 'd', 'e', 'f'] }));
  log.pass(SECOND);
  await watch();
  expect(metrics()).toHaveLength(1);
});

test.each([
  ['21:59', false],
  ['22:00', true],
  ['02:30', true],
  ['06:59', true],
  ['07:00', false],
])('an export at %s by the brand’s clock: odd is %s', (time, isOdd) => {
  const at = new Date(Date.parse(`2026-11-11T${time}:00.000+08:00`));
  const entry = {
    ...aRead('x', { what: 'export_asked' }),
    ...{ day: '2026-11-11', lane: 0, n: 1, at: at.toISOString(), subjects: [] },
  };
  const found = oddUse([entry], brand, at.getTime() + MINUTE);
  expect(found.map(({ kind }) => kind)).toEqual(isOdd ? ['night_export'] : []);
  expect(oddUse([{ ...entry, what: 'read' }], brand, at.getTime() + MINUTE)).toEqual([]);
});

test('a brand without a night has none', () => {
  const sleepless = aBrand({ privacy: { night: { from: 0, to: 0 } } });
  const at = new Date(START).toISOString();
  const entry = {
    ...aRead('x', { what: 'export_asked' }),
    day: '2026-11-11',
    lane: 0,
    n: 1,
    at,
    subjects: [],
  };
  expect(oddUse([entry], sleepless, START + 1)).toEqual([]);
});

test('each look holds the log fast and says the anchor aloud, with no digest of anybody', async () => {
  const { lines, watch, readMany } = await aWatch();
  await readMany(6);
  expect(await watch()).toEqual({ odd: 1, anchor: 1 });
  const said = lines.join('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ event: 'audit_anchored', n: 1 });
  expect(said).not.toMatch(/"s[0-5]"|Wang/);
  expect(await watch()).toEqual({ odd: 0 });
});
