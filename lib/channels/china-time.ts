/**
 * `2025-10-09 16:53:20`, with or without a fraction, as RFC 3339: vendors of the mainland write their dates in UTC+8 and
 * do not say so. What has another form stays as it is.
 */
export const chinaTime = (text: string | undefined): string | undefined =>
  text?.replace(/^\s*(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\s*$/, '$1T$2+08:00');
