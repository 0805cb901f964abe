// Scope: what a person allows, told of the events that say so: by time, by purpose, by the identifier they said it as.
import { describe, expect, test } from 'vitest';
import { allows, type Consents, heardAll, standingOf } from '../../lib/consent/consents.ts';
import { usualConsent } from '../../lib/consent/purpose.ts';
import { saidBy } from '../../lib/consent/said.ts';
import { byTime, type Event } from '../../lib/events/event.ts';
import { anEvent, day } from '../profile/a-profile.ts';
import { granted, withdrawn } from './a-consent.ts';

const asked = { ...usualConsent, analytics: 'asked', marketing: 'asked' } as const;
const heard = (...events: Event[]): Consents | undefined => heardAll(undefined, events.toSorted(byTime));
const may = (purpose: string, ...events: Event[]) => allows(heard(...events), purpose, usualConsent);

describe('one person', () => {
  test('who has said nothing is as the brand presumes', () => {
    expect(allows(undefined, 'analytics', usualConsent)).toBe(true);
    expect(allows(undefined, 'marketing.wecom', asked)).toBe(false);
    expect(allows(heard(granted(1, 'marketing')), 'marketing.wecom', asked)).toBe(true);
    expect(allows(heard(granted(1, 'marketing')), 'analytics', asked)).toBe(false);
  });

  test('said it last holds, and of one instant the stricter, whichever has the greater id', () => {
    expect(may('sharing', withdrawn(1, 'sharing'), granted(2, 'sharing'))).toBe(true);
    expect(may('sharing', granted(1, 'sharing'), withdrawn(2, 'sharing'))).toBe(false);
    for (const [a, b] of [
      ['a', 'b'],
      ['b', 'a'],
    ])
      expect(may('sharing', withdrawn(1, 'sharing', { id: a }), granted(1, 'sharing', { id: b }))).toBe(
        false,
      );
  });

  test('speaks of one channel, or of all at once', () => {
    const wecom = withdrawn(1, 'marketing.wecom');
    expect(may('marketing.wecom', wecom)).toBe(false);
    expect(may('marketing.sms', wecom)).toBe(true);
    expect(may('marketing.wecom', wecom, granted(2, 'marketing'))).toBe(true);
    expect(may('marketing.wecom', withdrawn(2, 'marketing'), granted(1, 'marketing.wecom'))).toBe(false);
    expect(may('marketing.wecom', withdrawn(2, 'marketing'), granted(3, 'marketing.wecom'))).toBe(true);
    expect(may('marketing.sms', withdrawn(2, 'all'), granted(3, 'marketing.wecom'))).toBe(false);
  });

  test('leaves a proof: the text, the channel, the time, and since when it is so', () => {
    const { by } = standingOf(
      heard(granted(1, 'analytics'), granted(3, 'analytics', { id: 'again', channel: 'shop' })),
      'analytics',
      asked,
    );
    expect(by).toEqual({
      granted: true,
      since: day(1),
      at: day(3),
      event: 'again___________',
      channel: 'shop',
      text: 'v3',
    });
  });

  test('may name more channels than are kept apart: a withdrawal is then of all, a grant of none', () => {
    const many = Array.from({ length: 32 }, (_, i) => granted(i, `marketing.c${i}`));
    expect(may('marketing.one-more', ...many, withdrawn(40, 'marketing.one-more'))).toBe(false);
    expect(may('marketing.c1', ...many, withdrawn(40, 'marketing.one-more'))).toBe(false);
    expect(allows(heard(...many, granted(40, 'marketing.one-more')), 'marketing.one-more', asked)).toBe(
      false,
    );
  });
});

describe('two who turn out to be one', () => {
  const asMember = { ids: ['member_id:m1'] };
  const asBuyer = { ids: ['phone:1'] };

  test('keep the stricter of what both said', () => {
    const said = [withdrawn(1, 'analytics', asMember), granted(2, 'analytics', asBuyer)];
    expect(may('analytics', ...said)).toBe(false);
    expect(standingOf(heard(...said), 'analytics', usualConsent).by?.at).toBe(day(1));
  });

  test('are lifted by a grant that names who withdrew, and by no withdrawal of another', () => {
    const said = [withdrawn(1, 'analytics', asBuyer), granted(2, 'analytics', asMember)];
    expect(may('analytics', ...said, granted(3, 'analytics', { ids: ['member_id:m1', 'phone:1'] }))).toBe(
      true,
    );
    expect(may('analytics', ...said, granted(3, 'sharing', { ids: ['member_id:m1', 'phone:1'] }))).toBe(
      false,
    );
  });
});

describe('what is said', () => {
  const revoked = (scope: string) => saidBy(anEvent('consent_revoked', 0, { properties: { scope } }));

  test('cannot be read: a grant grants nothing, a withdrawal takes everything back', () => {
    expect(saidBy(granted(0, 'telepathy'))?.purposes).toEqual([]);
    expect(saidBy(withdrawn(0, 'telepathy, sharing'))?.purposes).toHaveLength(4);
    expect(saidBy(withdrawn(0, 'sharing, marketing.sms'))?.purposes).toEqual(['sharing', 'marketing.sms']);
  });

  test('by a vendor, is in the vendor’s words', () => {
    expect(revoked('profile')?.purposes).toEqual(['personalisation']);
    expect(revoked('im')?.purposes).toEqual(['marketing.generic']);
    for (const scope of ['account', 'personal_data', 'all', 'user_info,mobile_alert'])
      expect(revoked(scope)?.purposes).toHaveLength(4);
  });

  test('is of consent or of nothing', () => expect(saidBy(anEvent('page_viewed', 0))).toBeUndefined());
});
