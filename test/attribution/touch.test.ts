import { describe, expect, test } from 'vitest';
import { touchesOf, touchOf } from '../../lib/attribution/touch.ts';
import { aBrand, anEvent, anOrder, aRefund, aVisit, day } from './a-history.ts';

const brand = aBrand();
const channelOf = (...of: Parameters<typeof anEvent>) => touchOf(anEvent(...of), brand)?.channel;

describe('what is a touch', () => {
  test('the types that the brand names, and anything with a campaign', () => {
    expect(touchOf(anEvent('contact_added', day(0)), brand)).toBeDefined();
    expect(touchOf(anEvent('product_viewed', day(0)), brand)).toBeUndefined();
    expect(
      touchOf(anEvent('product_viewed', day(0), { context: { campaign: { name: 'x' } } }), brand),
    ).toBeDefined();
  });

  test('a campaign that says nothing is none', () => {
    expect(
      touchOf(anEvent('product_viewed', day(0), { context: { campaign: { name: '' } } }), brand),
    ).toBeUndefined();
  });

  test('an order is never a touch of its own, nor is its refund, whatever they carry', () => {
    const context = { campaign: { channel: 'wecom' } };
    expect(touchOf(anOrder(day(0), 'o1', 1, { context }), brand)).toBeUndefined();
    expect(touchOf(aRefund(day(0), 'o1', 'r1', 1, { context }), brand)).toBeUndefined();
  });

  test('an event that is listed twice is one touch', () => {
    const visit = aVisit(day(0), 'a');
    expect(touchesOf([visit, aVisit(day(1), 'b'), visit], brand)).toHaveLength(2);
  });
});

describe('the channel of a touch', () => {
  const properties = { channel: 'store' };
  test.each([
    [
      'the campaign names it',
      'menu_clicked',
      { properties, context: { campaign: { channel: 'wecom', source: 'x' } } },
      'wecom',
    ],
    ['else the event does', 'menu_clicked', { properties, context: { campaign: { source: 'x' } } }, 'store'],
    [
      'else source and medium',
      'menu_clicked',
      { context: { campaign: { source: 'baidu', medium: 'cpc' } } },
      'baidu/cpc',
    ],
    ['else the source alone', 'menu_clicked', { context: { campaign: { source: 'baidu' } } }, 'baidu'],
    ['else where the event came from', 'menu_clicked', { channel: 'wechat-oa' }, 'wechat-oa'],
    ['a page that nothing led to is direct', 'page_viewed', {}, 'direct'],
    [
      'a page that a link led to',
      'page_viewed',
      { context: { referrer: 'https://www.zhihu.com/q/1' } },
      'www.zhihu.com',
    ],
    [
      'going on to the next page is direct',
      'page_viewed',
      { context: { referrer: 'https://shop.cn/a', page: { url: 'https://shop.cn/b' } } },
      'direct',
    ],
    [
      'a referrer that is no address',
      'page_viewed',
      { context: { referrer: 'app' }, channel: 'segment' },
      'segment',
    ],
    [
      'a campaign beats the referrer',
      'page_viewed',
      { context: { referrer: 'https://a.cn', campaign: { name: 'x' } }, channel: 'segment' },
      'segment',
    ],
  ])('%s', (_, type, more, expected) => {
    expect(channelOf(type, day(0), more)).toBe(expected);
  });

  test('who made it comes along, and how near to the purchase it is by its type', () => {
    const scanned = anEvent('qr_code_scanned', day(1), { properties: { scene: 'store-7' } });
    const added = anEvent('contact_added', day(1), { properties: { staff_id: 'lin' } });
    expect(touchOf(scanned, brand)).toMatchObject({ scene: 'store-7', role: 'indirect' });
    expect(touchOf(added, brand)).toMatchObject({ staff: 'lin', role: 'indirect' });
    expect(touchOf(anEvent('menu_clicked', day(1)), brand)?.role).toBe('latent');
  });

  test('campaign, content, session and opportunity come along', () => {
    const context = { campaign: { channel: 'wecom', name: 'double11', content: 'poster-3' }, session: 's1' };
    const event = anEvent('lead_submitted', day(2), { context });
    expect(touchOf(event, brand)).toEqual({
      eventId: event.id,
      type: 'lead_submitted',
      at: day(2),
      channel: 'wecom',
      campaign: 'double11',
      content: 'poster-3',
      session: 's1',
      role: 'indirect',
      opportunity: true,
    });
  });
});
