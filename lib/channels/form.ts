// Forms of senders who have shown no key yet: no more of them is decoded than is asked for.

/** A form of theirs has a handful of fields: what comes after so many is not read, before anybody has shown a key. */
const FIELDS = 32;
const NAME_CHARACTERS = 64;

/** The fields of a form as they were written: `name=value`, encoded. */
export const fieldsIn = (form: string): string[] => form.split('&', FIELDS);

/** The name of a field, decoded; nothing where it is longer than any that is asked for. */
export function nameOf(field: string): string | undefined {
  const end = field.indexOf('=');
  const name = end < 0 ? field : field.slice(0, end);
  return name.length > NAME_CHARACTERS ? undefined : [...new URLSearchParams(`${name}=`).keys()][0];
}

/** The value of the first field of that name, decoded. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  const field = fields.find((it) => nameOf(it) === name);
  if (field === undefined) return undefined;
  const end = field.indexOf('=');
  return end < 0 ? '' : valueIn(field.slice(end + 1));
}

const [BLANK, PERCENT, PLUS] = [0x20, 0x25, 0x2b];

/** A value of a form, decoded, in one pass: what is no escape stays what it is. */
function valueIn(written: string): string {
  if (!/[%+]/.test(written)) return written;
  const bytes = Buffer.from(written);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const escaped = byte === PERCENT ? hexAt(bytes, i + 1) : -1;
    if (escaped >= 0) i += 2;
    bytes[length++] = escaped >= 0 ? escaped : byte === PLUS ? BLANK : byte;
  }
  return bytes.toString('utf8', 0, length);
}

/** The byte that two digits stand for; below nought where they are none. */
const hexAt = (bytes: Buffer, at: number): number => {
  const [high, low] = [digitOf(bytes[at] ?? 0), digitOf(bytes[at + 1] ?? 0)];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
};

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** What base64 of a form stands for: a "+" that was not escaped has become a blank there. */
export function fromBase64(text: string): Buffer {
  if (!text.includes(' ')) return Buffer.from(text, 'base64');
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === BLANK) bytes[i] = PLUS;
  return Buffer.from(bytes.toString('latin1'), 'base64');
}
