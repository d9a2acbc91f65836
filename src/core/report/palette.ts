/** Colours by what they are for, in the light and the dark scheme. Told apart in the common colour blindnesses. */
export const palette = {
  page: { light: '#f6f7f9', dark: '#0e1318' },
  surface: { light: '#ffffff', dark: '#151b22' },
  edge: { light: '#dde2e8', dark: '#2a333d' },
  text: { light: '#17202b', dark: '#e6ebf1' },
  muted: { light: '#566271', dark: '#9ba8b6' },
  blue: { light: '#0060a8', dark: '#62b2f4' },
  green: { light: '#00755a', dark: '#41c99c' },
  purple: { light: '#a03c7c', dark: '#e59bc8' },
  orange: { light: '#b54708', dark: '#ff9b5c' },
  amber: { light: '#7c6200', dark: '#dfc04c' },
  slate: { light: '#3a4654', dark: '#bcc7d3' },
  calm: { light: '#cfe3f5', dark: '#20415f' },
} as const;

export type Tone = 'blue' | 'green' | 'purple' | 'orange' | 'amber' | 'slate' | 'muted';

/** The palette as variables of a selector; print takes the light scheme. */
export function paletteCss(selector: string): string {
  const variables = (scheme: 'light' | 'dark') =>
    Object.entries(palette)
      .map(([name, colour]) => `--${name}:${colour[scheme]}`)
      .join(';');
  return (
    `${selector}{${variables('light')}}\n` +
    `@media screen and (prefers-color-scheme:dark){${selector}{${variables('dark')}}}\n`
  );
}

/** How the parts of a plot are drawn; needs the palette's variables. */
export const plotCss = `
.plot text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;font-size:12px;fill:var(--muted)}
.plot .label{fill:var(--text)}
.plot .figure{fill:var(--tone);font-weight:600;font-variant-numeric:tabular-nums}
.plot .grid{stroke:var(--edge);stroke-width:1;shape-rendering:crispEdges}
.plot .axis{stroke:var(--muted);stroke-width:1;shape-rendering:crispEdges}
.plot .band{fill:var(--edge);opacity:.55}
.plot .line{stroke:var(--tone);stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}
.plot .spread{fill:var(--tone);opacity:.14}
.plot .heat{fill:var(--blue);shape-rendering:crispEdges}
.plot .heat.is-none{fill:none;stroke:var(--edge)}
.plot .heat-value{fill:var(--text);font-variant-numeric:tabular-nums}
.plot .is-strong{font-weight:650}
.plot .leader{stroke:var(--tone);stroke-width:1;fill:none;opacity:.45}
.plot .mark{stroke:var(--tone);stroke-width:1.5;fill:var(--surface);stroke-linejoin:round;paint-order:stroke}
.plot .is-solid{fill:var(--tone)}
.plot .tile{stroke-width:1.25;stroke:var(--tone);fill:none}
.plot .tile.is-solid{fill:var(--tone)}
.plot .tile.is-calm{fill:var(--calm);stroke:none}
.plot .glyph{stroke-width:1.75;stroke-linecap:round;fill:none;stroke:var(--tone)}
.plot .dot{fill:var(--tone)}
.plot .glyph.is-inverse{stroke:var(--surface)}
${(['blue', 'green', 'purple', 'orange', 'amber', 'slate', 'muted'] satisfies Tone[]).map((tone) => `.tone-${tone}{--tone:var(--${tone})}`).join('\n')}
`;
