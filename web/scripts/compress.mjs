// Writes a .gz and a .br twin beside every text asset of dist, so that the server only has to pick one.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../dist', import.meta.url));
const kinds = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt']);

function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (kinds.has(extname(path))) yield path;
  }
}

for (const path of files(root)) {
  const plain = readFileSync(path);
  if (plain.length < 512) continue;
  const gz = gzipSync(plain, { level: 9 });
  const br = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, br);
  console.log(`${path.slice(root.length + 1)}  ${plain.length} -> gz ${gz.length}, br ${br.length}`);
}
