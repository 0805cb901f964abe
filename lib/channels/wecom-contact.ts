import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';
import type { ContactChange } from './wecom-fetched.ts';
import { digestOfNote } from './wecom-note.ts';

/** What one of the staff has written about a contact. */
const note = z.object({
  /** Tags by id; a tag of the staff member's own has none and is told by its name. */
  tags: z.array(z.string()),
  /** Digests: the texts themselves are traits of the profile. */
  remark: z.string(),
  description: z.string(),
});

/** What was known of a contact at the last look that found something. */
export const knownContact = z.object({
  /** Looks that found something. */
  round: z.int(),
  /** When that was, in milliseconds. */
  at: z.number(),
  /** Digest. */
  unionid: z.string(),
  staff: z.record(z.string(), note),
  /** What that look found and nobody has been told yet for certain. */
  unsent: z.array(z.json()).optional(),
});
export type KnownContact = z.infer<typeof knownContact>;

export const unknownContact: KnownContact = { round: 0, at: 0, unionid: '', staff: {} };

/** What WeCom says of a contact now. */
export interface ContactNow {
  readonly unionid: string | undefined;
  readonly follows: readonly Follow[];
}

interface Follow {
  readonly staff: string;
  readonly remark: string;
  readonly description: string;
  readonly tags: ReadonlyMap<string, Fields>;
}

const tagId = (tag: Fields): string | undefined => {
  const name = textOf(tag, 'tag_name');
  return textOf(tag, 'tag_id') ?? (name === undefined ? undefined : `personal:${name}`.slice(0, 256));
};

/** The contact in the pages that WeCom answered; none if nobody of the staff has it any more. */
export function contactIn(pages: readonly Fields[]): ContactNow {
  const follows = pages.flatMap((page) => (Array.isArray(page.follow_user) ? page.follow_user : []));
  return {
    unionid: pages
      .map((page) => textOf(fieldsOf(page, 'external_contact'), 'unionid'))
      .find((id) => id !== undefined),
    follows: follows.filter(isRecord).map((follow) => ({
      staff: textOf(follow, 'userid') ?? '',
      remark: textOf(follow, 'remark') ?? '',
      description: textOf(follow, 'description') ?? '',
      tags: tagsOf(follow),
    })),
  };
}

const tagsOf = ({ tags }: Fields): Map<string, Fields> =>
  new Map(
    (Array.isArray(tags) ? tags : []).filter(isRecord).flatMap((tag): [string, Fields][] => {
      const id = tagId(tag);
      return id === undefined ? [] : [[id, tag]];
    }),
  );

/**
 * The differences, and what is known from now on. They are as old as the announcement that made us look, and always
 * later than those found before: hints may overtake each other, and what was seen later holds.
 *
 * @param isNew the contact was added just now; else what a first look finds is older than anybody knows
 *   (`is_backfill`)
 */
export function contactChanges(
  external: string,
  known: KnownContact,
  { unionid, follows }: ContactNow,
  announcedAt: number,
  isNew: boolean,
): { readonly changes: readonly ContactChange[]; readonly next: KnownContact } {
  const at = Math.max(announcedAt, known.at + 1);
  const round = known.round + 1;
  const change = (
    name: ContactChange['change'],
    staff: string,
    about: string,
    properties: { [name: string]: Json },
    traits: { [name: string]: Json } | null = null,
  ): ContactChange => ({
    change: name,
    external_userid: external,
    unionid: unionid ?? null,
    round,
    at,
    staff_id: staff,
    about,
    properties,
    traits,
  });
  const isBackfill = known.round === 0 && !isNew;
  const backfill: Fields = isBackfill ? { is_backfill: true } : {};
  const now = new Map(follows.map((follow) => [follow.staff, follow]));
  const changes: ContactChange[] = [];
  for (const staff of [...new Set([...Object.keys(known.staff), ...now.keys()])].sort()) {
    const was = Object.hasOwn(known.staff, staff) ? known.staff[staff] : undefined;
    const is = now.get(staff);
    for (const [id, tag] of is?.tags ?? [])
      if (!was?.tags.includes(id))
        changes.push(change('tag_added', staff, id, { ...tagProperties(id, tag), ...backfill }));
    for (const id of was?.tags ?? [])
      if (!is?.tags.has(id)) changes.push(change('tag_removed', staff, id, { tag_id: id }));
    const traits = is ? notesThatChanged(was, is) : {};
    if (Object.keys(traits).length > 0)
      changes.push(change('remark_changed', staff, '', { change: 'remark_changed', ...backfill }, traits));
  }
  const linked = unionid === undefined ? known.unionid : digestOfNote(unionid);
  if (linked !== known.unionid) changes.push(change('linked', '', linked, { link_source: 'wecom' }));
  return { changes, next: { round, at, unionid: linked, staff: notesOf(follows) } };
}

const tagProperties = (id: string, tag: Fields) =>
  present({
    tag_id: id,
    tag_name: textOf(tag, 'tag_name'),
    tag_group: textOf(tag, 'group_name'),
    tag_type: textOf(tag, 'type'),
  });

function notesThatChanged(was: z.infer<typeof note> | undefined, is: Follow): { [name: string]: Json } {
  const traits: { [name: string]: Json } = {};
  if (digestOfNote(is.remark) !== (was?.remark ?? '')) traits.wecom_remark = is.remark || null;
  if (digestOfNote(is.description) !== (was?.description ?? ''))
    traits.wecom_description = is.description || null;
  return traits;
}

const notesOf = (follows: readonly Follow[]): KnownContact['staff'] =>
  Object.fromEntries(
    follows.map(({ staff, remark, description, tags }) => [
      staff,
      { tags: [...tags.keys()], remark: digestOfNote(remark), description: digestOfNote(description) },
    ]),
  );
