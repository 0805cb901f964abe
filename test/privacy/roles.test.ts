// Scope: which role may do what, at every door.
import { expect, test } from 'vitest';
import { role } from '../../lib/platform/brand-words.ts';
import { may, powers, whoMay } from '../../lib/privacy/roles.ts';
import { anOrder, aVisit } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';
import { aSurveyor } from '../tags/a-survey.ts';

test('every role stands in the table; who sees persons sees groups, who sees phones sees names', () => {
  expect(Object.keys(powers).sort()).toEqual([...role.options].sort());
  for (const it of role.options) {
    if (may(it, 'persons')) expect(may(it, 'groups')).toBe(true);
    if (may(it, 'personal')) expect(may(it, 'identifiers')).toBe(true);
  }
  expect(whoMay('persons')).toEqual(['operator', 'admin', 'privacy']);
  expect(whoMay('audit')).toEqual(['privacy']);
});

test('an analyst sees groups and reports, and no person', async () => {
  const world = aWorld();
  await world.take(aVisit(0), anOrder(1, 'o1', 100));
  const { ask, askInVain } = await aCaller(world);
  for (const path of ['/groups', '/channels']) await ask(path, { as: 'analyst' });
  const persons = [
    ...['', '/events', '/conversions', '/tags/buyer/explain'].map((it) => `/profiles/member_id/m1${it}`),
    ...['/tags', '/tags/buyer/profiles', '/conversions/a.b', '/reviews', '/exports/x', '/audit'],
  ];
  for (const path of persons)
    expect(await askInVain(path, { as: 'analyst' }), path).toMatchObject({ status: 403 });
});

test('an analyst sees rules; drafts, which can be made to tell one person from a group, are not for them', async () => {
  const surveyor = await aSurveyor(aWorld());
  expect((await surveyor.send('GET', '/rules', '', 'analyst')).status).toBe(200);
  const refused = [
    ['POST', '/rules/rich/forecast'],
    ['GET', '/rules/rich/forecast/x'],
    ['POST', '/rfm'],
    ['GET', '/rfm/x'],
    ['PUT', '/rules/rich'],
    ['POST', '/effect'],
  ] as const;
  for (const [method, path] of refused)
    expect((await surveyor.send(method, path, 'true', 'analyst')).status, path).toBe(403);
});
