// Compiles each AssemblyScript file of src/core/vector/kernels/assembly to WebAssembly and writes the bytes as a
// TypeScript module beside it, so that core loads them without a file system.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from 'assemblyscript/asc';

const folder = join(import.meta.dirname, '../src/core/vector/kernels');
const scratch = mkdtempSync(join(tmpdir(), 'qflare-kernels-'));

for (const name of readdirSync(join(folder, 'assembly')).filter((file) => file.endsWith('.ts'))) {
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
