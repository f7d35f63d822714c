// `npm run churn:memberlist [-- OPTION…]`: installs and builds what is missing, then lets a mixed ring live.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fail, prepare, root } from './prepare.mjs'

if (process.platform !== 'linux') fail('the ring needs Linux: its hosts are network namespaces')
prepare()

// The IPC channel tells the ring's owner when we are gone, however that happens.
const main = join(root, 'lab', 'dist', 'gossip', 'churn-main.js')
const churn = spawn(process.execPath, [main, ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => churn.connected && churn.send({ signal }))
}
churn.on('error', error => fail(error.message))
churn.on('exit', (code, signal) => (process.exitCode = code ?? (signal ? 1 : 0)))
