import type { Json } from '../events/event.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { isRecord, recordIn } from './json.ts';
import { listOf } from './list.ts';

/** One event that a message stands for. */
export interface FeishuMeaning {
  readonly type: string;
  /** `{ open_id, union_id, user_id }` of who did it. */
  readonly who: Fields;
  /** When, where the message says it better than its header. */
  readonly at?: string;
  readonly properties: Record<string, Json>;
}

interface Entry {
  /** Empty: authentic, and nothing that a customer did. */
  readonly means: (event: Fields, tenant: string | undefined, keepContent: boolean) => FeishuMeaning[];
}

/** Properties that are there; the others are left out. */
const filled = (properties: Record<string, Json | undefined>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** Whether somebody is of another company than the app's: a customer for certain. Nothing where nobody says. */
const isExternal = (person: Fields, tenant: string | undefined): boolean | undefined => {
  const own = textOf(person, 'tenant_key');
  return own === undefined || tenant === undefined ? undefined : own !== tenant;
};

const received: Entry = {
  means(event, tenant, keepContent) {
    const sender = fieldsOf(event, 'sender');
    const message = fieldsOf(event, 'message');
    if (textOf(sender, 'sender_type') === 'app') return []; // another bot
    const kind = textOf(message, 'message_type');
    return [
      {
        type: 'message_received',
        who: fieldsOf(sender, 'sender_id'),
        properties: filled({
          message_id: textOf(message, 'message_id'),
          message_type: kind,
          chat_id: textOf(message, 'chat_id'),
          chat_type: textOf(message, 'chat_type'),
          is_external: isExternal(sender, tenant),
          content: keepContent && kind === 'text' ? wordsOf(textOf(message, 'content')) : undefined,
        }),
      },
    ];
  },
};

/** The text in `{"text":"…"}`; nothing for what is no such thing. */
const wordsOf = (content: string | undefined): string | undefined =>
  textOf(recordIn(content ?? '') ?? {}, 'text');

const read: Entry = {
  means(event, tenant) {
    const reader = fieldsOf(event, 'reader');
    return listOf(event, 'message_id_list').flatMap((id) =>
      typeof id === 'string' && id !== ''
        ? [
            {
              type: 'message_read',
              who: fieldsOf(reader, 'reader_id'),
              at: textOf(reader, 'read_time'),
              properties: filled({ message_id: id, is_external: isExternal(reader, tenant) }),
            },
          ]
        : [],
    );
  },
};

/** One event for each person in the list. */
const members = (type: string, more: (event: Fields, person: Fields) => Record<string, Json>): Entry => ({
  means: (event, tenant) =>
    listOf(event, 'users')
      .filter(isRecord)
      .map((person) => ({
        type,
        who: fieldsOf(person, 'user_id'),
        properties: filled({
          group_id: textOf(event, 'chat_id'),
          ...more(event, person),
          is_external: isExternal(person, tenant),
        }),
      })),
});

/** Who leaves does it himself; who is removed is removed by another. */
function quitScene(event: Fields, person: Fields): string {
  const operator = textOf(fieldsOf(event, 'operator_id'), 'open_id');
  if (operator === undefined) return 'unknown';
  return operator === textOf(fieldsOf(person, 'user_id'), 'open_id') ? 'left' : 'removed';
}

/** Messages by `header.event_type`. Source: open.feishu.cn, 事件列表 (im, application). */
export const feishuEvents: Readonly<Record<string, Entry>> = {
  'im.message.receive_v1': received,
  'im.message.message_read_v1': read,
  'im.chat.access_event.bot_p2p_chat_entered_v1': {
    means: (event) => [
      {
        type: 'conversation_started',
        who: fieldsOf(event, 'operator_id'),
        properties: filled({ chat_id: textOf(event, 'chat_id') }),
      },
    ],
  },
  'application.bot.menu_v6': {
    means: (event) => [
      {
        type: 'menu_clicked',
        who: fieldsOf(fieldsOf(event, 'operator'), 'operator_id'),
        properties: filled({ menu_key: textOf(event, 'event_key'), menu_type: 'bot' }),
      },
    ],
  },
  'im.chat.member.user.added_v1': members('group_joined', () => ({})),
  'im.chat.member.user.deleted_v1': members('group_left', (event, person) => ({
    quit_scene: quitScene(event, person),
  })),
  // Whoever invited them took it back.
  'im.chat.member.user.withdrawn_v1': members('group_left', () => ({ quit_scene: 'invitation_withdrawn' })),
};

/** What happened to a group itself, by `header.event_type`. */
export const feishuGroups: Readonly<Record<string, string>> = {
  'im.chat.updated_v1': 'updated',
  'im.chat.disbanded_v1': 'dismissed',
};
