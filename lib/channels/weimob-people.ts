import { type Fields, textOf } from './context.ts';
import { present } from './present.ts';
import { type Entry, type Meaning, NONE, whole } from './weimob-meaning.ts';

/** The card is the member; messages that do not name it name the customer. */
const memberOf = (message: Fields) => textOf(message, 'customCardNo', 'memberCode', 'code', 'wid');

export const member =
  (type: string): Entry['means'] =>
  ({ message }) => [
    {
      type,
      at: textOf(message, 'createTime', 'time'),
      properties: present({ member_id: memberOf(message) }),
    },
  ];

export const level: Entry['means'] = ({ message }) => [
  {
    type: 'member_level_changed',
    at: textOf(message, 'changeTime'),
    properties: present({
      member_id: memberOf(message),
      new_level: textOf(message, 'newLevelId', 'newRankId'),
      old_level: textOf(message, 'oldLevelId', 'oldRankId'),
      reason: textOf(message, 'reason', 'changeReason'),
    }),
  },
];

/** 0 granted, 1 spent, 3 given back, 4 taken back. */
const signs: Readonly<Record<string, 1 | -1>> = { '0': 1, '1': -1, '3': 1, '4': -1 };

export const pointChange: Entry = {
  needs: ['wid', ['changPoint', 'changePoint'], 'transType'],
  means({ message }) {
    const kind = textOf(message, 'transType') ?? '';
    const sign = Object.hasOwn(signs, kind) ? signs[kind] : undefined;
    const size = whole(textOf(message, 'changPoint', 'changePoint'));
    return [
      {
        type: 'points_changed',
        at: textOf(message, 'changeTime'),
        properties: present({
          account: 'points',
          // A kind of change that nobody has told us of has no sign: it is kept as a fault.
          delta: sign === undefined || size === undefined ? undefined : sign * Math.abs(size),
          balance_after: whole(textOf(message, 'totalPoint')),
          biz_type: textOf(message, 'bizType'),
        }),
      },
    ];
  },
};

const coupon =
  (type: string, reason?: string): Entry['means'] =>
  ({ message }) => [
    {
      type,
      at: textOf(message, 'useTime', 'receiveTime', 'cancelTime'),
      properties: present({
        coupon_code: textOf(message, 'code'),
        coupon_template_id: textOf(message, 'couponTemplateId'),
        order_id: textOf(message, 'orderNo'),
        store_id: textOf(message, 'vid'),
        reason,
      }),
    },
  ];

export const issued: Entry = {
  needs: ['wid', 'code', 'couponTemplateId'],
  bars: ['useTime', 'useScene', 'cancelTime'],
  means: coupon('coupon_issued'),
};
export const redeemed: Entry = {
  needs: ['wid', 'code', ['useTime', 'useScene', 'orderNo']],
  means: coupon('coupon_redeemed'),
};
export const voided = (reason: string): Entry => ({
  needs: ['wid', 'code'],
  bars: ['useTime', 'useScene', 'subScene'],
  means: coupon('coupon_voided', reason),
});

export const contact: Entry = {
  needs: ['externalUserId', ['txUserId', 'employeeId']],
  means: ({ message }) => [
    {
      type: 'contact_added',
      at: textOf(message, 'addTime'),
      properties: {
        ...present({
          staff_id: textOf(message, 'txUserId', 'employeeId'),
          state: textOf(message, 'state'),
          add_way: textOf(message, 'addWay'),
        }),
        is_backfill: textOf(message, 'historyCustomerSync') === '1',
      },
    },
  ],
};

/** Members of a group are customers (2) and staff (1): staff are nobody's profile. */
export const groupMember: Entry = {
  needs: ['groupId', 'joinScene'],
  means: ({ message }) =>
    textOf(message, 'type') === '1'
      ? NONE
      : [
          {
            type: 'group_joined',
            at: textOf(message, 'joinTime'),
            properties: present({
              group_id: textOf(message, 'groupId'),
              join_scene: textOf(message, 'joinScene'),
            }),
          },
        ],
};

export const tag: Entry = {
  needs: ['wid', 'tagId', 'event'],
  means: ({ message }) => {
    const change = textOf(message, 'event')?.toUpperCase() ?? '';
    if (!['INSERT', 'UPDATE', 'DELETE'].includes(change)) return NONE;
    return [
      {
        type: change === 'DELETE' ? 'tag_removed' : 'tag_added',
        at: textOf(message, 'updateTime'),
        properties: present({
          tag_id: textOf(message, 'tagId'),
          tag_name: textOf(message, 'tagName'),
          tag_value: textOf(message, 'attValue'),
          source: 'weimob',
        }),
      },
    ];
  },
};

const linked = (source: string, message: Fields, phone?: string): Meaning => ({
  type: 'identity_linked',
  at: textOf(message, 'time'),
  phone,
  properties: { link_source: source },
});

const unlinked = (source: string, message: Fields, phone?: string): Meaning => ({
  type: 'identity_unlinked',
  at: textOf(message, 'time'),
  phone,
  properties: { unlink_source: source },
});

const USER = ['wid', 'bosId', 'time', 'vid', 'productId', 'productInstanceId'];

export const widMerge: Entry = {
  needs: ['wid'],
  only: USER,
  means: ({ message }) => [linked('weimob_wid_merge', message)],
};
export const phoneBind: Entry = {
  needs: ['wid', 'phone'],
  only: [...USER.filter((name) => name !== 'time'), 'phone'],
  means: ({ message }) => [linked('weimob_phone_bind', message, textOf(message, 'phone'))],
};
export const phoneRebind: Entry = {
  needs: ['wid', 'phone', 'oldPhone'],
  means: ({ message }) => [
    unlinked('weimob_phone_rebind', message, textOf(message, 'oldPhone')),
    linked('weimob_phone_rebind', message, textOf(message, 'phone')),
  ],
};
/** The number belongs to nobody now, or to somebody else: it must not lead to this customer any more. */
export const phoneRelease: Entry = {
  needs: ['wid', 'phone', 'time'],
  only: [...USER, 'phone'],
  means: ({ message }) => [unlinked('weimob_phone_release', message, textOf(message, 'phone'))],
};
export const cancellation: Entry = {
  needs: ['wid', ['logoutTime', 'widSourceList']],
  means: ({ id, message }) => [
    {
      type: 'data_erasure_requested',
      at: textOf(message, 'logoutTime', 'time'),
      properties: { request_id: id, request_kind: 'account_cancellation' },
    },
  ],
};

export const messageSent: Entry = {
  needs: ['wid', 'requestId', 'errorCode'],
  means({ message }) {
    const code = textOf(message, 'errorCode') ?? '';
    const sent = present({ message_id: textOf(message, 'requestId') });
    return code === '0'
      ? [{ type: 'message_delivered', properties: sent }]
      : [
          {
            type: 'message_failed',
            properties: { ...sent, reason: textOf(message, 'errorMsg') ?? code, error_code: code },
          },
        ];
  },
};

export const comment: Entry = {
  needs: ['wid', 'contentId'],
  only: [...USER, 'contentId', 'commentId', 'content'],
  means: ({ id, message }) => [
    {
      type: 'content_commented',
      at: textOf(message, 'time'),
      // The message does not name the comment; its own id stands for it.
      properties: present({
        content_id: textOf(message, 'contentId'),
        comment_id: textOf(message, 'commentId') ?? id,
      }),
    },
  ],
};

export const lead: Entry = {
  needs: ['wid', ['key', 'clueKey', 'keys', 'clueKeys']],
  means: ({ message }) =>
    leadsIn(message).map((key) => ({
      type: 'lead_submitted',
      at: textOf(message, 'buildTime'),
      properties: { lead_id: key },
    })),
};

function leadsIn(message: Fields): string[] {
  const one = textOf(message, 'key', 'clueKey');
  const list = message.keys ?? message.clueKeys;
  const several = Array.isArray(list) ? list.slice(0, 20).map(String) : [];
  return one === undefined ? several : [one];
}
