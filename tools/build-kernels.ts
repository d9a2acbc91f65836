// Compiles each AssemblyScript file of src/core/vector/kernels/assembly to WebAssembly and writes the bytes as a
// TypeScript module beside it, so that core loads them without a file system. Usage: build-kernels.ts [--stale], which
// builds those whose source is newer.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const folder = join(import.meta.dirname, '../src/core/vector/kernels');
const names = readdirSync(join(folder, 'assembly')).filter((file) => file.endsWith('.ts') && isWanted(file));
// The compiler takes a second to load.
if (names.length === 0) process.exit(0);
const { main } = await import('assemblyscript/asc');
const scratch = mkdtempSync(join(tmpdir(), 'qflare-kernels-'));

for (const name of names) {
  const wasm = join(scratch, `${name}.wasm`);
  const { error, stderr } = await main([
    join(folder, 'assembly', name),
    '--outFile',
    wasm,
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--enable',
    'threads',
    '--importMemory',
    '--sharedMemory',
    '--maximumMemory',
    '65536',
  ]);
  if (error) {
    process.stderr.write(stderr.toString());
    process.exit(70);
  }
  const bytes = readFileSync(wasm);
  const target = join(folder, name.replace(/\.ts$/, '.wasm.ts'));
  const text = `// Built by tools/build-kernels.ts from assembly/${name}.\nexport const bytes = Uint8Array.from([${bytes.join(',')}]);\n`;
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
  process.stderr.write(`kernels: ${name} ${bytes.length} bytes\n`);
}
rmSync(scratch, { recursive: true });

function isWanted(name: string): boolean {
  const built = join(folder, name.replace(/\.ts$/, '.wasm.ts'));
  if (!process.argv.includes('--stale') || !existsSync(built)) return true;
  return statSync(built).mtimeMs < statSync(join(folder, 'assembly', name)).mtimeMs;
}
