import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { isRecord, readJson } from './json.ts';
import { readXml } from './xml.ts';

/** A message of WeChat or WeCom, from XML or JSON, whose fields are read as strings whichever it was. */
export interface WechatMessage {
  /** The field as a string; empty where it is absent. */
  field(name: string): string;
  /** The items of a list: under a wrapper of this name or beside it; one object, or several. */
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
  return {
    field(name) {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    },
    list(wrapper) {
      const inner = fields[wrapper];
      const items = (isRecord(inner) ? inner.List : undefined) ?? fields.List ?? [];
      return (Array.isArray(items) ? items : [items]).filter(isRecord).map(wechatMessage);
    },
  };
}
