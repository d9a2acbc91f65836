import { resolve } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type SaeRule, saeRules } from '../../core/qkd/sae-id.ts';
import type { FiniteKey } from '../../core/qkd/finite-key.ts';
import type { FiniteKeyParameters } from '../../core/qkd/finite-key-parameters.ts';
import type { RatePoint } from '../qkd/rate-plot.ts';
import type { RateReportOptions } from '../qkd/rate-report.ts';
import type { QkdSimulation, QkdSimulationOptions } from '../qkd/simulate-qkd.ts';

/** Lim et al. 2014, section IV, with intensities that give a key from a million sifted bits at 50 km. */
const DEFAULTS = {
  blockSize: 1e7,
  distanceKm: 50,
  basisProbabilityX: 0.8,
  intensities: [0.45, 0.12, 0],
  intensityProbabilities: [0.4, 0.35, 0.25],
  detectorEfficiency: 0.1,
  darkCountProbability: 6e-7,
  afterPulseProbability: 0.04,
  misalignment: 0.005,
  attenuationDbPerKm: 0.2,
  errorCorrectionEfficiency: 1.16,
  epsilonSecrecy: 1e-9,
  epsilonCorrectness: 1e-15,
} as const satisfies FiniteKeyParameters;

const LINK_FLAGS = [
  ['distance-km', 'length of the fibre'],
  ['basis-probability-x', 'share of pulses in the key basis'],
  ['detector-efficiency', "Bob's share of clicks per arriving photon"],
  ['dark-count-probability', 'per gate and detector'],
  ['after-pulse-probability', 'per click'],
  ['misalignment', 'share of photons that leave by the wrong port'],
  ['attenuation-db-per-km', 'of the fibre'],
  ['epsilon-secrecy', 'probability that the key is not secret'],
  ['epsilon-correctness', 'probability that the keys differ unnoticed'],
] as const;

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** Numbers after one flag, divided by commas or spaces. */
function toNumbers(text: string, previous: readonly number[] | undefined): number[] {
  return [...(previous ?? []), ...text.split(',').map(toNumber)];
}

const camelCase = (flag: string): keyof FiniteKeyParameters =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof FiniteKeyParameters;

function withLinkFlags(command: Command): Command {
  for (const [flag, description] of LINK_FLAGS) {
    const fallback = DEFAULTS[camelCase(flag)];
    command.option(`--${flag} <number>`, `${description} (default: ${fallback})`, toNumber);
  }
  for (const [flag, description] of [
    ['intensities', 'mean photon numbers, strongest first; two or three'],
    ['intensity-probabilities', 'share of pulses of each'],
  ] as const) {
    const fallback = DEFAULTS[camelCase(flag)];
    command.option(`--${flag} <numbers...>`, `${description} (default: ${fallback})`, toNumbers);
  }
  return command.option('--json', 'print one JSON document');
}

/** `qflare qkd`: what a simulated quantum key distribution link gives. */
export function qkdCommand(): Command {
  return new Command('qkd')
    .description('Quantum key distribution over simulated optics')
    .addCommand(keyLengthCommand())
    .addCommand(simulateCommand())
    .addCommand(reportCommand())
    .addCommand(kmeCommand());
}

type Flags<T> = Partial<T> & { readonly json?: boolean };

function keyLengthCommand(): Command {
  return withLinkFlags(new Command('key-length'))
    .description('Compute the finite-key length that a simulated link can be expected to give')
    .option('--block-size <number>', `sifted detections in the key basis (default: ${DEFAULTS.blockSize})`, toNumber)
    .option(
      '--error-correction-efficiency <number>',
      `disclosed bits over n h(QBER) (default: ${DEFAULTS.errorCorrectionEfficiency})`,
      toNumber,
    )
    .action(async ({ json, ...flags }: Flags<FiniteKeyParameters>) => {
      const { finiteKeyLength } = await import('../../core/qkd/finite-key.ts');
      const key = finiteKeyLength({ ...DEFAULTS, ...flags });
      process.stdout.write(json === true ? `${JSON.stringify(key)}\n` : `${keyLengthLines(key).join('\n')}\n`);
    });
}

function keyLengthLines(key: FiniteKey): string[] {
  return [
    `key length    ${key.keyLengthBits} bits (${key.protocol} bounds, simulated link)`,
    `key rate      ${key.keyRatePerPulse.toExponential(3)} bits a pulse, ${key.pulses.toExponential(3)} pulses`,
    `QBER          ${(100 * key.qber).toFixed(3)} %`,
    `leakage       ${Math.round(key.leakageBits)} bits of error correction`,
    `vacuum        at least ${Math.floor(key.vacuumX)} of the sifted detections`,
    `single photon at least ${Math.floor(key.singlePhotonX)}, phase errors at most ${(100 * key.phaseErrorRate).toFixed(3)} %`,
  ];
}

function simulateCommand(): Command {
  return withLinkFlags(new Command('simulate'))
    .description('Run one session: simulated optics, then sifting, Cascade, verification and privacy amplification')
    .option('--pulses <number>', 'pulses that Alice sends', toNumber, 1e9)
    .option('--seed <number>', 'of optics and bits; the key repeats with it and is not fit for use', toNumber, 1)
    .option('--dead-time-pulses <number>', 'gates that the detectors rest after a click', toNumber, 0)
    .option('--error-rate-max <number>', 'end the session above this sampled error rate', toNumber, 0.08)
    .addOption(
      new Option('--eve <attack>', 'an eavesdropper on the fibre').choices([
        'intercept-resend',
        'photon-number-splitting',
        'beam-splitting',
        'blinding',
        'man-in-the-middle',
      ]),
    )
    .option('--eve-share <number>', 'share of the pulses she touches', toNumber, 1)
    .addOption(
      new Option('--cascade <variant>', 'error correction')
        .choices(['original', 'option-3', 'option-7'])
        .default('option-3'),
    )
    .action(async ({ json, ...flags }: Flags<QkdSimulationOptions>) => {
      const { simulateQkd } = await import('../qkd/simulate-qkd.ts');
      const { blockSize: _, errorCorrectionEfficiency: __, ...link } = DEFAULTS;
      const report = simulateQkd({ ...link, ...flags } as QkdSimulationOptions);
      process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : `${simulationLines(report).join('\n')}\n`);
    });
}

function reportCommand(): Command {
  return withLinkFlags(new Command('report'))
    .description('Plot the key rate over distance: the formula, and simulated sessions beside it')
    .option('--block-size <number>', 'sifted detections in the key basis of each session', toNumber, 1e6)
    .option('--error-correction-efficiency <number>', 'of the formula', toNumber, DEFAULTS.errorCorrectionEfficiency)
    .option('--to-km <number>', 'the farthest point', toNumber, 120)
    .option('--step-km <number>', 'distance between points', toNumber, 5)
    .option('--simulate-every <steps>', 'simulate a session at every so-many points; 0 for none', toNumber, 6)
    .option('--seed <number>', 'of the simulated sessions', toNumber, 1)
    .option('--out <file>', 'write the plot as SVG')
    .action(async ({ json, out, ...flags }: Flags<RateReportOptions> & { readonly out?: string }) => {
      const { rateOverDistance } = await import('../qkd/rate-report.ts');
      const points = rateOverDistance({ ...DEFAULTS, ...flags } as RateReportOptions, (point) => {
        if (point.simulated !== null) process.stderr.write(`simulated ${point.distanceKm} km\n`);
      });
      if (out !== undefined) {
        const [{ ratePlotSvg }, { writeFile }] = await Promise.all([
          import('../qkd/rate-plot.ts'),
          import('node:fs/promises'),
        ]);
        await writeFile(out, ratePlotSvg(points, `Secret bits a pulse, blocks of ${flags.blockSize} sifted bits`));
      }
      process.stdout.write(
        json === true ? `${JSON.stringify({ source: 'simulated', points })}\n` : `${rateLines(points).join('\n')}\n`,
      );
    });
}

type KmeOptions = {
  readonly saeRule: SaeRule;
  readonly sae: readonly string[];
  readonly port: number;
  readonly profile: 'post-quantum' | 'classical';
  readonly pulses: number;
  readonly distanceKm?: number;
  readonly json?: boolean;
};

function kmeCommand(): Command {
  return new Command('kme')
    .description('Serve keys of a simulated link by ETSI GS QKD 014, for trying plans with security.qkd')
    .argument('<dir>', 'where the certificates are; made when they are not there')
    .requiredOption('--sae <ids...>', 'SAE ids that may ask here: the coordinator and each site')
    .option('--port <number>', 'the port to listen on; 0 takes any free one', toNumber, 0)
    .addOption(
      new Option('--profile <name>', 'TLS of the entity')
        .choices(['post-quantum', 'classical'])
        .default('post-quantum'),
    )
    .addOption(
      new Option('--sae-rule <name>', 'where a client certificate names its SAE: its common name, or its URI sae:ID')
        .choices(saeRules)
        .default('common-name'),
    )
    .option('--distance-km <number>', 'length of the simulated fibre', toNumber, 10)
    .option('--pulses <number>', 'pulses of each simulated session', toNumber, 3e7)
    .option('--json', 'print one JSON document when it listens')
    .addHelpText(
      'after',
      '\nExample: qflare qkd kme link --sae coordinator site-1 site-2\nThe optics are simulated: for trying things out, not a source of keys for use.',
    )
    .action(async (dir: string, options: KmeOptions) => {
      const { startSimulatedKme } = await import('../qkd/simulated-kme.ts');
      const { blockSize: _, errorCorrectionEfficiency: __, ...link } = DEFAULTS;
      const folder = resolve(dir);
      const kme = await startSimulatedKme({
        folder,
        saeIds: options.sae,
        saeRule: options.saeRule,
        profile: options.profile,
        port: options.port,
        link: {
          ...link,
          distanceKm: options.distanceKm ?? 10,
          pulses: options.pulses,
          cascade: 'option-3',
          errorRateMax: 0.08,
        },
        say: (text) => process.stderr.write(`${text}\n`),
      });
      const ended = new Promise<void>((done) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
      });
      const told = {
        source: 'simulated',
        url: kme.url,
        folder,
        saeIds: options.sae,
        saeRule: options.saeRule,
        profile: options.profile,
      };
      process.stdout.write(
        options.json === true ? `${JSON.stringify(told)}\n` : `Simulated key management entity at ${kme.url}\n`,
      );
      await ended;
      await kme.close();
    });
}

function rateLines(points: readonly RatePoint[]): string[] {
  const rate = (value: number) => (value === 0 ? 'no key' : value.toExponential(3));
  return [
    'km      formula      simulated   (bits a pulse)',
    ...points.map((p) =>
      `${String(p.distanceKm).padEnd(7)} ${rate(p.formula).padEnd(12)} ${p.simulated === null ? '' : rate(p.simulated)}`.trimEnd(),
    ),
  ];
}

function simulationLines(report: QkdSimulation): string[] {
  const percent = (share: number | undefined) =>
    share === undefined ? 'not reached' : `${(100 * share).toFixed(3)} %`;
  const count = (value: number | undefined, unit = '') => (value === undefined ? 'not reached' : `${value}${unit}`);
  const { expected } = report;
  return [
    `optics        simulated: ${report.pulses} pulses over ${report.distanceKm} km, ${report.clicks} clicks, ${report.doubleClicks} double${report.eve === null ? '' : `; Eve: ${report.eve}${report.eveShare === 0 ? '' : ` on ${percent(report.eveShare)} of the pulses`}`}`,
    `sifting       ${count(report.siftedX)} in X, ${count(report.siftedZ)} in Z, ${count(report.sampledX)} of X disclosed as a sample`,
    `QBER          ${percent(report.sampledErrorRate)} in the sample, ${percent(report.errorRate)} in the key block`,
    `correction    ${count(report.disclosedBits, ' parities disclosed')}, f = ${report.errorCorrectionEfficiency?.toFixed(4) ?? 'not reached'}`,
    `bounds        ${count(report.singlePhotonX, ' single photons at least')}, phase errors at most ${percent(report.phaseErrorRate)}`,
    `public talk   ${report.messages} messages, ${report.bytes} bytes, authenticated by ${report.authentication}`,
    ...report.alarms.map(
      (alarm) =>
        `alarm         ${alarm.kind}: ${alarm.observed.toPrecision(4)}, expected ${alarm.expected.toPrecision(4)} (${alarm.sigmas.toFixed(1)} sigma)`,
    ),
    report.outcome === 'key'
      ? `key           ${report.keyLengthBits} bits, equal on both sides; ${report.reservedBits} reserved to authenticate the next session; ${report.keyRatePerPulse.toExponential(3)} bits a pulse`
      : `no key        ${report.reason}${report.detail === report.reason ? '' : ` (${report.detail})`}`,
    ...(expected === null
      ? []
      : [`formula       ${expected.keyLengthBits} bits expected of an undisturbed link with this block and f`]),
    `note          optics are simulated and the bits repeat with seed ${report.seed}: not a key for use`,
  ];
}
