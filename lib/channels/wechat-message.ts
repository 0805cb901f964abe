import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { isRecord, readJson } from './json.ts';
import { readXml } from './xml.ts';

/** More items than this are in no list that WeChat or WeCom sends. */
const LONGEST = 500;

/** A message of WeChat or WeCom, from XML or JSON, whose fields are read as strings whichever it was. */
export interface WechatMessage {
  /** The field as a string; empty where it is absent. */
  field(name: string): string;
  /** The object in a field; one without fields where it is absent. */
  part(name: string): WechatMessage;
  /** The message itself or the first object in it that has this field: what it is called differs between events. */
  holding(name: string): WechatMessage;
  /** The items of a list: under a wrapper of this name or beside it; one object, or several. @throws FaultError */
  list(wrapper: string): WechatMessage[];
}

/** Reads the text of a message: XML or JSON by its first character, never by a header. @throws FaultError */
export function decodeWechat(text: string): { [name: string]: Json } {
  const first = text.trimStart()[0];
  if (first === '<') return readXml(text);
  const value = readJson(text);
  if (!isRecord(value))
    throw new FaultError('undecodable', 'a message has to be one XML element or one JSON object');
  return value;
}

export function wechatMessage(fields: { readonly [name: string]: Json }): WechatMessage {
  const inField = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  const message: WechatMessage = {
    field(name) {
      const value = inField(name);
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    },
    part(name) {
      const value = inField(name);
      return wechatMessage(isRecord(value) ? value : {});
    },
    holding(name) {
      if (Object.hasOwn(fields, name)) return message;
      const inner = Object.values(fields).filter(isRecord);
      return wechatMessage(inner.find((it) => Object.hasOwn(it, name)) ?? {});
    },
    list(wrapper) {
      const inner = inField(wrapper);
      const within = isRecord(inner) && Object.hasOwn(inner, 'List') ? inner.List : undefined;
      const items = within ?? inField('List') ?? [];
      const all = Array.isArray(items) ? items : [items];
      if (all.length > LONGEST) throw new FaultError('too_large', `a list has at most ${LONGEST} items`);
      return all.filter(isRecord).map(wechatMessage);
    },
  };
  return message;
}
