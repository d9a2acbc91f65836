import type { RoundRecord } from '../../core/round/record.ts';
import { formatSeconds } from '../../core/report/format.ts';
import { roundTable, type RoundTable } from './round-table.ts';
import { colorsFor, cut, printable, type ViewStream } from './text.ts';

/** What people see of a run while it goes on. */
export type RunView = {
  /** A line of its own, before the table; the table's head is printed again after it. */
  heading(text: string): void;
  /** The line of what is under way. Replaced by the next call; not written where there is no terminal. */
  progress(text: string): void;
  /** One row of the table; the progress line of that round goes. */
  round(record: RoundRecord): void;
  /** A line between or after the rows. */
  note(text: string): void;
  /** Takes the progress line away; nothing is redrawn after it. */
  end(): void;
};

const widthWithoutTerminal = 100;
const escape = '\u001B';
const clearLine = `\r${escape}[2K`;
const colorCode = new RegExp(`(${escape}\\[(?:0|1|2|22|3[1-6]|39)m)`);

/**
 * Writes a run to a stream: on a terminal the last line is redrawn and everything above it stays; elsewhere plain
 * lines. Holds no timer: the caller calls `progress` as often as it wants the line to move.
 */
export function createRunView(stream: ViewStream): RunView {
  const isLive = stream.isTTY === true;
  const colors = colorsFor(stream);
  // A pseudo-terminal that nobody has given a size says 0.
  const width = () => (isLive ? stream.columns || 80 : widthWithoutTerminal);
  let table: RoundTable | null = null;
  let under = '';
  let shown = '';

  function erase(): string {
    const code = shown === '' ? '' : clearLine;
    shown = '';
    return code;
  }

  function redraw(): string {
    // One column is left free: a full line would wrap, and the next redraw would leave half of it behind.
    shown = isLive && under !== '' ? cut(under, width() - 1) : '';
    return shown === '' ? '' : colors.cyan(shown);
  }

  function print(lines: readonly string[]): void {
    stream.write(`${erase()}${lines.map((line) => `${line}\n`).join('')}${redraw()}`);
  }

  return {
    heading(text) {
      table = null;
      print([colors.bold(oneLine(text))]);
    },
    progress(text) {
      const next = oneLine(text);
      if (!isLive || next === under) return;
      under = next;
      stream.write(`${erase()}${redraw()}`);
    },
    round(record) {
      under = '';
      const isFirst = table === null;
      table ??= roundTable(width(), colors);
      print(isFirst ? [table.head, table.row(record)] : [table.row(record)]);
    },
    note: (text) => print(text.split('\n').map(oneLine)),
    end() {
      under = '';
      const code = erase();
      if (code !== '') stream.write(code);
    },
  };
}

export type Progress = {
  readonly round: number;
  readonly roundCount: number;
  readonly phase: string;
  readonly received: number;
  readonly expected: number;
  readonly seconds: number;
};

/** "  round 7 of 20 · update · 6 of 10 in · 1.20 s" */
export function progressText({ round, roundCount, phase, received, expected, seconds }: Progress): string {
  return `  round ${round} of ${roundCount} · ${phase} · ${received} of ${expected} in · ${formatSeconds(seconds)}`;
}

/** Keeps the colours that this program uses; hidden text and anything else that a terminal obeys is taken out. */
function oneLine(text: string): string {
  return text
    .split(colorCode)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('');
}
