import { sha256 } from '@noble/hashes/sha2.js';
import { type Markup, markup, type MarkupValue, ownText, toText } from './markup.ts';
import { reportCss } from './style.ts';

/**
 * One HTML document around a report: no script, nothing loaded from elsewhere. Its policy allows this style sheet, by
 * hash, and nothing else.
 *
 * Promises: the same parts give the same bytes.
 */
export function reportDocument(parts: {
  readonly title: string;
  readonly heading: Markup;
  readonly main: readonly MarkupValue[];
  readonly footer: string;
}): string {
  const style = sha256(new TextEncoder().encode(reportCss)).toBase64();
  const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  return toText(markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${parts.title}</title>
<style>${ownText(reportCss)}</style>
</head>
<body>
${parts.heading}
<main>
${parts.main.map(
  (section) => markup`${section}
`,
)}</main>
<footer><p>${parts.footer}</p></footer>
</body>
</html>
`);
}
