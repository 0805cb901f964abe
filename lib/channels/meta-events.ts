import type { DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type DraftIdentifier, phoneNumber } from '../events/identifiers.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

type Fields = Record<string, Json>;

/** One status, message, preference or lead, and what stands around it. */
export interface MetaItem {
  readonly item: Fields;
  /** The WhatsApp Business account or the page that it came through. */
  readonly owner: string;
  /** The brand's own number, by Meta's id of it. */
  readonly number?: string;
  /** Whether what customers write is kept. */
  readonly keepContent: boolean;
}

export interface MetaMeaning {
  readonly type: string;
  readonly key: readonly string[];
  readonly at: string | undefined;
  readonly identifiers: readonly DraftIdentifier[];
  readonly properties: Record<string, Json>;
  readonly context?: DraftContext;
}

/** Nothing: the item is known and says nothing of a customer. */
type Means = (of: MetaItem) => MetaMeaning | undefined;

/** A required id: without it a retry could not be told from something new. @throws FaultError */
function idOf(item: Fields, ...names: readonly string[]): string {
  const id = textOf(item, ...names);
  if (id === undefined) throw new FaultError('bad_shape', `an item needs ${names.join(' or ')}`);
  return id;
}

/** Who writes in WhatsApp: digits with the country code, and the id that stays when the number is hidden. */
function whatsappUser(number: string | undefined, userId: string | undefined): DraftIdentifier[] {
  const digits = number && /^\d{7,15}$/.test(number) ? phoneNumber(`+${number}`, 'en') : undefined;
  return [
    ...(digits ? [{ kind: 'phone', value: digits }] : []),
    ...(userId ? [{ kind: 'whatsapp_user_id', value: userId }] : []),
  ];
}

/** What the brand called its message when it sent it; only what can be a name, since it may send anything. */
function templateOf(item: Fields): string {
  const given = textOf(item, 'biz_opaque_callback_data') ?? '';
  return /^[\w.:/-]{1,128}$/.test(given) ? given : 'unknown';
}

function failureOf(item: Fields): Record<string, Json> {
  const [first] = Array.isArray(item.errors) ? item.errors : [];
  const error = isRecord(first) ? first : {};
  const code = textOf(error, 'code');
  return present({ reason: textOf(error, 'title') ?? code ?? 'unknown', error_code: code });
}

/** What a status adds to the message's id, by its name; others are acknowledged and counted. */
const statuses: Readonly<Record<string, { type: string; rest: (item: Fields) => Record<string, Json> }>> = {
  sent: { type: 'message_sent', rest: (item) => ({ template_id: templateOf(item) }) },
  delivered: { type: 'message_delivered', rest: () => ({}) },
  read: { type: 'message_read', rest: () => ({}) },
  failed: { type: 'message_failed', rest: failureOf },
};

/** The statuses of one message share its id and come in any order: the key is both. In a group it is whose it is, too. */
function status({ item, number }: MetaItem): MetaMeaning | undefined {
  const name = textOf(item, 'status') ?? '';
  const known = Object.hasOwn(statuses, name) ? statuses[name] : undefined;
  if (!known) return undefined;
  const id = idOf(item, 'id');
  const isGroup = textOf(item, 'recipient_type') === 'group';
  const recipient = textOf(item, isGroup ? 'recipient_participant_id' : 'recipient_id');
  return {
    type: known.type,
    key: isGroup ? [id, name, recipient ?? ''] : [id, name],
    at: textOf(item, 'timestamp'),
    identifiers: whatsappUser(recipient, textOf(item, 'recipient_user_id')),
    properties: present({
      message_id: id,
      ...known.rest(item),
      category: textOf(fieldsOf(item, 'pricing'), 'category'),
      phone_number_id: number,
    }),
  };
}

/** An advertisement or a post that the conversation began from. */
function referralOf(item: Fields): DraftContext | undefined {
  const referral = fieldsOf(item, 'referral');
  const id = textOf(referral, 'source_id');
  if (id === undefined) return undefined;
  return {
    campaign: { source: 'meta', medium: textOf(referral, 'source_type'), content: id },
    referrer: textOf(referral, 'source_url'),
  };
}

/** What the brand attached to the button or row that was tapped. */
function payloadOf(item: Fields): string | undefined {
  const interactive = fieldsOf(item, 'interactive');
  return (
    textOf(fieldsOf(item, 'button'), 'payload') ??
    textOf(fieldsOf(interactive, 'button_reply'), 'id') ??
    textOf(fieldsOf(interactive, 'list_reply'), 'id')
  );
}

function message({ item, number, keepContent }: MetaItem): MetaMeaning | undefined {
  const kind = textOf(item, 'type') ?? '';
  if (kind === 'system') return undefined; // WhatsApp speaks, not the customer
  const id = idOf(item, 'id');
  const said = {
    key: [id],
    at: textOf(item, 'timestamp'),
    identifiers: whatsappUser(textOf(item, 'from'), textOf(item, 'from_user_id')),
    context: referralOf(item),
  };
  if (kind === 'request_welcome')
    return { type: 'conversation_started', ...said, properties: present({ phone_number_id: number }) };
  return {
    type: 'message_received',
    ...said,
    properties: present({
      message_id: id,
      message_type: kind,
      reply_to_id: textOf(fieldsOf(item, 'context'), 'id'),
      reply_payload: payloadOf(item),
      phone_number_id: number,
      content: keepContent ? textOf(fieldsOf(item, 'text'), 'body') : undefined,
    }),
  };
}

/** A customer stops or resumes marketing messages. The event has no id of its own: all that it says is its key. */
function preference({ item }: MetaItem): MetaMeaning | undefined {
  const value = textOf(item, 'value');
  if (value !== 'stop' && value !== 'resume') return undefined;
  const user = idOf(item, 'wa_id', 'user_id');
  const category = textOf(item, 'category') ?? 'marketing_messages';
  const at = textOf(item, 'timestamp');
  return {
    type: value === 'stop' ? 'subscription_revoked' : 'subscription_granted',
    key: ['user_preferences', user, category, value, at ?? ''],
    at,
    identifiers: whatsappUser(textOf(item, 'wa_id'), textOf(item, 'user_id')),
    properties: { template_id: category, ...(value === 'resume' ? { mode: 'always' } : {}) },
  };
}

/**
 * A lead form was sent. Meta sends ids alone: who it is has to be fetched. Until then the lead's id stands for the
 * person, so that whoever tells us the answers with the same `lead_id` tells us of the same profile.
 */
function lead({ item, owner }: MetaItem): MetaMeaning {
  const id = idOf(item, 'leadgen_id');
  const ad = textOf(item, 'ad_id', 'adgroup_id');
  return {
    type: 'lead_submitted',
    key: ['leadgen', id],
    at: textOf(item, 'created_time'),
    identifiers: [{ kind: 'lead_id', scope: `meta:${owner}`, value: id }],
    properties: present({
      lead_id: id,
      form_id: textOf(item, 'form_id'),
      page_id: textOf(item, 'page_id'),
      ad_id: textOf(item, 'ad_id'),
      adgroup_id: textOf(item, 'adgroup_id'),
    }),
    context: ad === undefined ? undefined : { campaign: { source: 'meta', medium: 'lead_ad', content: ad } },
  };
}

/** A change of the field that has messages must have some. @throws FaultError */
const empty: Means = () => {
  throw new FaultError('bad_shape', 'a change of "messages" needs a list: statuses, messages or errors');
};

/** What each kind of item means, by object, field and list. */
export const metaEvents: Readonly<Record<string, Means>> = {
  'whatsapp_business_account/messages': empty,
  'whatsapp_business_account/messages/statuses': status,
  'whatsapp_business_account/messages/messages': message,
  'whatsapp_business_account/user_preferences/user_preferences': preference,
  'page/leadgen': lead,
};

/** The lists of a change; each item of one is a message of its own. */
export const metaLists = ['statuses', 'messages', 'user_preferences', 'errors'] as const;
