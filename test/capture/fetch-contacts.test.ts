// Scope: contacts of WeCom that changed, compared with what was known of them; hints are overtaken, repeated, interrupted.
import { describe, expect, test } from 'vitest';
import { teahouseCorp } from '../channels/vendors/wecom.ts';
import { aCorp, contact, customer, edited, nextSecond } from './a-corp.ts';

const tag = (tag_id: string) => ({ tag_id, tag_name: `name of ${tag_id}`, group_name: '茶', type: 1 });

describe('a contact that changed', () => {
  const who = `wecom_external_userid@${teahouseCorp}:${customer}`;
  const changes = (it: Awaited<ReturnType<typeof aCorp>>) =>
    it
      .fetched()
      .map(({ type, properties }) => `${type} ${properties.tag_id ?? properties.change ?? ''}`.trim());

  async function known(over: Parameters<typeof aCorp>[0] = {}) {
    const it = await aCorp(over);
    it.api.contacts.set(customer, {
      unionid: 'o6-union',
      follows: [{ userid: 'linxiao', tags: [tag('t1')] }],
    });
    await it.say(contact('add_external_contact'));
    await it.settle();
    return it;
  }

  test('is looked at, and its tags, remark and unionid are told as differences, once', async () => {
    const it = await known({ more: { unionScope: 'open-qinghe' } });
    expect(changes(it)).toEqual(['tag_added t1', 'identity_linked']);
    const follows = [{ userid: 'linxiao', remark: '林先生', tags: [tag('t2')] }];
    it.api.contacts.set(customer, { unionid: 'o6-union', follows });
    const at = nextSecond();
    await it.say(edited(at));
    await it.settle();
    expect(changes(it).slice(2)).toEqual([
      'tag_added t2',
      'tag_removed t1',
      'contact_updated remark_changed',
    ]);
    expect(it.fetched()[2]).toMatchObject({
      occurredAt: new Date(at * 1000).toISOString(),
      identifiers: [
        { kind: 'wecom_external_userid', scope: teahouseCorp, value: customer },
        { kind: 'wechat_unionid', scope: 'open-qinghe', value: 'o6-union' },
      ],
      properties: { tag_id: 't2', tag_name: 'name of t2', tag_group: '茶', staff_id: 'linxiao' },
    });
    await it.say(edited());
    await it.settle();
    expect(it.fetched()).toHaveLength(5);
    const world = await it.profiles();
    expect(await world.traits(who)).toEqual({ wecom_remark: '林先生' });
    expect((await world.cluster('wechat_unionid@open-qinghe:o6-union')).id).toBe(
      (await world.cluster(who)).id,
    );
  });

  test('each of the staff has tags of their own, on as many pages as it takes', async () => {
    const it = await known();
    const follows = [
      { userid: 'linxiao', tags: [tag('t1')] },
      { userid: 'wang', tags: [tag('t1'), { tag_name: '爱喝龙井', type: 2 }] },
    ];
    it.api.contacts.set(customer, { unionid: 'o6-union', follows });
    await it.say(edited());
    await it.settle();
    expect(changes(it).slice(2)).toEqual(['tag_added t1', 'tag_added personal:爱喝龙井']);
    expect(it.fetched()[2]?.properties.staff_id).toBe('wang');
  });

  test('what is found at the first look at an old contact is marked as older than anybody knows', async () => {
    const it = await aCorp();
    it.api.contacts.set(customer, { follows: [{ userid: 'linxiao', tags: [tag('t1')] }] });
    await it.say(edited());
    await it.settle();
    expect(it.fetched()[0]?.properties.is_backfill).toBe(true);
    expect((await known()).fetched()[0]?.properties.is_backfill).toBeUndefined();
  });

  test('whom nobody of the staff has any more has no tags', async () => {
    const it = await known();
    it.api.contacts.delete(customer);
    await it.say(contact('del_follow_user'));
    await it.settle();
    expect(changes(it).slice(2)).toEqual(['tag_removed t1']);
  });

  test('if the telling is interrupted the same is told again, whatever has changed since', async () => {
    const it = await known();
    const tags = (...ids: string[]) =>
      it.api.contacts.set(customer, {
        unionid: 'o6-union',
        follows: [{ userid: 'linxiao', tags: ids.map(tag) }],
      });
    tags('t1', 't2');
    await it.say(edited());
    it.state.queueFails = true;
    expect(await it.work()).toBe(1);
    it.state.queueFails = false;
    tags('t1'); // t2 was given and taken away again
    await it.settle();
    expect(changes(it).slice(2)).toEqual(['tag_added t2', 'tag_removed t2']);
    const [added, removed] = it.fetched().slice(2);
    expect(added && removed && added.occurredAt < removed.occurredAt).toBe(true);
  });

  test('a hint that was overtaken dates nothing before what is known already', async () => {
    const it = await known();
    const first = nextSecond();
    const second = nextSecond();
    const follows = [{ userid: 'linxiao', tags: [tag('t1'), tag('t2')] }];
    it.api.contacts.set(customer, { unionid: 'o6-union', follows });
    await it.say(edited(second));
    await it.settle();
    it.api.contacts.set(customer, {
      unionid: 'o6-union',
      follows: [{ userid: 'linxiao', tags: [tag('t1')] }],
    });
    await it.say(edited(first));
    await it.settle();
    const [added, removed] = it.fetched().slice(2);
    expect([added?.type, removed?.type]).toEqual(['tag_added', 'tag_removed']);
    expect((added?.occurredAt ?? '') < (removed?.occurredAt ?? '')).toBe(true);
  });

  test('what is kept of a contact has no phone, and after the telling no remark and no unionid', async () => {
    const it = await known();
    const text = JSON.stringify([it.rows.rows(), it.facts]);
    expect(text).not.toMatch(/13800138000|o6-union|林/);
    expect(text).not.toContain(customer);
    expect(JSON.stringify(it.fetched())).not.toContain('13800138000');
  });
});
