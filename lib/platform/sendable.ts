/**
 * JSON in characters that every SQS takes: emoji and what Unicode calls no characters as `\uXXXX`, which says the same.
 * A body that has one of the latter would be refused for ever, or stored with another in its place.
 */
export const sendable = (body: string): string =>
  body.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
